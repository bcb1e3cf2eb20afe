package ui

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestSigningInStartsASession(t *testing.T) {
	u := start(t, nil)
	b := newBrowser(t, u)
	res := b.get("/ui/sdk/shop/flags?q=a%26b")
	b.want(res, 303)
	signIn := res.Header.Get("Location")
	page := bodyOf(t, b.get(signIn))
	token := hiddenField.FindStringSubmatch(page)[1]
	if !strings.Contains(page, `value="/ui/sdk/shop/flags?q=a%26b"`) || !strings.Contains(page, "not encrypted") {
		t.Errorf("%s", page)
	}
	res = b.post("/ui/signin", url.Values{"csrf": {token}, "token": {" " + controlToken + "\n"}, "to": {"/ui/sdk/shop/flags?q=a%26b"}})
	b.want(res, 303)
	if to := res.Header.Get("Location"); to != "/ui/sdk/shop/flags?q=a%26b" {
		t.Errorf("to %s", to)
	}
	set := res.Header.Get("Set-Cookie")
	for _, part := range []string{"catbridge-leader=", "; Path=/ui/", "; HttpOnly", "; SameSite=Strict", "; Max-Age=43200"} {
		if !strings.Contains(set, part) {
			t.Errorf("the cookie %q lacks %q", set, part)
		}
	}
	if strings.Contains(set, controlToken) || strings.Contains(set, "Secure") {
		t.Errorf("the cookie is %q", set)
	}
	res = b.get("/ui/nowhere")
	if text := bodyOf(t, res); res.StatusCode != 404 || !strings.Contains(text, "Sign out") || !strings.Contains(text, "ada") {
		t.Errorf("%d %s", res.StatusCode, text)
	}
	// A viewer with a session is not asked again.
	if res := b.get("/ui/signin?to=/ui/x"); res.StatusCode != 303 || res.Header.Get("Location") != "/ui/x" {
		t.Errorf("%d %s", res.StatusCode, res.Header.Get("Location"))
	}
}

func TestCookiesAreSecureOverTLS(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Config)
		header string
	}{"TLS here": {func(c *Config) { c.Secure = true }, ""}, "TLS in front": {nil, "https"}} {
		b := newBrowser(t, start(t, c.change))
		if c.header != "" {
			b.header.Set("X-Forwarded-Proto", c.header)
		}
		if text := bodyOf(t, b.get("/ui/signin")); strings.Contains(text, "not encrypted") {
			t.Errorf("%s: %s", name, text)
		}
		res := b.signIn(readToken)
		if set := res.Header.Get("Set-Cookie"); !strings.Contains(set, "; Secure") {
			t.Errorf("%s: %s", name, set)
		}
	}
}

func TestSigningOutEndsTheSession(t *testing.T) {
	b := newBrowser(t, start(t, nil))
	b.signIn(readToken)
	stolen := b.cookies["catbridge-leader"]
	b.want(b.post("/ui/signout", url.Values{"csrf": {"x"}}), 403)
	b.want(b.get("/ui/nowhere"), 404)
	res := b.post("/ui/signout", url.Values{"csrf": {b.formToken("/ui/nowhere")}})
	b.want(res, 303)
	if b.cookies["catbridge-leader"] != "" {
		t.Errorf("the cookie stays")
	}
	if text := bodyOf(t, b.get(res.Header.Get("Location"))); !strings.Contains(text, "signed out") {
		t.Errorf("%s", text)
	}
	b.cookies["catbridge-leader"] = stolen
	b.want(b.get("/ui/nowhere"), 303)
	b.signIn(readToken)
	b.want(b.get("/ui/nowhere"), 404) // the token itself is still valid
}

// Behind one address there may be several leaders, and each request may reach another: what one of them has
// started, asked or said goes on with the other. Only signing out is not known to both: it removes the
// cookie, but the other accepts a copy for as long as it has the token.
func TestTwoLeadersBehindOneAddressAreOneDashboard(t *testing.T) {
	changes := 0
	one, two := start(t, nil), start(t, nil)
	withForm(one, &changes)
	withForm(two, &changes)
	b := newBrowser(t, one)
	form := url.Values{"csrf": {b.formToken("/ui/signin")}, "token": {controlToken}}
	b.ui = two
	b.want(b.post("/ui/signin", form), 303)
	form = url.Values{"csrf": {b.formToken("/ui/nowhere")}, "flag": {"a"}}
	b.ui = one
	b.want(b.post("/ui/sdk/shop/test", form), 303)
	b.ui = two
	if text := bodyOf(t, b.get("/ui/nowhere")); !strings.Contains(text, "Forced a") || changes != 1 {
		t.Errorf("after %d changes: %s", changes, text)
	}
	thief := newBrowser(t, two)
	thief.cookies["catbridge-leader"] = b.cookies["catbridge-leader"]
	form = url.Values{"csrf": {b.formToken("/ui/nowhere")}}
	b.ui = one
	b.want(b.post("/ui/signout", form), 303)
	b.want(b.get("/ui/nowhere"), 303)
	b.ui = two
	b.want(b.get("/ui/nowhere"), 303)
	thief.want(thief.get("/ui/nowhere"), 404)
	thief.ui = one
	thief.want(thief.get("/ui/nowhere"), 303)
	two.SetTokens([]Token{{Secret: readToken, Read: true}})
	thief.ui = two
	thief.want(thief.get("/ui/nowhere"), 303)
}

// Sessions end with their token, and have the rights that the token has now.
func TestSessionsFollowTheTokens(t *testing.T) {
	u := start(t, nil)
	b, other := newBrowser(t, u), newBrowser(t, u)
	b.signIn(controlToken)
	other.signIn(readToken)
	who := func() *viewer {
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/ui/", nil)
		r.AddCookie(&http.Cookie{Name: "catbridge-leader", Value: b.cookies["catbridge-leader"]})
		v, _ := u.identify(httptest.NewRecorder(), r)
		return v
	}
	if v := who(); !v.may(rightControl) || v.may(rightExplain) || v.name != "ada" {
		t.Errorf("%+v", v)
	}
	u.SetTokens([]Token{{Secret: controlToken, Read: true, Name: "bob"}, {Secret: readToken, Read: true}})
	if v := who(); !v.may(rightRead) || v.may(rightControl) || v.name != "bob" {
		t.Errorf("%+v", v)
	}
	u.SetTokens([]Token{{Secret: readToken, Read: true}})
	b.want(b.get("/ui/nowhere"), 303)
	other.want(other.get("/ui/nowhere"), 404)
	u.SetTokens(allTokens()) // the session is valid with its token, in every process
	b.want(b.get("/ui/nowhere"), 404)
	b.ui = start(t, nil)
	b.want(b.get("/ui/nowhere"), 404)
	b.ui = start(t, func(c *Config) { c.Acts = false; c.Process = "leader" })
	b.want(b.get("/ui/nowhere"), 404)
}

func TestSessionsEndAtTheirAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := start(t, func(c *Config) { c.Observer = newObserver() })
		b := newBrowser(t, u)
		b.signIn(readToken)
		time.Sleep(sessionAge - time.Second)
		b.want(b.get("/ui/nowhere"), 404)
		time.Sleep(time.Second)
		b.want(b.get("/ui/nowhere"), 303)
		future := newTokens(allTokens(), true)[0].newSession(time.Now().Add(sessionAhead + time.Minute))
		b.cookies["catbridge-leader"] = future
		b.want(b.get("/ui/nowhere"), 303)
		u.Drain(t.Context())
	})
}

// What a process remembers of ended sessions is bounded: the oldest are forgotten.
func TestEndedSessionsAreBounded(t *testing.T) {
	var e ended
	now := time.Now()
	first := newSessionID(now)
	e.add(first, now)
	for range maxEnded - 1 {
		e.add(newSessionID(now.Add(time.Minute)), now)
	}
	if !e.has(first) {
		t.Error("a session was forgotten too early")
	}
	last := newSessionID(now.Add(time.Hour))
	e.add(last, now)
	if len(e.ids) != maxEnded || e.has(first) || !e.has(last) {
		t.Errorf("%d are remembered; the first %v, the last %v", len(e.ids), e.has(first), e.has(last))
	}
	e.add(first, now.Add(sessionAge+30*time.Minute)) // all but the last are too old
	if len(e.ids) != 2 {
		t.Errorf("%d are remembered", len(e.ids))
	}
}
