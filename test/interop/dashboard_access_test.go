package interop

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The tokens of a tokenFile.
const (
	readToken     = "for-the-screen-in-the-hall"
	explainToken  = "for-the-support-of-the-shop"
	controlToken  = "for-the-operators-on-call"
	billingToken  = "for-the-team-of-billing"
	evaluateToken = "for-the-pages-of-the-shop"
	adminToken    = "for-the-admins-of-the-bridge"
)

// tokenFile writes a file with tokens, and returns its path.
func tokenFile(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "tokens")
	writeTokens(t, path, readToken, explainToken, controlToken, billingToken, evaluateToken, adminToken)
	return path
}

func writeTokens(t *testing.T, path string, tokens ...string) {
	t.Helper()
	options := map[string]string{
		readToken: "rights=read name=hall", explainToken: "rights=explain name=support", controlToken: "rights=control name=oncall",
		billingToken: "rights=read sdks=billing name=billing", evaluateToken: "rights=evaluate", adminToken: "rights=explain,control name=admin",
	}
	var lines strings.Builder
	for _, token := range tokens {
		lines.WriteString(token + " " + options[token] + "\n")
	}
	if err := os.WriteFile(path+".new", []byte(lines.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil { // as editors do
		t.Fatal(err)
	}
}

// signIn fills in the form of the sign-in page.
func (p *tab) signIn(token string) {
	p.Helper()
	p.fill("input[name=token]", token)
	p.click("role=button[name='Sign in']", "")
}

func TestDashboardSignsIn(t *testing.T) {
	t.Parallel()
	f := startShop(t, fleetOptions{keys: []string{"shop", "billing"}, tokens: tokenFile(t)})
	v := startViewer(t)
	leader, _ := f.leading()

	p := v.open(t, leader.url("/ui/sdk/shop/history?flag=bannerText"), tabOptions{})
	p.await("h1", "Sign in")
	for _, token := range []string{"not-a-token-of-this-process", evaluateToken, "x"} {
		p.signIn(token)
		p.await("[role=alert]", "The token is not valid here, or has no right to the dashboard.")
		p.wantAccessible("a wrong token")
		if strings.Contains(p.url(), token) {
			t.Errorf("the token is in the URL %s", p.url())
		}
	}
	p.signIn(readToken)
	p.await("h1", "history")
	if !strings.HasSuffix(p.url(), "/ui/sdk/shop/history?flag=bannerText") {
		t.Errorf("after signing in, the page is %s", p.url())
	}
	if cookies := p.run("document.cookie"); cookies != "" {
		t.Errorf("scripts can read the cookies %v", cookies)
	}
	var cookies []struct {
		Name, Value, Path, SameSite string
		HTTPOnly                    bool
	}
	p.do("cookies", nil, &cookies)
	if len(cookies) == 0 {
		t.Error("there is no session")
	}
	for _, c := range cookies {
		if !c.HTTPOnly || c.SameSite != "Strict" || c.Path != "/ui/" || strings.Contains(c.Value, readToken) {
			t.Errorf("cookie %+v", c)
		}
	}

	// Signing out ends the session in every tab and on the server.
	second := v.open(t, leader.url("/ui/sdk/shop/flags"), tabOptions{visitor: p})
	second.await("main tr", "bannerText")
	p.click("role=button[name='Sign out']", "")
	p.await("main", "You are signed out")
	second.await("#banner", "You are signed out")
	if status := request(t, leader, "/ui/", map[string]string{"Cookie": cookies[0].Name + "=" + cookies[0].Value}).StatusCode; status != http.StatusSeeOther {
		t.Errorf("the session that was ended is answered with %d", status)
	}
	second.click("#banner >> role=link[name='Sign in']", "")
	second.signIn(readToken)
	second.await("main tr", "bannerText")
}

func TestDashboardShowsWhatEachRightAllows(t *testing.T) {
	t.Parallel()
	f := startShop(t, fleetOptions{keys: []string{"shop", "billing"}, tokens: tokenFile(t)})
	v := startViewer(t)
	leader, _ := f.leading()
	for _, c := range []struct {
		process                *dashboardProcess
		token                  string
		shop, explain, control bool
	}{
		{leader, readToken, true, false, false}, {leader, explainToken, true, true, false}, {leader, controlToken, true, false, true}, {leader, billingToken, false, false, false},
		{f.serve, explainToken, true, true, false}, {f.serve, controlToken, true, false, false}, // which never acts
	} {
		p := v.open(t, c.process.url("/ui/"), tabOptions{})
		p.signIn(c.token)
		p.await("main", "billing")
		name := c.token + " " + strings.Join(c.process.args[:1], "")
		if p.has("main", `\bshop\b`) != c.shop {
			t.Errorf("%s: the overview shows shop: %t", name, !c.shop)
		}
		label := map[bool]string{true: "shop", false: "billing"}[c.shop]
		if status := p.goTo(c.process.url("/ui/sdk/" + label + "/flags/newCheckout")); status != http.StatusOK {
			t.Errorf("%s: the page of a flag is answered with %d", name, status)
		}
		p.await("h1", "newCheckout")
		if p.has("main form[action$='/explain']", "") != c.explain {
			t.Errorf("%s: the form to explain is there: %t", name, !c.explain)
		}
		if p.has("nav >> role=link[name='Actions']", "") != c.control {
			t.Errorf("%s: Actions are offered: %t", name, !c.control)
		}
		status := p.goTo(c.process.url("/ui/sdk/" + label + "/actions"))
		if (status == http.StatusOK) != c.control || status >= 500 {
			t.Errorf("%s: Actions are answered with %d", name, status)
		}
		p.await("h1", "")
		p.wantAccessible("without the right")
		if !c.shop {
			for _, path := range []string{"/ui/sdk/shop/flags", "/ui/sdk/shop/fleet", "/ui/sdk/shop/history", "/ui/sdk/shop/flags/newCheckout"} {
				if status := p.goTo(c.process.url(path)); status != http.StatusNotFound {
					t.Errorf("%s: %s is answered with %d", name, path, status)
				}
				if p.has("main", "newCheckout") {
					t.Errorf("%s: %s shows another SDK key", name, path)
				}
			}
		}
	}
}

// TestDashboardEndsSessionsOfARemovedToken removes a token from its file while pages are open.
func TestDashboardEndsSessionsOfARemovedToken(t *testing.T) {
	t.Parallel()
	path := tokenFile(t)
	f := startShop(t, fleetOptions{keys: []string{"shop", "billing"}, tokens: path})
	v := startViewer(t)
	leader, _ := f.leading()
	removed, kept := v.open(t, leader.url("/ui/"), tabOptions{}), v.open(t, leader.url("/ui/"), tabOptions{})
	removed.signIn(readToken)
	kept.signIn(controlToken)
	for _, p := range []*tab{removed, kept} {
		p.await("main", "shop")
		p.mark()
	}
	writeTokens(t, path, controlToken, billingToken)
	removed.await("#banner", "You are signed out")
	f.change("shop", "Free shipping!", "Free delivery!")
	kept.await("main", "bannerText")
	kept.wantMarked()
	if removed.has("main", "Free delivery!") {
		t.Error("the page of a removed token shows a later change")
	}
	removed.reload()
	removed.await("h1", "Sign in")
	removed.signIn(readToken)
	removed.await("[role=alert]", "not valid")
}

// TestDashboardAnswersNobodyWithoutACredential requests every page, and what is not part of the dashboard.
func TestDashboardAnswersNobodyWithoutACredential(t *testing.T) {
	t.Parallel()
	f := startShop(t, fleetOptions{keys: []string{"shop", "billing"}, tokens: tokenFile(t)})
	leader, _ := f.leading()
	for _, p := range []*dashboardProcess{leader, f.serve} {
		for _, path := range append(dashboardPages(f), "/ui/events", "/ui/other", "/ui/sdk/none/flags") {
			for name, headers := range map[string]map[string]string{
				"nothing": {}, "a wrong token": {"Authorization": "Bearer not-a-token-of-this-process"}, "a token without a right": {"Authorization": "Bearer " + evaluateToken},
				"a forged session": {"Cookie": "catbridge=AAAA"}, "a fragment": {"Catbridge-Fragment": "main"},
			} {
				res := request(t, p, path, headers)
				body, err := io.ReadAll(res.Body)
				if err != nil || !slices.Contains([]int{http.StatusSeeOther, http.StatusUnauthorized, http.StatusTooManyRequests}, res.StatusCode) || strings.Contains(string(body), "bannerText") || strings.Contains(string(body), "billing") {
					t.Errorf("%s with %s: %s %s %v", path, name, res.Status, body, err)
				}
			}
		}
		if res := request(t, p, "/healthz", nil); res.StatusCode != http.StatusOK {
			t.Errorf("/healthz: %s", res.Status)
		}
	}
}

// request makes a request, whose redirects are not followed.
func request(t *testing.T, p *dashboardProcess, path string, headers map[string]string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.url(path), nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range headers {
		r.Header.Set(name, value)
	}
	res, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = res.Body.Close() })
	return res
}
