package cdn

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
)

// untouched is a server on loopback that must receive no connection.
func untouched(t *testing.T) *httptest.Server {
	t.Helper()
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, wireConfig)
	}))
	srv.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			t.Error("a connection to a place that is not allowed")
		}
	}
	srv.Start()
	t.Cleanup(srv.Close)
	return srv
}

func forced(to string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintf(w, `{"p":{"u":%q,"r":2},"f":{}}`, to) }
}

func TestRedirectDoesNotConnectToAPrivateAddress_F26(t *testing.T) {
	target := untouched(t).URL
	for _, to := range []string{target, strings.Replace(target, "127.0.0.1", "localhost", 1), "http://169.254.169.254", "http://[fe80::1]"} {
		for _, allowed := range [][]string{nil, {"127.0.0.1", "localhost", "169.254.169.254", "fe80::1"}} {
			f := wireFetcher(t, Config{BaseURL: serve(t, forced(to)).URL, AllowedHosts: allowed})
			if e := wantCode(t, f, CodeInvalidBody); !errors.Is(e, errRedirectRefused) {
				t.Errorf("%s: %v", to, e.Err)
			}
			moved := serve(t, func(w http.ResponseWriter, req *http.Request) {
				http.Redirect(w, req, to+"/x", http.StatusFound)
			})
			f = wireFetcher(t, Config{BaseURL: moved.URL, AllowedHosts: allowed})
			if e := wantCode(t, f, CodeUnexpectedStatus); !errors.Is(e, errRedirectRefused) || e.Status != 302 {
				t.Errorf("%s: %v", to, e.Err)
			}
		}
	}
}

func TestRedirectConnectsToAnAllowedPrivateAddress(t *testing.T) {
	target := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, wireConfig) })
	f := wireFetcher(t, Config{BaseURL: serve(t, forced(target.URL)).URL, AllowPrivate: true})
	if got, err := f.Fetch(t.Context(), ""); err != nil || got.Requests != 2 {
		t.Errorf("%+v, %v", got, err)
	}
}

// names answers every query for an A record with addr.
func names(t *testing.T, addr string) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		b := make([]byte, 512)
		for {
			n, from, err := conn.ReadFrom(b)
			if err != nil {
				return
			}
			end := 12 // end of the question: the header, then a name, type and class
			for b[end] != 0 {
				end += int(b[end]) + 1
			}
			end += 5
			answer := append([]byte{b[0], b[1], 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0}, b[12:end]...)
			if n >= end && b[end-3] == 1 { // type A
				answer[7] = 1
				ip := netip.MustParseAddr(addr).As4()
				answer = append(answer, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4)
				answer = append(answer, ip[:]...)
			}
			_, _ = conn.WriteTo(answer, from)
		}
	}()
	t.Cleanup(func() { _ = conn.Close(); <-done })
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", conn.LocalAddr().String())
	}}
}

// The check applies to the connected address, not to an earlier look-up.
func TestNameOfAPrivateAddressIsNotConnectedTo_F26(t *testing.T) {
	target := mustParse(untouched(t).URL)
	to := "http://rebind.example:" + target.Port()
	base := serve(t, forced(to)).URL
	f := wireFetcher(t, Config{BaseURL: base, AllowedHosts: []string{"rebind.example"}})
	resolver := names(t, "127.0.0.1")
	f.own.DialContext = newDialer(f.cfg, f.configured, resolver)
	e := wantCode(t, f, CodeNetwork)
	if !errors.Is(e, errRedirectRefused) || e.Requests != 2 {
		t.Errorf("%d requests: %v", e.Requests, e.Err)
	}
}

func TestBaseURLMayResolveToAPrivateAddress(t *testing.T) {
	target := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, wireConfig) })
	f := wireFetcher(t, Config{BaseURL: "http://CDN.internal.example:" + mustParse(target.URL).Port() + "/"})
	f.own.DialContext = newDialer(f.cfg, f.configured, names(t, "127.0.0.1"))
	if _, err := f.Fetch(t.Context(), ""); err != nil {
		t.Error(err, errors.Unwrap(err))
	}
}

func TestHTTPRedirectIsFollowedSilently(t *testing.T) {
	var base string
	srv := serve(t, func(w http.ResponseWriter, req *http.Request) {
		if req.Header.Get("Referer") != "" || req.Header.Get("If-None-Match") != `"1"` || req.Header.Get("X-ConfigCat-UserAgent") == "" {
			t.Errorf("header %v", req.Header)
		}
		switch {
		case strings.HasPrefix(req.URL.Path, "/old/"):
			http.Redirect(w, req, base+"/new"+strings.TrimPrefix(req.URL.Path, "/old")+"?a=b", http.StatusMovedPermanently)
		case req.URL.RawQuery == "a=b" && req.URL.Path == "/new/configuration-files/"+wireKey+"/config_v6.json":
			_, _ = io.WriteString(w, wireConfig)
		default:
			t.Errorf("asked for %v", req.URL)
		}
	})
	base = srv.URL
	f := wireFetcher(t, Config{BaseURL: base + "/old"})
	for range 2 { // only p.u is remembered
		if got, err := f.Fetch(t.Context(), `"1"`); err != nil || got.Requests != 2 {
			t.Errorf("%+v, %v", got, err)
		}
	}
}

func TestHTTPRedirectLoopIs1104_S87(t *testing.T) {
	srv := serve(t, func(w http.ResponseWriter, req *http.Request) {
		http.Redirect(w, req, req.URL.Path, http.StatusTemporaryRedirect)
	})
	if e := wantCode(t, wireFetcher(t, Config{BaseURL: srv.URL}), CodeRedirectLoop); e.Requests != 3 || e.Status != 307 {
		t.Errorf("%+v", e)
	}
}

func TestProxyWithPassword_S7(t *testing.T) {
	const user, password = "proxy-user", "pr0xy p@ss"
	want := "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
	var tunnelled atomic.Int32
	backend := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.Header.Get("Proxy-Authorization") != "" {
			t.Error("the proxy's password reached the server")
		}
		_, _ = io.WriteString(w, wireConfig)
	}))
	defer backend.Close()
	proxy := serve(t, func(w http.ResponseWriter, req *http.Request) {
		if got := req.Header.Get("Proxy-Authorization"); got != want {
			w.WriteHeader(http.StatusProxyAuthRequired)
			return
		}
		if req.Method != http.MethodConnect {
			if req.URL.Host != "cdn.example" {
				t.Errorf("asked for %v", req.URL)
			}
			_, _ = io.WriteString(w, wireConfig)
			return
		}
		tunnelled.Add(1)
		there, err := net.Dial("tcp", backend.Listener.Addr().String())
		if err != nil {
			t.Error(err)
			return
		}
		defer there.Close()
		here, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer here.Close()
		_, _ = io.WriteString(here, "HTTP/1.1 200 OK\r\n\r\n")
		go func() { _, _ = io.Copy(there, buffered); _ = there.Close() }()
		_, _ = io.Copy(here, there)
	})
	withUser := func(user *url.Userinfo) string {
		u := mustParse(proxy.URL)
		u.User = user
		return u.String()
	}
	f := wireFetcher(t, Config{BaseURL: "http://cdn.example", ProxyURL: withUser(url.UserPassword(user, password))})
	if _, err := f.Fetch(t.Context(), ""); err != nil {
		t.Error(err, errors.Unwrap(err))
	}

	f = wireFetcher(t, Config{BaseURL: "https://example.com", ProxyURL: withUser(url.UserPassword(user, password))})
	f.own.TLSClientConfig = &tls.Config{RootCAs: backend.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs}
	if _, err := f.Fetch(t.Context(), ""); err != nil || tunnelled.Load() != 1 {
		t.Error(err, errors.Unwrap(err), tunnelled.Load())
	}
	f.Close()

	f = wireFetcher(t, Config{BaseURL: "http://cdn.example", ProxyURL: withUser(url.UserPassword(user, "wrong"))})
	if e := wantCode(t, f, CodeUnexpectedStatus); e.Status != 407 {
		t.Errorf("%+v", e)
	}
	f = wireFetcher(t, Config{BaseURL: "https://example.com", ProxyURL: withUser(nil)})
	if e := wantCode(t, f, CodeNetwork); !strings.Contains(e.Err.Error(), "Proxy Authentication Required") {
		t.Errorf("%v", e.Err)
	}
}

func TestCertificateIsChecked(t *testing.T) {
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, wireConfig) }))
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.StartTLS()
	defer srv.Close()
	e := wantCode(t, wireFetcher(t, Config{BaseURL: srv.URL}), CodeNetwork)
	if _, ok := errors.AsType[*tls.CertificateVerificationError](e); !ok {
		t.Errorf("%v", e.Err)
	}
}
