package ofrep

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"time"
)

const (
	// MinKey is the smallest length of a key, in bytes.
	MinKey = 32
	// MaxOrigin is the greatest length of an origin, in bytes.
	MaxOrigin = 300
	// window is how often the token for the same use is replaced. A token is valid for the rest
	// of its window and the whole next one. A page whose token expired asks for the flags again, and
	// OpenFeature's provider then misses a change that happened meanwhile: so this must not be often.
	window = time.Hour

	macSize    = 16
	scopeSize  = 8
	headerSize = 1 + 8 + scopeSize // version, expiry, scope
	tokenV1    = 1
)

// Errors of [Signer.Verify].
var (
	ErrForged  = errors.New("the URI is not valid: it is not of this server, or its key was replaced")
	ErrExpired = errors.New("the URI has expired")
)

// Grant is what a token allows.
type Grant struct {
	Scope  Scope
	Origin string // of the page that received the token; empty: not a page
}

// Scope names what the events of a stream are about, without showing it.
type Scope [scopeSize]byte

// Signer makes and verifies tokens. It is immutable and safe for concurrent use.
type Signer struct{ keys [][]byte }

// NewSigner returns a signer. The first key signs, and all verify. There must be one, and each must
// have [MinKey] bytes or more. It copies the keys.
func NewSigner(keys ...[]byte) *Signer {
	s := new(Signer)
	for _, key := range keys {
		s.keys = append(s.keys, bytes.Clone(key))
	}
	return s
}

// ScopeOf returns the scope of a name or another text. It differs between signers with different
// first keys.
func (s *Signer) ScopeOf(text string) (scope Scope) { return scopeOf(s.keys[0], text) }

// Scopes returns the scopes of a text with each key.
func (s *Signer) Scopes(text string) []Scope {
	var all []Scope
	for _, key := range s.keys {
		all = append(all, scopeOf(key, text))
	}
	return all
}

func scopeOf(key []byte, text string) (scope Scope) {
	copy(scope[:], mac(key, "scope", []byte(text)))
	return scope
}

// Sign returns a token that is valid for 1 to 2 hours. Within an hour it returns the same token for
// the same grant, so that clients keep their streams. It contains only letters, digits, _ and -.
func (s *Signer) Sign(g Grant, now time.Time) string {
	expiry := now.Truncate(window).Add(2 * window)
	token := make([]byte, 0, headerSize+len(g.Origin)+macSize)
	token = append(token, tokenV1)
	token = binary.BigEndian.AppendUint64(token, uint64(expiry.Unix()))
	token = append(token, g.Scope[:]...)
	token = append(token, g.Origin...)
	token = append(token, mac(s.keys[0], "token", token)...)
	return base64.RawURLEncoding.EncodeToString(token)
}

// Verify returns what a token allows.
func (s *Signer) Verify(token string, now time.Time) (Grant, error) {
	if len(token) > base64.RawURLEncoding.EncodedLen(headerSize+MaxOrigin+macSize) {
		return Grant{}, ErrForged
	}
	data, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(data) < headerSize+macSize || data[0] != tokenV1 {
		return Grant{}, ErrForged
	}
	signed, given := data[:len(data)-macSize], data[len(data)-macSize:]
	valid := false
	for _, key := range s.keys {
		valid = hmac.Equal(mac(key, "token", signed), given) || valid
	}
	if !valid {
		return Grant{}, ErrForged
	}
	if expiry := time.Unix(int64(binary.BigEndian.Uint64(signed[1:])), 0); !now.Before(expiry) {
		return Grant{}, ErrExpired
	}
	return Grant{Scope: Scope(signed[9:headerSize]), Origin: string(signed[headerSize:])}, nil
}

func mac(key []byte, purpose string, data []byte) []byte {
	h := hmac.New(sha256.New, key)
	_, _ = h.Write([]byte("catbridge " + purpose + "\x00"))
	_, _ = h.Write(data)
	return h.Sum(nil)[:macSize]
}
