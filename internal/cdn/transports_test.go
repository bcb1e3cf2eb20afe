package cdn

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
)

// counted serves a config and counts the connections.
func counted(t *testing.T, body func() string) (srv *httptest.Server, connections *atomic.Int64) {
	t.Helper()
	connections = new(atomic.Int64)
	srv = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, body())
	}))
	srv.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	srv.Start()
	t.Cleanup(srv.Close)
	return srv, connections
}

func TestFetchersShareAFewConnections(t *testing.T) {
	srv, connections := counted(t, func() string { return wireConfig })
	shared := new(Transports)
	t.Cleanup(shared.Close)
	var fetchers []*Fetcher
	for range 300 {
		fetchers = append(fetchers, wireFetcher(t, Config{BaseURL: srv.URL, Transports: shared}))
	}
	for _, f := range fetchers[:50] {
		if _, err := f.Fetch(t.Context(), ""); err != nil {
			t.Fatal(err)
		}
		f.Close() // other fetchers use the connection
	}
	if n := connections.Load(); n != 1 {
		t.Errorf("%d connections for fetches one after the other, want 1", n)
	}
	var all sync.WaitGroup
	for _, f := range fetchers {
		all.Go(func() {
			if _, err := f.Fetch(t.Context(), ""); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := connections.Load(); n > sharedConns {
		t.Errorf("%d connections, want %d at most", n, sharedConns)
	}
}

// A fetcher that may not dial a private address must not receive a connection to one.
func TestFetchersShareOnlyConnectionsTheyMayDial(t *testing.T) {
	inner, _ := counted(t, func() string { return wireConfig })
	target, err := url.Parse(inner.URL)
	if err != nil {
		t.Fatal(err)
	}
	byName := "http://inner.test:" + target.Port()
	outer, _ := counted(t, func() string { return `{"p":{"u":"` + byName + `","r":2},"f":{}}` })
	shared := new(Transports)
	t.Cleanup(shared.Close)
	fetcher := func(cfg Config) *Fetcher {
		cfg.Transports = shared
		f := wireFetcher(t, cfg)
		f.own.DialContext = newDialer(f.cfg, f.configured, names(t, "127.0.0.1"))
		return f
	}
	if _, err := fetcher(Config{BaseURL: byName}).Fetch(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	redirected := Config{BaseURL: outer.URL, AllowedHosts: []string{"inner.test:" + target.Port()}}
	wantCode(t, fetcher(redirected), CodeNetwork)
	redirected.AllowPrivate = true
	if _, err := fetcher(redirected).Fetch(t.Context(), ""); err != nil {
		t.Errorf("where private addresses are allowed: %v", err)
	}
	redirected.AllowPrivate = false
	wantCode(t, fetcher(redirected), CodeNetwork)
}
