package ui

import (
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// paths returns an address of each route of a page.
func (u *UI) paths() map[string]route {
	all := map[string]route{}
	for _, r := range u.routes {
		method, path, ok := strings.Cut(r.pattern, " ")
		if !ok {
			method, path = "GET", r.pattern+"nowhere"
		}
		path = strings.NewReplacer("{sdk}", "shop", "{key...}", "a", "{name...}", "a", "{$}", "", "{rev}", "1700000000000").Replace(path)
		all[method+" "+path] = r
	}
	return all
}

// Each page × each credential.
func TestPagesNeedTheirRight(t *testing.T) {
	u := start(t, nil)
	if len(u.paths()) == 0 {
		t.Fatal("no pages")
	}
	credentials := map[string]struct {
		set    func(*browser)
		rights right
	}{
		"none":            {func(*browser) {}, 0},
		"wrong bearer":    {func(b *browser) { b.bearer(wrongToken) }, 0},
		"no right":        {func(b *browser) { b.bearer("token-without-right") }, 0},
		"empty bearer":    {func(b *browser) { b.bearer("") }, 0},
		"basic":           {func(b *browser) { b.header.Set("Authorization", "Basic "+readToken) }, 0},
		"wrong cookie":    {func(b *browser) { b.cookies["catbridge-leader"] = strings.Repeat("A", 75) }, 0},
		"token as cookie": {func(b *browser) { b.cookies["catbridge-leader"] = readToken }, 0},
		"read":            {func(b *browser) { b.bearer(readToken) }, rightRead},
		"explain":         {func(b *browser) { b.bearer(explainToken) }, rightRead | rightExplain},
		"control":         {func(b *browser) { b.bearer(controlToken) }, rightRead | rightControl},
		"read by session": {func(b *browser) { b.want(b.signIn(readToken), http.StatusSeeOther) }, rightRead},
	}
	for name, credential := range credentials {
		for target, to := range u.paths() {
			b := newBrowser(t, start(t, nil))
			credential.set(b)
			method, path, _ := strings.Cut(target, " ")
			form := url.Values(nil)
			if to.isForm {
				form = url.Values{}
				if b.cookies["catbridge-leader"] != "" && credential.rights != 0 {
					form.Set("csrf", b.formToken("/ui/nowhere"))
				}
			}
			res := b.send(method, path, form, nil)
			refused := res.StatusCode == http.StatusUnauthorized || res.StatusCode == http.StatusForbidden ||
				res.StatusCode == http.StatusSeeOther && strings.HasPrefix(res.Header.Get("Location"), "/ui/signin?")
			if may := credential.rights&to.needs == to.needs; may == refused {
				t.Errorf("%s with %s: %d %s", target, name, res.StatusCode, res.Header.Get("Location"))
			}
			text := bodyOf(t, res)
			if refused && credential.rights == 0 && (strings.Contains(text, "pay") || strings.Contains(text, "v1<")) {
				t.Errorf("%s with %s says more than it should: %s", target, name, text)
			}
		}
	}
}

// Without a credential only the sign-in page and the files that it needs are answered.
func TestWithoutACredentialOnlyTheSignInPageIsAnswered(t *testing.T) {
	b := newBrowser(t, start(t, nil))
	for target, status := range map[string]int{
		"/ui/": 303, "/ui/events": 401, "/ui/sdk/shop/flags": 303, "/ui/nowhere": 303, "/ui/assets/": 303,
		"/ui/signin": 200, "/ui/assets/app.css": 200, "/ui/assets/live.mjs": 200, "/ui/assets/nothing": 404,
	} {
		if res := b.get(target); res.StatusCode != status {
			t.Errorf("%s: %d, want %d", target, res.StatusCode, status)
		}
	}
	res := b.send("GET", "/ui/", nil, func(r *http.Request) { r.Header.Set("Catbridge-Fragment", "main") })
	b.want(res, http.StatusUnauthorized) // the module can tell this from a page
	b.want(b.send("HEAD", "/ui/", nil, nil), http.StatusUnauthorized)
}

// A token for some SDK keys shows no other, not even that it exists.
func TestATokenShowsOnlyItsSDKKeys(t *testing.T) {
	u := start(t, nil)
	u.page("GET /ui/sdk/{sdk}/test", rightRead, func(r *request) (*page, error) {
		return &page{title: "Test of " + r.view.Label, template: "error.html", data: strings.Join(r.labels(), ",")}, nil
	})
	b := newBrowser(t, u).bearer(shopToken)
	res := b.get("/ui/sdk/shop/test")
	b.want(res, 200)
	if text := bodyOf(t, res); !strings.Contains(text, "Test of shop") || strings.Contains(text, "pay") {
		t.Errorf("%s", text)
	}
	other, missing := b.get("/ui/sdk/pay/test"), b.get("/ui/sdk/missing/test")
	b.want(other, 404)
	if a, b := bodyOf(t, other), bodyOf(t, missing); a != b {
		t.Errorf("an SDK key that the token is not for differs from one that does not exist:\n%s\n%s", a, b)
	}
	all := newBrowser(t, u).bearer(readToken)
	if text := bodyOf(t, all.get("/ui/sdk/pay/test")); !strings.Contains(text, "shop,pay") {
		t.Errorf("%s", text)
	}
}

func TestOnThisMachineNobodyNeedsAToken(t *testing.T) {
	u := start(t, isOpenToActions)
	b := newBrowser(t, u)
	b.host = "localhost:8080"
	for target := range u.paths() {
		if method, path, _ := strings.Cut(target, " "); method == "GET" {
			if res := b.get(path); res.StatusCode == 401 || res.StatusCode == 403 || res.StatusCode == 303 {
				t.Errorf("%s: %d", path, res.StatusCode)
			}
		}
	}
	who, err := u.identify(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), "GET", "/ui/", nil))
	if err != nil || !who.may(rightRead|rightExplain|rightControl) {
		t.Errorf("%+v, %v", who, err)
	}
	u = start(t, func(c *Config) { isOpenToActions(c); c.Acts = false })
	if who, _ := u.identify(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), "GET", "/ui/", nil)); who.may(rightControl) || !who.may(rightExplain) {
		t.Errorf("serve: %+v", who)
	}
}

// The process's user in Redis may put flags in force. Other programs of this machine must not have
// that from it unless somebody says so.
func TestOnThisMachineActionsNeedAToken(t *testing.T) {
	u := start(t, isOpen)
	b := newBrowser(t, u)
	b.host = "localhost:8080"
	token := (&viewer{key: u.key}).formToken()
	tried := 0
	for target, to := range u.paths() {
		if to.needs != rightControl {
			continue
		}
		tried++
		method, path, _ := strings.Cut(target, " ")
		res := b.send(method, path, url.Values{"csrf": {token}, "confirm": {"1"}}, nil)
		if text := bodyOf(t, res); res.StatusCode != 403 || !strings.Contains(text, "Actions need a token with the right control") || !strings.Contains(text, "ui_token_files") {
			t.Errorf("%s: %d %s", target, res.StatusCode, text)
		}
	}
	if tried < 5 {
		t.Errorf("there are %d pages and forms of Actions", tried)
	}
	if text := bodyOf(t, b.get("/ui/sdk/shop/flags")); !strings.Contains(text, `href="/ui/sdk/shop/actions"`) {
		t.Error("nothing leads to the page that says what Actions need")
	}
	if text := bodyOf(t, newBrowser(t, start(t, nil)).bearer(readToken).get("/ui/sdk/shop/flags")); strings.Contains(text, "/actions") {
		t.Error("a token without the right is led to Actions")
	}
	u.SetTokens(allTokens())
	b.bearer(controlToken)
	b.want(b.get("/ui/sdk/shop/actions"), 200)
}

// The person who starts a process learns from its log that nobody needs a token.
func TestTheLogSaysWhoMayLookWithoutAToken(t *testing.T) {
	for name, c := range map[string]struct {
		change    func(*Config)
		says, not string
	}{
		"open":                  {isOpen, "everybody on this machine may look at it", "put flags in force"},
		"open to Actions":       {isOpenToActions, "put flags in force", "nothing"},
		"open to Actions serve": {func(c *Config) { isOpenToActions(c); c.Acts = false }, "may look at it", "put flags in force"},
		"tokens":                {func(c *Config) { c.Open = true }, "", "everybody"},
		"for others":            {nil, "", "everybody"},
	} {
		var log strings.Builder
		start(t, func(con *Config) {
			con.Logger = slog.New(slog.NewTextHandler(&log, nil))
			if c.change != nil {
				c.change(con)
			}
		})
		if said := log.String(); !strings.Contains(said, c.says) || strings.Contains(said, c.not) || strings.Count(said, "\n") > 1 {
			t.Errorf("%s: the log says %q", name, said)
		}
	}
}

// Once there are tokens they count on this machine, too, and do so until the process ends.
func TestTokensCountOnThisMachineToo(t *testing.T) {
	u := start(t, func(c *Config) { c.Open = true })
	b := newBrowser(t, u)
	b.host = "127.0.0.1:8080"
	b.want(b.get("/ui/nowhere"), 303)
	u.SetTokens(nil)
	b.want(b.get("/ui/nowhere"), 303)

	u = start(t, isOpen)
	u.SetTokens([]Token{{Secret: "token-without-right"}})
	b.ui = u
	b.want(b.get("/ui/nowhere"), 404)
	u.SetTokens(allTokens())
	b.want(b.get("/ui/nowhere"), 303)
	b.bearer(readToken)
	b.want(b.get("/ui/nowhere"), 404)
}

// A proxy on this machine must not open the dashboard to others.
func TestAProxyDoesNotOpenTheDashboard(t *testing.T) {
	u := start(t, isOpen)
	for _, name := range []string{"X-Forwarded-For", "Forwarded", "X-Real-IP", "Via", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Forwarded-Server", "CF-Connecting-IP", "True-Client-IP",
		"X-Forwarded", "X-Client-IP", "X-Cluster-Client-IP", "X-Envoy-External-Address", "X-Original-Forwarded-For", "Fly-Client-IP", "Fastly-Client-IP", "CDN-Loop", "X-Amzn-Trace-Id", "X-Azure-ClientIP"} {
		b := newBrowser(t, u)
		b.host = "127.0.0.1:8080"
		b.header.Set(name, "192.0.2.1")
		for _, target := range []string{"/ui/", "/ui/events", "/ui/nowhere", "/ui/signin"} {
			if res := b.get(target); res.StatusCode != 403 {
				t.Errorf("%s: %s: %d", name, target, res.StatusCode)
			}
		}
	}
	b := newBrowser(t, start(t, nil)).bearer(readToken)
	b.header.Set("X-Forwarded-For", "192.0.2.1")
	b.want(b.get("/ui/nowhere"), 404)
}

// A page whose own name leads here must not read it (DNS rebinding).
func TestOnlyOwnHostsAreServed(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Config)
		hosts  map[string]bool
	}{
		"loopback":             {isOpen, map[string]bool{"localhost:80": true, "127.0.0.1": true, "[::1]:9": true, "evil.example": false, "": false}},
		"loopback with tokens": {func(c *Config) { c.Open = true }, map[string]bool{"localhost:80": true, "evil.example": false}},
		"loopback with names": {func(c *Config) { isOpen(c); c.Hosts = []string{"Dash.example"} },
			map[string]bool{"dash.example:1": true, "localhost": true, "evil.example": false}},
		"other":            {nil, map[string]bool{"localhost:80": true, "evil.example": true}},
		"other with names": {func(c *Config) { c.Hosts = []string{"dash.example"} }, map[string]bool{"dash.example": true, "10.0.0.1": true, "evil.example": false}},
	} {
		u := start(t, c.change)
		for host, served := range c.hosts {
			for _, target := range []string{"/ui/", "/ui/signin", "/ui/assets/app.css", "/ui/events", "/ui/nowhere"} {
				b := newBrowser(t, u)
				b.host = host
				method := "GET"
				if target == "/ui/events" {
					method = "POST" // no stream
				}
				if res := b.send(method, target, nil, nil); (res.StatusCode != 403) != served {
					t.Errorf("%s: %s of %q: %d", name, target, host, res.StatusCode)
				}
			}
		}
	}
}

// A link on another site leads to the page, although the first request has no cookie.
func TestALinkOnAnotherSiteLeadsToThePage(t *testing.T) {
	b := newBrowser(t, start(t, nil))
	fromLink := func(r *http.Request) {
		r.Header.Set("Sec-Fetch-Site", "cross-site")
		r.Header.Set("Sec-Fetch-Mode", "navigate")
	}
	res := b.send("GET", "/ui/sdk/shop/flags?q=%22%3Cb", nil, fromLink)
	text := bodyOf(t, res)
	if res.StatusCode != 200 || res.Header.Get("Refresh") != "0; url=/ui/sdk/shop/flags?q=%22%3Cb" || !strings.Contains(text, `href="/ui/sdk/shop/flags?q=%22%3Cb"`) {
		t.Errorf("%d %v %s", res.StatusCode, res.Header, text)
	}
	if strings.Contains(text, ">shop<") {
		t.Errorf("it shows an SDK key: %s", text)
	}
	res = b.send("GET", "/ui/", nil, func(r *http.Request) { fromLink(r); r.Header.Set("Sec-Fetch-Site", "same-origin") })
	b.want(res, 303)
}

// Where no Actions are offered, no token has the right to them.
func TestATokenPutsNothingInForceOnServe(t *testing.T) {
	for acts, want := range map[bool]right{true: rightRead | rightControl, false: rightRead} {
		known := newTokens([]Token{{Secret: controlToken, Control: true}}, acts)
		if have := known.find(controlToken).viewer.rights; have != want {
			t.Errorf("Acts %v: rights %b, want %b", acts, have, want)
		}
	}
}

// However many wrong tokens were tried, at this address or at all others, a valid one is accepted: all
// people behind a proxy have one address.
func TestWrongTokensKeepNoValidOneOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := start(t, func(c *Config) { c.Observer = newObserver() })
		at := func(address string) func(*http.Request) {
			return func(r *http.Request) { r.RemoteAddr = address }
		}
		valid := func(address string) {
			t.Helper()
			newBrowser(t, u).want(newBrowser(t, u).bearer(readToken).send("GET", "/ui/nowhere", nil, at(address)), 404)
			b := newBrowser(t, u)
			form := url.Values{"csrf": {b.formToken("/ui/signin")}, "token": {controlToken}}
			b.want(b.send("POST", "/ui/signin", form, at(address)), 303)
			b.want(b.send("GET", "/ui/nowhere", nil, at(address)), 404)
		}
		for range 3 * maxAttempts {
			newBrowser(t, u).bearer(wrongToken).send("GET", "/ui/nowhere", nil, at("192.0.2.1:1"))
		}
		valid("192.0.2.1:2")
		for i := range 2 * maxAllAttempts {
			newBrowser(t, u).bearer(wrongToken).send("GET", "/ui/nowhere", nil, at(fmt.Sprintf("10.0.%d.%d:1", i>>8, i&255)))
		}
		if len(u.attempts.by) > maxAllAttempts {
			t.Errorf("%d clients are remembered", len(u.attempts.by))
		}
		valid("192.0.2.1:3")
		valid("10.0.0.1:1")
		valid("198.51.100.7:1")
		u.Drain(t.Context())
	})
}

// Each client learns of a few wrong tokens a minute that they are wrong, by whichever way they come.
// Then it is told to wait, and the log says so.
func TestManyWrongTokensAreToldToWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		u := start(t, func(c *Config) { c.Observer, c.Logger = newObserver(), slog.New(slog.NewTextHandler(&log, nil)) })
		b, script := newBrowser(t, u), newBrowser(t, u)
		for i := range maxAttempts {
			script.want(script.bearer(readToken).get("/ui/nowhere"), 404) // right ones do not count
			if i%2 == 0 {
				b.want(b.signIn(wrongToken), 401)
			} else {
				script.want(script.bearer(wrongToken).get("/ui/nowhere"), 401)
			}
		}
		for range 3 {
			res := b.signIn(wrongToken)
			b.want(res, 429)
			if text := bodyOf(t, res); res.Header.Get("Retry-After") != "61" && res.Header.Get("Retry-After") != "60" ||
				!strings.Contains(text, "A valid one is accepted at any time") || strings.Contains(text, wrongToken) {
				t.Errorf("%v %s", res.Header, text)
			}
			script.want(script.bearer(wrongToken).get("/ui/nowhere"), 429)
		}
		if said := log.String(); strings.Count(said, "wrong tokens") != 1 || strings.Contains(said, wrongToken) {
			t.Errorf("the log says %q", said)
		}
		script.want(script.send("GET", "/ui/nowhere", nil, func(r *http.Request) { r.RemoteAddr = "198.51.100.7:1" }), 401)
		time.Sleep(attemptsWithin)
		b.want(b.signIn(wrongToken), 401)
		u.Drain(t.Context())
	})
}

// A client certificate that serve has verified is a credential.
func TestAClientCertificateIsACredential(t *testing.T) {
	u := start(t, func(c *Config) { c.Process, c.Acts = "serve", false })
	r := httptest.NewRequestWithContext(t.Context(), "GET", "/ui/", nil)
	r.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{{}}}
	if _, err := u.identify(httptest.NewRecorder(), r); err == nil {
		t.Error("a certificate that is not verified is accepted")
	}
	r.TLS.VerifiedChains = [][]*x509.Certificate{{{Subject: pkix.Name{CommonName: "ops"}}}}
	if who, err := u.identify(httptest.NewRecorder(), r); err != nil || who.name != "ops" || !who.may(rightRead|rightExplain) || who.may(rightControl) {
		t.Errorf("%+v, %v", who, err)
	}
}

func TestNewRefusesAnIncompleteConfiguration(t *testing.T) {
	if _, err := New(Config{}); err == nil {
		t.Error("no error")
	}
}
