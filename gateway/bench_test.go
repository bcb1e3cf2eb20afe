package gateway

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/follower/followertest"
)

// BenchmarkGateway measures requests on one connection, beside a bare handler that writes the same
// bytes. Compare the two of a pair within one run.
func BenchmarkGateway(b *testing.B) {
	values := map[string]any{}
	for i := range 130 {
		values[fmt.Sprintf("flag-%03d", i)] = strings.Repeat("value ", i%7)
	}
	g := startWith(b, followertest.New(b, values).Client)
	for _, c := range []struct {
		name    string
		headers []string
	}{
		{"identity", nil},
		{"gzip", []string{"Accept-Encoding: gzip"}},
		{"304", []string{"If-None-Match: " + g.do(request("GET", byKey)).Header.Get("ETag")}},
	} {
		res := g.do(request("GET", byKey, c.headers...))
		answer, _ := io.ReadAll(res.Body)
		bare := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			maps.Copy(w.Header(), res.Header)
			if res.StatusCode == http.StatusNotModified {
				w.WriteHeader(res.StatusCode)
				return
			}
			_, _ = w.Write(answer)
		})
		b.Run(c.name+"/bare", func(b *testing.B) { requests(b, bare, c.headers) })
		b.Run(c.name+"/gateway", func(b *testing.B) { requests(b, g, c.headers) })
	}
}

func requests(b *testing.B, handler http.Handler, headers []string) {
	server := httptest.NewServer(handler)
	defer server.Close()
	r := request("GET", byKey, headers...)
	r.RequestURI = ""
	r.URL.Scheme, r.URL.Host = "http", server.Listener.Addr().String()
	if r.Header.Get("Accept-Encoding") == "" {
		r.Header.Set("Accept-Encoding", "identity")
	}
	b.ReportAllocs()
	for b.Loop() {
		res, err := server.Client().Transport.RoundTrip(r)
		if err != nil {
			b.Fatal(err)
		}
		n, _ := io.Copy(io.Discard, res.Body)
		_ = res.Body.Close()
		b.SetBytes(n)
	}
}

// BenchmarkHandler measures the handler without a network.
func BenchmarkHandler(b *testing.B) {
	e := start(b)
	r := request("GET", byKey, "Accept-Encoding: gzip, deflate, br", "If-None-Match: "+e.get(byKey).Header.Get("ETag"), "X-ConfigCat-UserAgent: ConfigCat-Node/m-11.3.1")
	w := discard{http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		clear(w.header)
		e.ServeHTTP(w, r)
	}
}

type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(p []byte) (int, error) { return len(p), nil }
func (d discard) WriteHeader(int)             {}
