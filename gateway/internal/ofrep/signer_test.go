package ofrep

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"
)

var (
	key   = bytes.Repeat([]byte{1}, MinKey)
	other = bytes.Repeat([]byte{2}, MinKey)
	now   = time.Date(2026, 5, 1, 10, 7, 0, 0, time.UTC)
)

func grantOf(s *Signer) Grant { return Grant{s.ScopeOf("shop"), "https://app.example.com"} }

func TestATokenIsVerified(t *testing.T) {
	s := NewSigner(key)
	token := s.Sign(grantOf(s), now)
	if g, err := s.Verify(token, now); err != nil || g != grantOf(s) {
		t.Errorf("%+v, %v", g, err)
	}
	if strings.Trim(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
		t.Errorf("the token %s needs escapes", token)
	}
	for i := range token {
		changed := []byte(token)
		if changed[i]++; changed[i] == '[' || changed[i] == '{' {
			changed[i] = 'A'
		}
		if g, err := s.Verify(string(changed), now); err == nil {
			t.Errorf("the changed token %s is valid for %+v", changed, g)
		}
	}
	for _, forged := range []string{"", "a", token[:len(token)-1], token + "A", token + "=", strings.Repeat("A", 1000), NewSigner(other).Sign(grantOf(s), now)} {
		if _, err := s.Verify(forged, now); !errors.Is(err, ErrForged) {
			t.Errorf("%.40s: %v", forged, err)
		}
	}
}

func TestATokenExpires(t *testing.T) {
	s := NewSigner(key)
	for at := now.Truncate(window); at.Before(now.Add(window)); at = at.Add(time.Minute) {
		token := s.Sign(grantOf(s), at)
		if _, err := s.Verify(token, at.Add(window)); err != nil {
			t.Errorf("after %v: %v", window, err)
		}
		if _, err := s.Verify(token, at.Add(2*window)); !errors.Is(err, ErrExpired) {
			t.Errorf("after %v: %v", 2*window, err)
		}
	}
	end := now.Truncate(window).Add(2 * window)
	token := s.Sign(grantOf(s), now)
	if _, err := s.Verify(token, end.Add(-1)); err != nil {
		t.Error(err)
	}
	if _, err := s.Verify(token, end); !errors.Is(err, ErrExpired) {
		t.Errorf("at its end: %v", err)
	}
}

// Clients compare URIs to know whether their streams are still right.
func TestATokenStaysTheSameForAWhile(t *testing.T) {
	s, start := NewSigner(key), now.Truncate(window)
	token := s.Sign(grantOf(s), start)
	if s.Sign(grantOf(s), start.Add(window-1)) != token || NewSigner(key, other).Sign(grantOf(s), start) != token {
		t.Error("the token changed within its window")
	}
	if s.Sign(grantOf(s), start.Add(window)) == token {
		t.Error("the token stays the same")
	}
	page := grantOf(s)
	page.Origin = "https://other.example.com"
	if s.Sign(page, start) == token || s.Sign(Grant{s.ScopeOf("api"), grantOf(s).Origin}, start) == token {
		t.Error("another grant has the same token")
	}
}

func TestKeysAreRotated(t *testing.T) {
	before, both, after := NewSigner(key), NewSigner(other, key), NewSigner(other)
	old, new := before.Sign(grantOf(before), now), both.Sign(grantOf(both), now)
	for _, token := range []string{old, new} {
		g, err := both.Verify(token, now)
		if err != nil {
			t.Fatal(err)
		}
		if scopes := both.Scopes("shop"); g.Scope != scopes[0] && g.Scope != scopes[1] {
			t.Errorf("the scope %x is not among %x", g.Scope, scopes)
		}
	}
	if _, err := after.Verify(old, now); !errors.Is(err, ErrForged) {
		t.Errorf("a token of a removed key: %v", err)
	}
	if _, err := after.Verify(new, now); err != nil {
		t.Error(err)
	}
}

func TestTheSignerCopiesItsKeys(t *testing.T) {
	given := bytes.Clone(key)
	s := NewSigner(given)
	token := s.Sign(grantOf(s), now)
	clear(given)
	if _, err := s.Verify(token, now); err != nil {
		t.Error(err)
	}
}

func FuzzVerify(f *testing.F) {
	s := NewSigner(key)
	valid := map[string]bool{}
	for _, at := range []time.Time{now, now.Add(-window), now.Add(-3 * window)} {
		token := s.Sign(grantOf(s), at)
		valid[token] = true
		f.Add(token)
	}
	f.Add("")
	f.Add("AAAA")
	f.Fuzz(func(t *testing.T, token string) {
		if g, err := s.Verify(token, now); err == nil && !valid[token] {
			t.Errorf("%s is valid for %+v", token, g)
		}
	})
}
