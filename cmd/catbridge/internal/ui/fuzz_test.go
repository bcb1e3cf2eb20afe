package ui

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// Whatever a cookie contains, only a session that a token started is one.
func FuzzSession(f *testing.F) {
	known := newTokens([]Token{{Secret: readToken, Read: true}}, true)
	others := newTokens([]Token{{Secret: wrongToken, Read: true}}, true)
	now := time.Unix(1_700_000_000, 0)
	valid := known[0].newSession(now)
	last := strings.IndexByte(alphabet, valid[len(valid)-1])
	other := valid[:len(valid)-1] + alphabet[last^1:last^1+1] // decodes to the same, unless the encoding is strict
	for _, text := range []string{valid, other, others[0].newSession(now), valid + "A", valid[1:], "", "=", strings.Repeat("_", len(valid))} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, id := known.session(text, now)
		if v == nil {
			return
		}
		want := sessionText.EncodeToString(append(id[:], mac(known[0].key, "session", id[:]...)...))
		if text != want {
			t.Errorf("%q is a session", text)
		}
	})
}

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// Whatever a flash contains, only what was kept for the viewer is shown.
func FuzzFlash(f *testing.F) {
	v := &viewer{key: []byte("key")}
	f.Add(sessionText.EncodeToString(append(mac(v.key, "flash", []byte("text")...)[:flashSign:flashSign], "text"...)))
	f.Add("")
	f.Add(strings.Repeat("A", 22))
	f.Fuzz(func(t *testing.T, value string) {
		text := v.flash(value)
		if text != "" && text != "text" {
			t.Errorf("%q shows %q", value, text)
		}
		if (&viewer{}).flash(value) != "" {
			t.Errorf("%q is shown to nobody", value)
		}
	})
}

// Wherever a request says that it comes from, the browser stays on the dashboard.
func FuzzLocalPath(f *testing.F) {
	for _, text := range []string{"/ui/", "/ui/sdk/a/flags?q=b", "//evil.example", "/ui//evil.example", "https://evil.example/ui/", "/ui/../x", `/ui/\evil`, "/ui/\n", "", "%2F", "/ui/#a", "/ui/?to=//x",
		"/ui/..//evil.example", "/ui/%2e%2e/x", "/ui/a/.%2E/../b", "/ui/./x", "/ui/sdk/a/flags/~..", "/ui/.."} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := localPath(text)
		parsed, err := url.Parse(got)
		if err != nil || parsed.Host != "" || parsed.Scheme != "" || !strings.HasPrefix(got, "/ui/") || strings.ContainsAny(got, "\\\r\n\t ") {
			t.Errorf("%q leads to %q", text, got)
			return
		}
		// What redirects and browsers make of it.
		w := httptest.NewRecorder()
		http.Redirect(w, httptest.NewRequestWithContext(t.Context(), "GET", "/ui/signin", nil), got, http.StatusSeeOther)
		resolved := (&url.URL{Scheme: "http", Host: "here", Path: "/ui/signin"}).ResolveReference(parsed)
		if to := w.Header().Get("Location"); !strings.HasPrefix(to, "/ui/") || resolved.Host != "here" || !strings.HasPrefix(resolved.Path, "/ui/") {
			t.Errorf("%q leads by %q to %q and %q", text, got, to, resolved)
		}
	})
}

// Every name can stand in a path.
func FuzzSegment(f *testing.F) {
	for _, name := range []string{"shop", "", ".", "..", "...", "a/b", "a//b", "/", "~", "~~", "a~", "%2e", "..%2f", "ä", "\xff", "a?b#c", `\`, " ", "\x00", "configcat-sdk-1/****/x"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		path := pathOf("flags", name, name)
		r := httptest.NewRequestWithContext(t.Context(), "GET", "/ui/", nil)
		parsed, err := url.ParseRequestURI(path)
		if err != nil {
			t.Fatalf("%q: %v", path, err)
		}
		r.URL = parsed
		var label, key string
		routes := http.NewServeMux()
		routes.HandleFunc("GET /ui/sdk/{sdk}/flags/{key...}", func(_ http.ResponseWriter, r *http.Request) {
			label, key = fromSegment(r.PathValue("sdk")), fromSegment(r.PathValue("key"))
		})
		w := httptest.NewRecorder()
		routes.ServeHTTP(w, r)
		if w.Code != 200 || label != name || key != name {
			t.Errorf("%q leads to %q and %q: %d", path, label, key, w.Code)
		}
	})
}
