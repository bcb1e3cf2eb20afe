package interop

import (
	"cmp"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
	"github.com/catbridge/catbridge/internal/testenv/missing"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
)

// browserFetchers are the ways in which the SDK for browsers makes requests, see browser.mjs.
var browserFetchers = []string{"xhr", "fetch", "headers"}

// TestChromiumFollowsLeadersThroughServe runs the SDK for browsers in pages of another origin, with
// the requests held and not.
func TestChromiumFollowsLeadersThroughServe(t *testing.T) {
	t.Parallel()
	chromium := startBrowser(t)
	server, cdn := redistest.Start(t), fakecdn.New()
	_, refresh := startLeader(t, server.Client(t, nil), cdn)
	held := startServe(t, server, "--hold", "5s", "--origin", chromium.site)
	polled := startServe(t, server, "--origin", chromium.site)
	secure := startSecureServe(t, server, "--hold", "5s", "--origin", chromium.site)
	var sdks group
	for _, fetcher := range browserFetchers {
		sdks.add(fetcher+", held with TLS", chromium.open(t, page{baseURL: secure.url(), fetcher: fetcher}))
		sdks.add(fetcher+", held", chromium.open(t, page{baseURL: held.url(), fetcher: fetcher}))
		sdks.add(fetcher, chromium.open(t, page{baseURL: polled.url(), fetcher: fetcher}))
	}
	publish := func() {
		t.Helper()
		version := cdn.Publish()
		refresh()
		sdks.receive(t, version)
	}
	sdks.receive(t, 1)
	for _, s := range []*serveProcess{held, secure} {
		s.holds(t, len(browserFetchers))
	}
	publish()
	for _, s := range []*serveProcess{held, secure, polled} {
		if s.answers(t, http.StatusNoContent) == 0 {
			t.Error("no preflight: the test does not test what it should")
		}
	}
	for _, s := range []*serveProcess{held, secure} {
		s.end(t, os.Interrupt)
		s.start(t)
	}
	publish()

	other := strings.Replace(chromium.site, "127.0.0.1", "localhost", 1)
	if r := chromium.open(t, page{site: other, baseURL: polled.url(), mode: "manual"}).ask(t, ""); len(r.Flags) > 0 || len(r.Errors) == 0 {
		t.Errorf("a page of an origin that is not allowed has %+v", r)
	}
}

// TestEveryPageOfAVisitorReceivesChangesThroughServe has pages that share the HTTP cache of their
// browser, where answers to the other pages are. They have different ports, and so the same site but
// different origins: in one origin the SDKs also share their configs, and a page may go back to the
// config that another one stores.
func TestEveryPageOfAVisitorReceivesChangesThroughServe(t *testing.T) {
	t.Parallel()
	chromium := startBrowser(t)
	server, cdn := redistest.Start(t), fakecdn.New()
	_, refresh := startLeader(t, server.Client(t, nil), cdn)
	var sites, args []string
	for range 4 {
		site := startSite(t)
		sites, args = append(sites, site), append(args, "--origin", site)
	}
	serve := startServe(t, server, append(args, "--hold", "5s")...)

	for _, site := range sites[:2] { // these pages ask only once
		group{chromium.open(t, page{visitor: "one", site: site, baseURL: serve.url(), interval: "3600"})}.receive(t, 1)
	}
	if n := serve.streams(t).Held; n != 0 {
		t.Error("a new page waited for a config that the browser has")
	}
	if serve.answers(t, http.StatusNotModified) == 0 {
		t.Error("the browser's cache was not used: the test does not test what it should")
	}

	var sdks group
	for _, site := range sites {
		sdks.add(site, chromium.open(t, page{visitor: "other", site: site, baseURL: serve.url()}))
	}
	sdks.receive(t, 1)
	for range 2 {
		version := cdn.Publish()
		refresh()
		sdks.receive(t, version)
	}
}

// browser is a running Chromium. Its method open must not be called concurrently.
type browser struct {
	process
	site  string // the origin of the page in which the SDK runs
	pages sync.Map
	count int
}

// page is the official SDK for browsers in a page, see browser.mjs.
type page struct {
	visitor  string // empty: a new one
	site     string // empty: the site of the browser
	sdkKey   string // empty: the constant sdkKey
	baseURL  string
	fetcher  string // empty: xhr
	mode     string // empty: auto
	interval string // in seconds; empty: 1
	token    string // with the fetcher ofrep
	context  string // with the fetcher ofrep: JSON; empty: an empty object
}

// startBrowser starts Chromium, and serves the page. Both end with the test.
func startBrowser(t *testing.T) *browser {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), node(t), "browser.mjs", chromium(t))
	// Chromium's profile is in the folder for temporary files.
	cmd.Env = append(os.Environ(), "TMPDIR="+t.TempDir())
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) } // it ends Chromium
	cmd.WaitDelay = time.Minute
	b := &browser{process: startLines(t, cmd), site: startSite(t)}
	go func() {
		for b.lines.Scan() {
			number, line, _ := strings.Cut(b.lines.Text(), " ")
			if lines, ok := b.pages.Load(number); ok {
				lines.(chan string) <- line
			}
		}
		for _, lines := range b.pages.Range {
			close(lines.(chan string))
		}
	}()
	return b
}

// open opens a page and starts the SDK in it.
func (b *browser) open(t *testing.T, p page) *httpSDK {
	t.Helper()
	number := strconv.Itoa(b.count)
	b.count++
	lines := make(chan string, 1000) // more than a test makes a page print
	b.pages.Store(number, lines)
	write := func(more map[string]any) error {
		more["page"] = number
		_, err := io.WriteString(b.in, jsonText(more)+"\n")
		return err
	}
	if err := write(map[string]any{"open": map[string]string{
		"visitor": cmp.Or(p.visitor, "of page "+number), "site": cmp.Or(p.site, b.site), "baseUrl": p.baseURL, "sdkKey": cmp.Or(p.sdkKey, sdkKey),
		"fetcher": cmp.Or(p.fetcher, "xhr"), "mode": cmp.Or(p.mode, "auto"), "interval": cmp.Or(p.interval, "1"),
		"token": p.token, "context": cmp.Or(p.context, "{}"),
	}}); err != nil {
		t.Fatalf("Chromium ended: %v\n%s", err, b.stderr)
	}
	return &httpSDK{
		name:  "page " + number,
		write: func(line string) error { return write(map[string]any{"line": line}) },
		next: func() ([]byte, error) {
			line, ok := <-lines
			if !ok {
				return nil, fmt.Errorf("Chromium ended\n%s", b.stderr) //nolint:staticcheck // a name
			}
			return []byte(line), nil
		},
	}
}

// chromium returns the program, and ends the test if it is missing.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium-headless-shell", "chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	missing.Skip(t, "Chromium is missing: install the Debian package chromium-headless-shell")
	return ""
}

// startSite serves the page in which browser.mjs runs the SDK, and returns its origin. It ends with
// the test.
func startSite(t *testing.T) string {
	t.Helper()
	files := map[string]string{
		"/sdk.js": "node_modules/@configcat/sdk/dist/configcat.browser.esm.js", "/client.mjs": "client.mjs", "/openfeature.mjs": "openfeature.mjs",
	}
	modules := map[string]string{}
	for name, file := range map[string]string{
		"core": "core/dist/esm/index.js", "web-sdk": "web-sdk/dist/esm/index.js", "ofrep-web-provider": "ofrep-web-provider/index.esm.js",
		"ofrep-core": "ofrep-web-provider/node_modules/@openfeature/ofrep-core/index.esm.js",
	} {
		modules["@openfeature/"+name] = "/" + name + ".js"
		files["/"+name+".js"] = "node_modules/@openfeature/" + file
	}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch file := files[r.URL.Path]; {
		case file != "":
			w.Header().Set("Content-Type", "text/javascript")
			http.ServeFile(w, r, file)
		case r.URL.Path == "/":
			_, _ = io.WriteString(w, "<!doctype html><title>A site with flags</title><script type=importmap>"+jsonText(map[string]any{"imports": modules})+"</script>")
		default:
			http.NotFound(w, r)
		}
	}))
	t.Cleanup(web.Close)
	return web.URL
}
