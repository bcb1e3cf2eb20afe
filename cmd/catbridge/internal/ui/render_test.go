package ui

import (
	"bytes"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/observe"
)

// Every answer has the headers that keep browsers from running or keeping what is not the
// dashboard's own.
func TestEveryAnswerHasTheHeaders(t *testing.T) {
	u := start(t, nil)
	targets := []string{"GET /ui/signin", "GET /ui/", "GET /ui/nowhere", "POST /ui/signin", "POST /ui/signout", "GET /ui/assets/app.css", "GET /ui/assets/x", "GET /ui/events", "PUT /ui/signin"}
	for target := range u.paths() {
		targets = append(targets, target)
	}
	for _, token := range []string{"", readToken, wrongToken} {
		for _, target := range targets {
			if token == readToken && target == "GET /ui/events" {
				continue // does not end
			}
			b := newBrowser(t, u)
			if token != "" {
				b.bearer(token)
			}
			method, path, _ := strings.Cut(target, " ")
			res := b.send(method, path, nil, nil)
			for name, want := range map[string]string{
				"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
				"X-Content-Type-Options":  "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "same-origin",
				"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
				"Access-Control-Allow-Origin": "",
			} {
				if have := res.Header.Get(name); have != want {
					t.Errorf("%s: %s: %q", target, name, have)
				}
			}
			if have := res.Header.Get("Cache-Control"); have != "no-store" && !strings.HasPrefix(path, "/ui/assets/") {
				t.Errorf("%s: Cache-Control: %q", target, have)
			}
			if text := bodyOf(t, res); strings.Contains(text, "<style") || strings.Contains(text, " style=") || strings.Contains(text, "javascript:") || strings.Contains(text, "<script>") {
				t.Errorf("%s contains something inline: %s", target, text)
			}
		}
	}
}

const evil = `"><script>alert('x')</script>&{{.}}`

// Names and messages are text on every page.
func TestNamesAndMessagesAreText(t *testing.T) {
	v := fresh(evil)
	v.Err = "error " + evil
	u := start(t, func(c *Config) {
		c.Observer = newObserver(v, fresh("pay"))
		c.Version = evil
		c.Tokens = []Token{{Secret: readToken, Name: evil, Read: true}}
	})
	u.page("GET /ui/sdk/{sdk}/test", rightRead, func(r *request) (*page, error) {
		return nil, notFoundf("There is no flag %s.", r.URL.Query().Get("q"))
	})
	u.page("GET /ui/sdk/{sdk}/data", rightRead, func(*request) (*page, error) {
		return &page{title: evil, nav: "flags", template: "error.html", data: evil}, nil
	})
	b := newBrowser(t, u)
	b.signIn(readToken)
	for _, target := range []string{"/ui/", "/ui/nowhere", pathOf("test", evil) + "?q=%3Cscript%3E1", pathOf("data", evil), "/ui/signin?to=%22%3E%3Cscript%3E"} {
		res := b.get(target)
		text := bodyOf(t, res)
		if strings.Contains(text, "<script>") || strings.Contains(text, `"><`+"script") {
			t.Errorf("%s: %s", target, text)
		}
		if strings.HasPrefix(target, pathOf("data", evil)) && (res.StatusCode != 200 || strings.Count(text, "alert(&#39;x&#39;)") < 5) {
			t.Errorf("%s: %d %s", target, res.StatusCode, text)
		}
	}
}

// No page and no line of the log contains a token, an SDK key, or what a form sent.
func TestNothingShowsSecrets(t *testing.T) {
	var log bytes.Buffer
	u := start(t, func(c *Config) {
		c.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	u.post("POST /ui/sdk/{sdk}/fails", rightRead, func(r *request) (*page, error) {
		return nil, http.ErrBodyNotAllowed
	})
	b := newBrowser(t, u)
	var all strings.Builder
	note := func(res *http.Response) {
		all.WriteString(bodyOf(t, res))
		for name, values := range res.Header {
			all.WriteString(name + ": " + strings.Join(values, " ") + "\n")
		}
	}
	note(b.signIn(wrongToken))
	note(b.signIn(bothToken))
	for target, to := range u.paths() {
		method, path, _ := strings.Cut(target, " ")
		var form map[string][]string
		if to.isForm {
			form = map[string][]string{"csrf": {b.formToken("/ui/nowhere")}, "id": {"user-of-the-form"}, "user": {"user-of-the-form"}}
		}
		res := b.send(method, path, form, nil)
		if to.pattern == "POST /ui/sdk/{sdk}/fails" {
			b.want(res, 500)
			if text := bodyOf(t, res); strings.Contains(text, http.ErrBodyNotAllowed.Error()) {
				t.Errorf("the page shows an internal error: %s", text)
			}
			continue
		}
		if to.isForm {
			continue // it shows the user to whom it was sent by
		}
		note(res)
	}
	text := all.String() + log.String()
	for _, secret := range []string{bothToken, wrongToken, readToken, sdkSecret, "user-of-the-form"} {
		if strings.Contains(text, secret) {
			t.Errorf("%q is shown", secret)
		}
	}
	if !strings.Contains(log.String(), http.ErrBodyNotAllowed.Error()) {
		t.Errorf("the log does not say what failed: %s", log.String())
	}
}

// A module receives only what changes.
func TestAFragmentIsOnlyTheContent(t *testing.T) {
	u := start(t, nil)
	u.page("GET /ui/sdk/{sdk}/test", rightRead, func(*request) (*page, error) {
		return &page{title: "Test", template: "error.html", data: "content"}, nil
	})
	b := newBrowser(t, u).bearer(readToken)
	fragment := func(r *http.Request) { r.Header.Set("Catbridge-Fragment", "main") }
	text := bodyOf(t, b.send("GET", "/ui/sdk/shop/test", nil, fragment))
	if !strings.Contains(text, "content") || strings.Contains(text, "<html") || strings.Contains(text, "<nav") || strings.Contains(text, "<main") {
		t.Errorf("%s", text)
	}
	whole := bodyOf(t, b.get("/ui/sdk/shop/test"))
	for _, part := range []string{"<html", `data-live`, `data-sdk="shop"`, `data-hash="hash-0"`, "content", `href="/ui/sdk/shop/flags"`} {
		if !strings.Contains(whole, part) {
			t.Errorf("the page lacks %s: %s", part, whole)
		}
	}
	b.want(b.send("GET", "/ui/sdk/missing/test", nil, fragment), 404)
}

// The files of all pages together are small.
func TestTheFilesAreSmall(t *testing.T) {
	total := 0
	for _, dir := range []string{"assets", "templates"} {
		files := assetFiles
		if dir == "templates" {
			files = templateFiles
		}
		entries, err := files.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, entry := range entries {
			info, err := entry.Info()
			if err != nil {
				t.Fatal(err)
			}
			total += int(info.Size())
		}
	}
	t.Logf("%d bytes", total)
	if total > 100_000 {
		t.Errorf("%d bytes", total)
	}
}

// Browsers keep a file until its content changes, and no longer.
func TestFilesAreKeptByTheirVersion(t *testing.T) {
	u := start(t, nil)
	b := newBrowser(t, u)
	for name := range u.assets {
		address, err := u.assets.url(name)
		if err != nil {
			t.Fatal(err)
		}
		res := b.get(address)
		b.want(res, 200)
		if res.Header.Get("Cache-Control") != "public, max-age=31536000, immutable" || res.Header.Get("Content-Type") != u.assets[name].kind {
			t.Errorf("%s: %v", name, res.Header)
		}
		res = b.get("/ui/assets/" + name)
		if res.Header.Get("Cache-Control") != "no-cache" || bodyOf(t, res) != string(u.assets[name].data) {
			t.Errorf("%s: %v", name, res.Header)
		}
		etag := res.Header.Get("Etag")
		b.want(b.send("GET", "/ui/assets/"+name, nil, func(r *http.Request) { r.Header.Set("If-None-Match", etag) }), 304)
	}
	if _, err := u.assets.url("missing"); err == nil {
		t.Error("the address of a missing file")
	}
}

func TestTimesDurationsAndSizesAreReadable(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0 ms", 850 * time.Millisecond: "850 ms", 4260 * time.Millisecond: "4.2 s", 59 * time.Second: "59 s", 60 * time.Second: "1 min",
		185 * time.Second: "3 min 5 s", 130 * time.Minute: "2 h 10 min", 99 * time.Hour: "4 d 3 h", -2 * time.Second: "-2.0 s", 9999 * time.Millisecond: "9.9 s",
	} {
		if have := dur(d); have != want {
			t.Errorf("%v: %q, want %q", d, have, want)
		}
	}
	for n, want := range map[int]string{0: "0 B", 999: "999 B", 1000: "1 kB", 1234: "1.23 kB", 999_499: "999 kB", 999_999: "1.0 MB", 5_550_000: "5.5 MB"} {
		if have := byteCount(n); have != want {
			t.Errorf("%d: %q, want %q", n, have, want)
		}
	}
	when := time.Date(2026, 11, 30, 22, 4, 5, 600_000_000, time.FixedZone("x", 3600))
	if have := at(when); have != `<time datetime="2026-11-30T21:04:05.600Z">2026-11-30 21:04:05 UTC</time>` {
		t.Error(have)
	}
	if have := ago(when, when.Add(time.Minute)); have != `<time datetime="2026-11-30T21:04:05.600Z" title="2026-11-30 21:04:05 UTC">1 min ago</time>` {
		t.Error(have)
	}
	if at(time.Time{}) != "–" || ago(time.Time{}, when) != "–" || short("0123456789") != "01234567" || short("01") != "01" {
		t.Error("the zero values")
	}
}

var _ Observer = (*observe.Observer)(nil)
