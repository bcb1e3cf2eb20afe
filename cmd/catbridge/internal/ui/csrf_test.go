package ui

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// forms returns the addresses of all routes that answer forms.
func (u *UI) forms() []string {
	all := []string{"/ui/signin", "/ui/signout"}
	for target, to := range u.paths() {
		if to.isForm {
			all = append(all, strings.TrimPrefix(target, "POST "))
		}
	}
	return all
}

// withForm adds a form that changes something, and its page.
func withForm(u *UI, changes *int) {
	u.page("GET /ui/sdk/{sdk}/test", rightControl, func(r *request) (*page, error) {
		return &page{title: "Test", template: "error.html", data: "token=" + r.who.formToken() + "="}, nil
	})
	u.post("POST /ui/sdk/{sdk}/test", rightControl, func(r *request) (*page, error) {
		*changes++
		return redirectTo("/ui/nowhere", "Forced "+r.PostForm.Get("flag"))
	})
}

// Each form × each way in which a page of another site could send it.
func TestFormsOfOtherSitesAreRefused(t *testing.T) {
	for name, in := range map[string]struct {
		change func(*Config)
		host   string
		start  func(*browser)
	}{
		"session":  {nil, "dash.example.com", func(b *browser) { b.want(b.signIn(bothToken), 303) }},
		"loopback": {isOpenToActions, "localhost:8080", func(*browser) {}},
	} {
		changes := 0
		u := start(t, in.change)
		withForm(u, &changes)
		for _, target := range u.forms() {
			b := newBrowser(t, u)
			b.host = in.host
			in.start(b)
			token := ""
			if target == "/ui/signin" {
				if name == "loopback" {
					continue // there is none
				}
				b = newBrowser(t, u)
				token = b.formToken("/ui/signin")
			} else {
				_, token, _ = strings.Cut(bodyOf(t, b.get("/ui/sdk/shop/test")), "token=")
				token, _, _ = strings.Cut(token, "=")
			}
			good := url.Values{"csrf": {token}, "flag": {"a"}, "token": {bothToken}}
			with := func(header, value string) func(*http.Request) {
				return func(r *http.Request) { r.Header.Set(header, value) }
			}
			for what, bad := range map[string]struct {
				form   url.Values
				change func(*http.Request)
			}{
				"no token":            {url.Values{"flag": {"a"}, "token": {bothToken}}, nil},
				"an empty token":      {url.Values{"csrf": {""}, "token": {bothToken}}, nil},
				"another token":       {url.Values{"csrf": {strings.Repeat("A", len(token))}, "token": {bothToken}}, nil},
				"a token in the URL":  {url.Values{"token": {bothToken}}, func(r *http.Request) { r.URL.RawQuery = "csrf=" + token }},
				"another origin":      {good, with("Origin", "https://evil.example")},
				"the origin null":     {good, with("Origin", "null")},
				"another port":        {good, with("Origin", "http://"+strings.Split(in.host, ":")[0]+":1")},
				"cross-site":          {good, with("Sec-Fetch-Site", "cross-site")},
				"same-site":           {good, with("Sec-Fetch-Site", "same-site")},
				"another type":        {good, with("Content-Type", "text/plain")},
				"no type":             {good, with("Content-Type", "")},
				"JSON":                {good, with("Content-Type", "application/json")},
				"multipart":           {good, with("Content-Type", "multipart/form-data; boundary=x")},
				"a body of 64 KB":     {url.Values{"csrf": {token}, "token": {bothToken}, "x": {strings.Repeat("x", maxForm)}}, nil},
				"a body without size": {url.Values{"csrf": {token}, "x": {strings.Repeat("x", maxForm)}}, func(r *http.Request) { r.ContentLength = -1 }},
			} {
				before := changes
				res := b.send("POST", target, bad.form, bad.change)
				if res.StatusCode < 400 || changes != before {
					t.Errorf("%s: %s with %s: %d", name, target, what, res.StatusCode)
				}
				if b.cookies["catbridge-leader"] == "" && name == "session" && target != "/ui/signin" {
					t.Errorf("%s with %s ended the session", target, what)
				}
				if strings.HasPrefix(what, "a body") && res.StatusCode != http.StatusRequestEntityTooLarge {
					t.Errorf("%s with %s: %d", target, what, res.StatusCode)
				}
			}
			res := b.send("POST", target, good, func(r *http.Request) {
				r.Header.Set("Origin", "http://"+in.host)
				r.Header.Set("Sec-Fetch-Site", "same-origin")
			})
			if res.StatusCode == http.StatusForbidden {
				t.Errorf("%s: its own form for %s is refused", name, target)
			}
		}
		if changes != 1 {
			t.Errorf("%s: %d changes", name, changes)
		}
	}
}

// A form token is good only for the session whose page has it.
func TestFormTokensBelongToTheirSession(t *testing.T) {
	changes := 0
	u := start(t, nil)
	withForm(u, &changes)
	a, b := newBrowser(t, u), newBrowser(t, u)
	a.signIn(controlToken)
	b.signIn(controlToken)
	token := a.formToken("/ui/nowhere")
	b.want(b.post("/ui/sdk/shop/test", url.Values{"csrf": {token}}), 403)
	a.want(a.post("/ui/sdk/shop/test", url.Values{"csrf": {token}}), 303)
	if changes != 1 {
		t.Errorf("%d changes", changes)
	}
}

// A program with its own credential needs no form token. Browsers cannot send it for others.
func TestProgramsNeedNoFormToken(t *testing.T) {
	changes := 0
	u := start(t, nil)
	withForm(u, &changes)
	b := newBrowser(t, u).bearer(controlToken)
	b.want(b.post("/ui/sdk/shop/test", url.Values{"flag": {"a"}}), 303)
	b.want(b.send("POST", "/ui/sdk/shop/test", url.Values{}, func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") }), 403)
	b.want(b.send("POST", "/ui/sdk/shop/test", url.Values{}, func(r *http.Request) { r.Header.Set("Content-Type", "application/json") }), 415)
	newBrowser(t, u).bearer(readToken).want(newBrowser(t, u).bearer(readToken).post("/ui/sdk/shop/test", url.Values{}), 403)
	if changes != 1 {
		t.Errorf("%d changes", changes)
	}
}

// What a form did is shown once, to its viewer alone, and cannot be made up.
func TestFlashesAreShownOnce(t *testing.T) {
	changes := 0
	u := start(t, nil)
	withForm(u, &changes)
	b, other := newBrowser(t, u), newBrowser(t, u)
	b.signIn(controlToken)
	other.signIn(controlToken)
	b.post("/ui/sdk/shop/test", url.Values{"csrf": {b.formToken("/ui/nowhere")}, "flag": {`<script>alert(1)</script>` + strings.Repeat("ä", maxFlash)}})
	flash := b.cookies["catbridge-leader-flash"]
	other.cookies["catbridge-leader-flash"] = flash
	if text := bodyOf(t, other.get("/ui/nowhere")); strings.Contains(text, "Forced") {
		t.Error("another session shows it")
	}
	text := bodyOf(t, b.get("/ui/nowhere"))
	if !strings.Contains(text, "Forced &lt;script&gt;") || strings.Contains(text, "<script>alert") || strings.Contains(text, "\uFFFD") {
		t.Errorf("%s", text)
	}
	if text := bodyOf(t, b.get("/ui/nowhere")); strings.Contains(text, "Forced") {
		t.Error("it is shown twice")
	}
	for _, value := range []string{"", "x", "!", strings.Repeat("A", 40), flash[:len(flash)-2]} {
		b.cookies["catbridge-leader-flash"] = value
		if text := bodyOf(t, b.get("/ui/nowhere")); strings.Contains(text, `banner ok`) {
			t.Errorf("%q is shown: %s", value, text)
		}
	}
}
