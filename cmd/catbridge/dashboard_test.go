package main

import (
	"bufio"
	"context"
	"net/http"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	lookToken  = "looks-at-the-dashboard"
	ordersBoth = "looks-and-puts-in-force"
)

// browse requests a path without following redirects.
func browse(t *testing.T, method, address string, headers ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		r.Header.Set(name, value)
	}
	client := &http.Client{
		Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Minute,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	res, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var text strings.Builder
	if _, err := bufio.NewReader(res.Body).WriteTo(&text); err != nil {
		t.Fatal(err)
	}
	return res, text.String()
}

func wantPage(t *testing.T, address string, status int, part string, headers ...string) string {
	t.Helper()
	res, text := browse(t, "GET", address, headers...)
	if res.StatusCode != status || !strings.Contains(text, part) {
		t.Errorf("%s: %d, want %d and %q:\n%s", address, res.StatusCode, status, part, text)
	}
	return text
}

// openEvents opens the event stream, and returns a function that reports whether it ended.
func openEvents(t *testing.T, address string, headers ...string) (ended <-chan struct{}) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	r, err := http.NewRequestWithContext(ctx, "GET", address, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		r.Header.Set(name, value)
	}
	res, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(res.Body)
	for lines.Scan() && !strings.HasPrefix(lines.Text(), "data: ") {
	}
	if !strings.Contains(lines.Text(), `"hashes"`) {
		t.Fatalf("%d %q", res.StatusCode, lines.Text())
	}
	done := make(chan struct{})
	go func() {
		defer cancel()
		defer close(done)
		defer res.Body.Close()
		for lines.Scan() {
		}
		if ctx.Err() != nil {
			t.Error("the event stream does not end")
		}
	}()
	return done
}

// A leader's dashboard follows the settings: its SDK keys, and its tokens.
func TestALeaderServesTheDashboard(t *testing.T) {
	const common = "listen: 127.0.0.1:0\nui: true\nlog: {level: debug}\nsdk_keys:\n- {name: shop, key: " + testKey + "}\n"
	r := startReloads(t, common)
	r.logs(`A new config was published`)
	base := "http://" + regexp.MustCompile(`"listen":"([^"]+)"`).FindStringSubmatch(r.all())[1]
	wantPage(t, base+"/ui/", 200, "shop")
	text := wantPage(t, base+"/ui/sdk/shop/flags", 200, "Flags of shop")
	if !strings.Contains(text, "/ui/sdk/shop/actions") {
		t.Error("a leader offers no Actions")
	}
	wantPage(t, base+"/ui", 307, "")
	wantPage(t, base+"/ui/sdk/shop/actions", 403, "Actions need a token with the right control")
	for path, part := range map[string]string{"/metrics": `catbridge_leader_is_leader{sdk_key="shop"} 1`, "/healthz": "alive", "/status": `"name": "shop"`} {
		res, text := browse(t, "GET", base+path)
		if res.StatusCode != 200 || !strings.Contains(text, part) || res.Header.Get("Content-Security-Policy") != "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'" ||
			res.Header.Get("Referrer-Policy") != "no-referrer" || res.Header.Get("Cross-Origin-Opener-Policy") != "" {
			t.Errorf("%s: %d %v", path, res.StatusCode, res.Header)
		}
	}

	r.write("catbridge.yaml", common+"- {name: pay, key: "+otherTestKey+"}\n")
	r.logs(`changed settings are in effect`)
	wantPage(t, base+"/ui/", 200, "pay")
	wantPage(t, base+"/ui/sdk/pay/flags", 200, "Flags of pay")

	stream := openEvents(t, base+"/ui/events")
	r.write("tokens", lookToken+" sdks=pay rights=read name=ada\n"+ordersBoth+" rights=control\n")
	r.write("catbridge.yaml", "ui_token_files: [tokens]\n"+common+"- {name: pay, key: "+otherTestKey+"}\n")
	r.logs(`changed settings are in effect`)
	<-stream // nobody may look any more without a token
	wantPage(t, base+"/ui/", 303, "/ui/signin")
	wantPage(t, base+"/ui/", 200, "pay", "Authorization: Bearer "+lookToken)
	wantPage(t, base+"/ui/sdk/shop/flags", 404, "", "Authorization: Bearer "+lookToken)
	wantPage(t, base+"/ui/sdk/pay/actions", 403, "", "Authorization: Bearer "+lookToken)
	wantPage(t, base+"/ui/sdk/pay/actions", 200, "Actions", "Authorization: Bearer "+ordersBoth)
	wantPage(t, base+"/metrics", 200, "catbridge_leader_is_leader")

	r.write("tokens", ordersBoth+" rights=control\n")
	r.logs(`changed settings are in effect`)
	wantPage(t, base+"/ui/", 401, "", "Authorization: Bearer "+lookToken)
	r.write("catbridge.yaml", "ui_token_files: [tokens]\n"+common)
	r.logs(`changed settings are in effect`)
	wantPage(t, base+"/ui/sdk/pay/flags", 404, "", "Authorization: Bearer "+ordersBoth)
	stream = openEvents(t, base+"/ui/events", "Authorization: Bearer "+ordersBoth)
	r.signal(t, syscall.SIGTERM)
	<-stream
	<-r.ended
	if code := r.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if strings.Count(r.all(), "The dashboard needs no token: everybody on this machine may look at it.") != 1 {
		t.Error("the log does not say once who may look")
	}
	r.expect(t, 0, `"method":"GET","route":"GET /ui/sdk/\{sdk\}/flags","status":200`)
	for _, secret := range []string{"secretsecret", lookToken, ordersBoth, "/ui/sdk/shop"} {
		if strings.Contains(r.all(), secret) {
			t.Errorf("%q is in the log", secret)
		}
	}
}

// Serve shows the same without Actions, whatever a token may do elsewhere.
func TestServeServesTheDashboardWithoutActions(t *testing.T) {
	s := startServing(t, map[string]string{
		"tokens":     lookToken + " rights=read,explain\n" + ordersBoth + " rights=control\n" + configToken + "\n",
		"serve.yaml": "ui: true\nsdk_keys: [{name: shop, key: " + testKey + "}]\nserve: {listen: '0.0.0.0:0', token_files: [tokens], insecure: true}",
	})
	s.expect(t, 0, "has the right control, which has no effect here")
	_, port, _ := strings.Cut(strings.TrimPrefix(s.base, "http://[::]"), ":")
	s.base = "http://127.0.0.1:" + port
	s.ready()
	wantPage(t, s.base+"/ui/", 303, "/ui/signin")
	wantPage(t, s.base+"/ui/", 401, "", "Authorization: Bearer "+configToken)
	for _, token := range []string{lookToken, ordersBoth} {
		auth := "Authorization: Bearer " + token
		if text := wantPage(t, s.base+"/ui/sdk/shop/flags", 200, "Flags of shop", auth); strings.Contains(text, "/actions") {
			t.Error("serve offers Actions")
		}
		res, _ := browse(t, "POST", s.base+"/ui/sdk/shop/actions/force", auth, "Content-Type: application/x-www-form-urlencoded")
		if res.StatusCode != 403 && res.StatusCode != 404 {
			t.Errorf("force with %s: %d", token, res.StatusCode)
		}
	}
	s.want(configPath(testKey), 200, `"one"`)
	s.want("/metrics", 200, `catbridge_follower_rev{sdk_key="shop"}`)
	stream := openEvents(t, s.base+"/ui/events", "Authorization: Bearer "+lookToken)
	s.write("tokens", configToken+"\n")
	s.write("serve.yaml", "ui: true\nsdk_keys: [{name: shop, key: "+testKey+"}]\nserve: {listen: '0.0.0.0:0', token_files: [tokens], insecure: true}")
	s.mark = s.expect(t, s.mark, "the running ones stay in effect")
	s.write("tokens", ordersBoth+" rights=read\n")
	s.mark = s.expect(t, s.mark, "changed settings are in effect")
	<-stream
	stream = openEvents(t, s.base+"/ui/events", "Authorization: Bearer "+ordersBoth)
	s.interrupt(t)
	<-stream
}

// Without --ui the paths are those of the gateway, as before.
func TestTheDashboardIsOffByDefault(t *testing.T) {
	s := startServing(t, map[string]string{"serve.yaml": "sdk_keys: [{name: shop, key: " + testKey + "}]\nserve: {listen: '127.0.0.1:0'}"})
	s.ready()
	s.want("/ui/", 404, "")
	s.want("/ui/signin", 404, "")
	s.interrupt(t)
}

func TestADashboardForOthersNeedsTokens(t *testing.T) {
	startsPrograms(t)
	folder := t.TempDir()
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"a leader without an address": {[]string{"leader", "--ui"}, "--ui: the dashboard needs an address: give --listen"},
		"a leader without tokens":     {[]string{"leader", "--ui", "--listen", ":0"}, "no token has the right read, explain or control: give one in ui_token_files"},
		"serve without tokens":        {[]string{"serve", "--ui", "--listen", ":0"}, "no token has the right read, explain or control: give one in serve.token_files"},
		"a missing file":              {[]string{"leader", "--ui", "--listen", "127.0.0.1:0", "--ui-token-file", filepath.Join(folder, "none")}, "none"},
	} {
		cmd := exec.CommandContext(t.Context(), "catbridge", append(c.args, "--redis", "redis://127.0.0.1:1", "--sdk-key", "shop="+testKey)...)
		out, err := cmd.CombinedOutput()
		if err == nil || cmd.ProcessState.ExitCode() != 78 || !strings.Contains(string(out), c.want) {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
	}
}
