package httpd

import (
	"log/slog"
	"net"
	"net/http/httptest"
	"testing"
)

// DNS rebinding: a host name of a web page that resolves to this machine must not give access.
func TestALoopbackAddressAcceptsOnlyListedHosts(t *testing.T) {
	for _, c := range []struct {
		loopback bool
		hosts    []string
		host     string
		want     int
	}{
		{true, nil, "evil.example", 403},
		{true, nil, "evil.example:9090", 403},
		{true, nil, "localhost.evil.example", 403},
		{true, nil, "127.0.0.1.evil.example", 403},
		{true, nil, "", 403},
		{true, nil, "localhost", 200},
		{true, nil, "LocalHost:9090", 200},
		{true, nil, "localhost.", 200},
		{true, nil, "127.0.0.1:9090", 200},
		{true, nil, "10.1.2.3", 200},
		{true, nil, "[::1]:9090", 200},
		{true, nil, "[::1]", 200},
		{true, []string{"leader.internal"}, "Leader.internal:9090", 200},
		{true, []string{"leader.internal"}, "evil.example", 403},
		{true, []string{"leader.internal"}, "localhost", 200},
		{false, nil, "catbridge-0.catbridge:9090", 200},
		{false, nil, "evil.example", 200},
		{false, []string{"leader.internal"}, "evil.example", 403},
		{false, []string{"leader.internal"}, "leader.internal", 200},
		{false, []string{"leader.internal"}, "10.1.2.3:9090", 200},
	} {
		cfg := everything
		cfg.Leader, cfg.Logger, cfg.loopback, cfg.Hosts = fixedLeader{}, slog.New(slog.DiscardHandler), c.loopback, c.hosts
		for _, path := range []string{"/status", "/metrics", "/debug/pprof/", "/healthz", "/hook/main"} {
			r := httptest.NewRequestWithContext(t.Context(), "GET", path, nil)
			r.Host = c.host
			w := httptest.NewRecorder()
			newHandler(cfg).ServeHTTP(w, r)
			want := c.want
			if path == "/healthz" || path == "/hook/main" {
				want = 200
			}
			if w.Code != want {
				t.Errorf("%s of %q, loopback %v, hosts %q: %d, want %d", path, c.host, c.loopback, c.hosts, w.Code, want)
			}
		}
	}
	for addr, want := range map[string]bool{"127.0.0.1": true, "127.1.2.3": true, "::1": true, "0.0.0.0": false, "::": false, "10.0.0.1": false} {
		if got := onLoopback(&net.TCPAddr{IP: net.ParseIP(addr)}); got != want {
			t.Errorf("%s on loopback: %v", addr, got)
		}
	}
}

func TestAServerDetectsThatItListensOnLoopback(t *testing.T) {
	s, _ := start(t, Config{Status: true})
	for host, want := range map[string]string{"evil.example": "403", s.Addr().String(): "200", "localhost": "200"} {
		if got := exchange(t, s, "GET /status HTTP/1.1\r\nHost: "+host+"\r\nConnection: close\r\n\r\n"); len(got) != 1 || got[0] != want {
			t.Errorf("Host %s: %q, want %s", host, got, want)
		}
	}
}
