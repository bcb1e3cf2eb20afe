package cdn

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/catbridge/catbridge/internal/testenv/memory"
)

const (
	wireKey    = "configcat-sdk-1/TEST_KEY-0123456789012/1234567890123456789012"
	wireConfig = `{"f":{"test":{"t":0,"v":{"b":true}}}}`
)

func serve(t *testing.T, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	srv := httptest.NewServer(handler)
	t.Cleanup(srv.Close)
	return srv
}

func wireFetcher(t *testing.T, cfg Config) *Fetcher {
	t.Helper()
	cfg.SDKKey = wireKey
	f, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	return f
}

func wantCode(t *testing.T, f *Fetcher, code int) *Error {
	t.Helper()
	resp, err := f.Fetch(t.Context(), "")
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Code != code {
		t.Fatalf("%+v, %v (%v); want %d", resp, err, errors.Unwrap(err), code)
	}
	return e
}

func zipped(parts ...string) []byte {
	var b bytes.Buffer
	for _, part := range parts {
		w := gzip.NewWriter(&b)
		_, _ = io.WriteString(w, part)
		_ = w.Close()
	}
	return b.Bytes()
}

// raw answers each connection's first request with bytes, and closes the connection.
func raw(t *testing.T, answer string) (base string, connections *atomic.Int32) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	connections = new(atomic.Int32)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			connections.Add(1)
			// Closing with unread bytes would reset the connection.
			var request []byte
			for b := make([]byte, 1<<10); !bytes.HasSuffix(request, []byte("\r\n\r\n")); {
				n, err := conn.Read(b)
				if err != nil {
					break
				}
				request = append(request, b[:n]...)
			}
			_, _ = io.WriteString(conn, answer)
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() { _ = listener.Close(); <-done })
	return "http://" + listener.Addr().String(), connections
}

func TestGzip(t *testing.T) {
	srv := serve(t, func(w http.ResponseWriter, req *http.Request) {
		if req.Header.Get("Accept-Encoding") != "gzip" {
			t.Errorf("Accept-Encoding %q", req.Header.Values("Accept-Encoding"))
		}
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Set("ETag", `W/"z"`)
		_, _ = w.Write(zipped(wireConfig[:10], wireConfig[10:]))
	})
	f := wireFetcher(t, Config{BaseURL: srv.URL})
	for range 2 {
		if got, err := f.Fetch(t.Context(), ""); err != nil || string(got.JSON) != wireConfig || got.ETag != `W/"z"` {
			t.Errorf("%s, %v", got.JSON, err)
		}
	}
}

func TestBadGzipIs1105_F26(t *testing.T) {
	whole := zipped(wireConfig)
	flipped := bytes.Clone(whole)
	flipped[len(flipped)-5] ^= 1
	for name, body := range map[string][]byte{
		"cut off": whole[:len(whole)-9], "flipped": flipped, "empty": {}, "of nothing": zipped(""),
		"of HTML": zipped("<html>"), "of gzip": zipped(string(whole)), "trailing bytes": append(bytes.Clone(whole), "xxxxxxxxxxxx"...),
	} {
		srv := serve(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(body)
		})
		if e := wantCode(t, wireFetcher(t, Config{BaseURL: srv.URL}), CodeInvalidBody); e.Requests != 1 {
			t.Errorf("%s: %d requests", name, e.Requests)
		}
	}
}

func TestDecompressionBombsStayWithinTheLimit_F26(t *testing.T) {
	const limit, huge = 1 << 20, 100 << 20
	zeros := make([]byte, 1<<20)
	var bomb bytes.Buffer
	w, _ := gzip.NewWriterLevel(&bomb, gzip.BestSpeed)
	for range huge / len(zeros) {
		_, _ = w.Write(zeros)
	}
	_ = w.Close()

	for name, handler := range map[string]http.HandlerFunc{
		"gzip bomb": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(bomb.Bytes())
		},
		"100 MB, announced": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", strconv.Itoa(huge))
			for range huge / len(zeros) {
				if _, err := w.Write(zeros); err != nil {
					return
				}
			}
		},
		"100 MB, chunked": func(w http.ResponseWriter, _ *http.Request) {
			for range huge / len(zeros) {
				if _, err := w.Write(zeros); err != nil {
					return
				}
			}
		},
		"endless empty gzip members": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			members := bytes.Repeat(zipped(""), 1<<10)
			for {
				if _, err := w.Write(members); err != nil {
					return
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := wireFetcher(t, Config{BaseURL: serve(t, handler).URL, MaxBodyBytes: limit})
			got := memory.Allocated(func() {
				e := wantCode(t, f, CodeInvalidBody)
				if !strings.Contains(e.Err.Error(), "more than 1048576") {
					t.Errorf("refused for another reason: %v", e.Err)
				}
			})
			// Includes the server's own buffers.
			if got > 8*limit {
				t.Errorf("%d bytes taken under a limit of %d", got, limit)
			}
		})
	}
}

func TestHeaderOverItsLimitIsRefused_F26(t *testing.T) {
	srv := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("ETag", `"`+strings.Repeat("e", 1<<20)+`"`)
		_, _ = io.WriteString(w, wireConfig)
	})
	if e := wantCode(t, wireFetcher(t, Config{BaseURL: srv.URL}), CodeNetwork); e.Err == nil {
		t.Errorf("%+v", e)
	}
}

func TestWrongLengthsAndTruncation_F26(t *testing.T) {
	for name, c := range map[string]struct {
		answer      string
		code        int
		connections int32
	}{
		"shorter than announced": {"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + wireConfig, CodeNetwork, 3},
		"longer than announced":  {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n" + wireConfig, CodeInvalidBody, 1},
		"chunks cut off":         {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"f\":\r\n", CodeNetwork, 3},
		"cut off, no length":     {"HTTP/1.1 200 OK\r\n\r\n" + wireConfig[:20], CodeInvalidBody, 1},
		"cut off in the header":  {"HTTP/1.1 200 OK\r\nContent-Le", CodeNetwork, 3},
		"closed at once":         {"", CodeNetwork, 3},
		"no HTTP":                {"SSH-2.0-OpenSSH_9.9\r\n", CodeNetwork, 3},
		"announced over limit":   {"HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n" + wireConfig, CodeInvalidBody, 1},
		"gzip cut off by the network": {"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 1000\r\n\r\n" + string(zipped(wireConfig)[:30]),
			CodeNetwork, 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			base, connections := raw(t, c.answer)
			e := wantCode(t, wireFetcher(t, Config{BaseURL: base}), c.code)
			if n := connections.Load(); n != c.connections || e.Requests != int(n) {
				t.Errorf("%d connections, %d requests, want %d", n, e.Requests, c.connections)
			}
		})
	}
}

func TestRefusedConnectionIsANetworkError_S84(t *testing.T) {
	srv := serve(t, nil)
	srv.Close()
	if e := wantCode(t, wireFetcher(t, Config{BaseURL: srv.URL}), CodeNetwork); e.Requests != 3 || e.Status != 0 {
		t.Errorf("%+v", e)
	}
}

func TestHTTPTimeoutEndsASlowServer_S8_F26(t *testing.T) {
	for name, handler := range map[string]http.HandlerFunc{
		"hanging": func(_ http.ResponseWriter, req *http.Request) { <-req.Context().Done() },
		"hanging after the header": func(w http.ResponseWriter, req *http.Request) {
			_ = http.NewResponseController(w).Flush()
			<-req.Context().Done()
		},
		"trickling": func(w http.ResponseWriter, req *http.Request) {
			for tick := time.NewTicker(10 * time.Millisecond); ; {
				if _, err := io.WriteString(w, " "); err != nil {
					return
				}
				_ = http.NewResponseController(w).Flush()
				select {
				case <-tick.C:
				case <-req.Context().Done():
					return
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := wireFetcher(t, Config{BaseURL: serve(t, handler).URL, HTTPTimeout: 150 * time.Millisecond})
			if e := wantCode(t, f, CodeTimeout); e.Requests != 1 || !strings.HasSuffix(e.Error(), "Timeout value: 150ms") {
				t.Errorf("%+v: %v", e, e)
			}
		})
	}
}

// A listener with a full queue answers no SYN. TLS to a silent server causes the same wait more
// simply.
func TestConnectTimeoutBoundsTheHandshake_S8(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	f := wireFetcher(t, Config{BaseURL: "https://" + listener.Addr().String(), ConnectTimeout: 100 * time.Millisecond})
	if e := wantCode(t, f, CodeTimeout); !strings.HasSuffix(e.Error(), "Timeout value: 100ms") {
		t.Error(e)
	}
	f = wireFetcher(t, Config{BaseURL: "https://cdn.example.test", ConnectTimeout: 100 * time.Millisecond})
	f.own.DialContext = newDialer(f.cfg, f.base, &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}})
	if e := wantCode(t, f, CodeTimeout); !strings.HasSuffix(e.Error(), "Timeout value: 100ms") {
		t.Error(e)
	}
}

func TestCancelEndsARequest(t *testing.T) {
	arrived := make(chan struct{})
	srv := serve(t, func(w http.ResponseWriter, req *http.Request) {
		_ = http.NewResponseController(w).Flush()
		close(arrived)
		<-req.Context().Done()
	})
	f := wireFetcher(t, Config{BaseURL: srv.URL})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() { <-arrived; cancel() }()
	if _, err := f.Fetch(ctx, ""); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestConnectionIsReused(t *testing.T) {
	var connections atomic.Int32
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.Header.Get("If-None-Match") != "" {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		_, _ = io.WriteString(w, wireConfig)
	}))
	srv.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	srv.Start()
	defer srv.Close()
	f := wireFetcher(t, Config{BaseURL: srv.URL})
	for _, etag := range []string{"", `"1"`, `"1"`, ""} {
		if _, err := f.Fetch(t.Context(), etag); err != nil {
			t.Fatal(err)
		}
	}
	if n := connections.Load(); n != 1 {
		t.Errorf("%d connections for 4 polls", n)
	}
}
