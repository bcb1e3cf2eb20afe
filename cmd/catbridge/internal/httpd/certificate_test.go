package httpd

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log/slog"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/catbridge/catbridge/internal/testenv/redistest"
)

// mutual is a server that needs certificates of clients, whose authorities a test replaces.
type mutual struct {
	*Server
	config  atomic.Pointer[tls.Config]
	waiting chan struct{} // receives a value when a request starts to wait
}

func startMutual(t *testing.T, server, clients *redistest.Authority) *mutual {
	t.Helper()
	m := &mutual{waiting: make(chan struct{}, 1)}
	own := server.Issue(t, "serve").TLS
	set := func(authority *redistest.Authority) *tls.Config {
		return &tls.Config{
			Certificates: []tls.Certificate{own}, NextProtos: []string{"h2", "http/1.1"},
			ClientCAs: authority.ClientConfig(t).RootCAs, ClientAuth: tls.VerifyClientCertIfGiven,
		}
	}
	m.config.Store(set(clients))
	s, err := NewServe(ServeConfig{
		Addr: "127.0.0.1:0", Drain: func(context.Context) {}, Report: func() ServeStatus { return ServeStatus{Ready: true} },
		Gateway: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/wait" {
				m.waiting <- struct{}{}
				<-r.Context().Done()
			}
			_, _ = io.WriteString(w, "config")
		}),
		TLS: m.config.Load, Authorized: func(string) bool { return false }, MaxConnections: 10, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	m.Server = s
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return m
}

// client returns a client that keeps its connection. Its certificate is of one authority, the
// server's of another.
func (m *mutual) client(t *testing.T, server, own *redistest.Authority, http2 bool) func(path string) (int, error) {
	transport := &http.Transport{ForceAttemptHTTP2: http2, MaxConnsPerHost: 1, TLSClientConfig: &tls.Config{
		RootCAs: server.ClientConfig(t).RootCAs, Certificates: []tls.Certificate{own.Issue(t, "client").TLS},
		ClientSessionCache: tls.NewLRUClientSessionCache(8),
	}}
	if !http2 {
		transport.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{}
	}
	t.Cleanup(transport.CloseIdleConnections)
	c := &http.Client{Transport: transport, Timeout: time.Minute}
	return func(path string) (int, error) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+m.Addr().String()+path, nil)
		if err != nil {
			return 0, err
		}
		res, err := c.Do(r)
		if err != nil {
			return 0, err
		}
		_, err = io.Copy(io.Discard, res.Body)
		_ = res.Body.Close()
		return res.StatusCode, err
	}
}

// setClients replaces the authorities of clients, as a reload does.
func (m *mutual) setClients(t *testing.T, authority *redistest.Authority) {
	next := m.config.Load().Clone()
	next.ClientCAs = nil
	if authority != nil {
		next.ClientCAs = authority.ClientConfig(t).RootCAs
	}
	m.config.Store(next)
}

// A certificate is no longer accepted once the authority that issued it was removed, also on the
// connections that are open and with sessions that are resumed.
func TestRemovedAuthoritiesCountOnOpenConnections(t *testing.T) {
	server, first, second := redistest.NewAuthority(t), redistest.NewAuthority(t), redistest.NewAuthority(t)
	for name, http2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
		t.Run(name, func(t *testing.T) {
			m := startMutual(t, server, first)
			get := m.client(t, server, first, http2)
			want := func(path string, status int) {
				t.Helper()
				if have, err := get(path); have != status {
					t.Errorf("%s: status %d, %v; want %d", path, have, err, status)
				}
			}
			want("/", http.StatusOK)
			want("/status", http.StatusNotFound) // it is off; without a certificate it would be 401

			m.setClients(t, second)
			if status, err := get("/"); status == http.StatusOK {
				t.Errorf("the certificate is accepted on an open connection: %d, %v", status, err)
			}
			if status, err := get("/"); status == http.StatusOK {
				t.Errorf("the certificate is accepted on a new connection: %d, %v", status, err)
			}
			m.setClients(t, first)
			want("/", http.StatusOK)

			// A held request ends at once, unless its certificate is still valid.
			ended := make(chan error, 1)
			go func() {
				_, err := get("/wait")
				ended <- err
			}()
			<-m.waiting
			m.CloseRevoked()
			select {
			case err := <-ended:
				t.Fatalf("a valid certificate's request ended: %v", err)
			default:
			}
			m.setClients(t, nil)
			m.CloseRevoked()
			if err := <-ended; err == nil {
				t.Error("a request that waits was answered after its certificate's authority was removed")
			}
		})
	}
}

// Connections of clients without a certificate, such as probes, stay.
func TestConnectionsWithoutACertificateStay(t *testing.T) {
	server, first := redistest.NewAuthority(t), redistest.NewAuthority(t)
	m := startMutual(t, server, first)
	conn, err := tls.Dial("tcp", m.Addr().String(), &tls.Config{RootCAs: server.ClientConfig(t).RootCAs})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ask := func() {
		t.Helper()
		if _, err := io.WriteString(conn, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		answer := make([]byte, 12)
		if _, err := io.ReadFull(conn, answer); err != nil || string(answer) != "HTTP/1.1 200" {
			t.Fatalf("%q, %v", answer, err)
		}
	}
	ask()
	m.setClients(t, server)
	m.CloseRevoked()
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	if _, err := io.ReadAtLeast(conn, make([]byte, 4096), 1); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(conn); err != nil || len(text) == 0 {
		t.Errorf("the connection ended: %q, %v", text, err)
	}
}

// A certificate expires on a connection that is open, too.
func TestACertificateIsVerifiedAgainWhenItExpires(t *testing.T) {
	authority := redistest.NewAuthority(t)
	leaf, err := x509.ParseCertificate(authority.Issue(t, "client").TLS.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	config := &tls.Config{ClientCAs: authority.ClientConfig(t).RootCAs}
	state := &tls.ConnectionState{PeerCertificates: []*x509.Certificate{leaf}}
	var c certificate
	for _, step := range []struct {
		at    time.Time
		valid bool
	}{{leaf.NotAfter.Add(-time.Hour), true}, {leaf.NotAfter.Add(-time.Minute), true}, {leaf.NotAfter.Add(time.Second), false}} {
		if valid := c.isValid(state, config, step.at); valid != step.valid {
			t.Errorf("%v before it expires: valid %v", leaf.NotAfter.Sub(step.at), valid)
		}
	}
	if !c.isRevoked(config, leaf.NotAfter.Add(2*time.Second)) {
		t.Error("the connection is not closed")
	}
	if new(certificate).isRevoked(config, time.Now()) {
		t.Error("a connection without a certificate is closed")
	}
}
