package gateway

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/catbridge/catbridge/follower/followertest"
	"github.com/catbridge/catbridge/internal/stream"
)

// BenchmarkEvaluation measures requests of the REST API and of OFREP on one connection, beside a bare handler that reads
// the same body and writes the same answer. Compare the two of a pair within one run.
func BenchmarkEvaluation(b *testing.B) {
	e := start(b)
	e.flags.SetConfigJSON(manyFlags(16))
	const user = `"Email":"jane@example.com","Country":"HU","roles":["a","b"]}}`
	for _, c := range []struct{ name, path, body string }{
		{"eval", "/api/eval", `{"key":"flag-005","user":{"Identifier":"12345",` + user},
		{"eval-all", "/api/eval-all", `{"user":{"Identifier":"12345",` + user},
		{"ofrep", flagsPath + "/flag-005", `{"context":{"targetingKey":"12345",` + user},
		{"ofrep-all", flagsPath, `{"context":{"targetingKey":"12345",` + user},
	} {
		res := e.do(post(c.path, c.body, "X-ConfigCat-SdkKey: "+sdkKey))
		answer, _ := io.ReadAll(res.Body)
		if res.StatusCode != http.StatusOK {
			b.Fatalf("%d %s", res.StatusCode, answer)
		}
		bare := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.ReadAll(r.Body)
			w.Header()["Content-Type"] = contentType
			_, _ = w.Write(answer)
		})
		b.Run(c.name+"/bare", func(b *testing.B) { posts(b, bare, c.path, c.body) })
		b.Run(c.name+"/gateway", func(b *testing.B) { posts(b, e.Gateway, c.path, c.body) })
	}
}

// manyFlags returns a config with n flags, each with a rule and percentage options.
func manyFlags(n int) []byte {
	var flags []string
	for i := range n {
		flags = append(flags, fmt.Sprintf(`"flag-%03d":{"t":0,"a":"Identifier","v":{"b":false},"i":"v%d","r":[{"c":[{"u":{"a":"Email","c":2,"l":["@example.org"]}}],"s":{"v":{"b":true},"i":"r%d"}}],`+
			`"p":[{"p":50,"v":{"b":true},"i":"a%d"},{"p":50,"v":{"b":false},"i":"b%d"}]}`, i, i, i, i, i))
	}
	return []byte(`{"p":{"s":"salt"},"f":{` + strings.Join(flags, ",") + `}}`)
}

func posts(b *testing.B, handler http.Handler, path, body string) {
	server := httptest.NewServer(handler)
	defer server.Close()
	b.ReportAllocs()
	for b.Loop() {
		r, err := http.NewRequest(http.MethodPost, server.URL+path, strings.NewReader(body))
		if err != nil {
			b.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set(sdkKeyHeader, sdkKey)
		res, err := server.Client().Transport.RoundTrip(r)
		if err != nil {
			b.Fatal(err)
		}
		n, _ := io.Copy(io.Discard, res.Body)
		_ = res.Body.Close()
		b.SetBytes(n)
	}
}

// BenchmarkStreams measures how long a change takes until the median and the last of many streams have it, beside a
// handler that sends a frame as it is: from the call that puts the change in force. Compare within one run.
func BenchmarkStreams(b *testing.B) {
	const streams = 2000
	for _, c := range []struct {
		name  string
		users int
	}{{"one user", 1}, {"users who all differ", streams}} {
		b.Run(c.name+"/gateway", func(b *testing.B) {
			flags := followertest.New(b, map[string]any{"version": 0})
			g := startWith(b, flags.Client)
			changesOf(b, g, streams, func(i int) string {
				return "/sse/eval-all/k/" + encoded(fmt.Sprintf(`{"sdkKey":%q,"user":{"Identifier":"%d"}}`, sdkKey, i%c.users))
			}, func(n int) { flags.Set("version", n) })
		})
	}
	b.Run("bare", func(b *testing.B) {
		var topic stream.Topic[stream.Frame]
		topic.Set(stream.NewFrame("", "", []byte("0")))
		bare := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			out := http.NewResponseController(w)
			for {
				frame, replaced := topic.Current()
				_, _ = w.Write(frame)
				_ = out.Flush()
				select {
				case <-replaced:
				case <-r.Context().Done():
					return
				}
			}
		})
		flags := followertest.New(b, map[string]any{"version": 0}) // the change is put in force here, too
		changesOf(b, bare, streams, func(int) string { return "/" }, func(n int) {
			flags.Set("version", n)
			topic.Set(stream.NewFrame("", "", fmt.Appendf(nil, "%d", n)))
		})
	})
}

func changesOf(b *testing.B, handler http.Handler, streams int, path func(int) string, change func(int)) {
	server := httptest.NewServer(handler)
	transport := &http.Transport{}
	received := make(chan time.Time, streams)
	before := memory()
	var clients sync.WaitGroup
	for i := range streams {
		r, err := http.NewRequest(http.MethodGet, server.URL+path(i), nil)
		if err != nil {
			b.Fatal(err)
		}
		res, err := transport.RoundTrip(r)
		if err != nil || res.StatusCode != http.StatusOK {
			b.Fatal(res, err)
		}
		clients.Go(func() {
			for lines := bufio.NewReader(res.Body); ; {
				line, err := lines.ReadString('\n')
				if err != nil {
					return
				}
				if strings.HasPrefix(line, "data: ") {
					received <- time.Now()
				}
			}
		})
	}
	for range streams {
		<-received // the first frames
	}
	each := float64(memory()-before) / float64(streams)
	var medians, lasts []time.Duration
	n := 0
	for b.Loop() {
		n++
		began := time.Now()
		change(n)
		took := make([]time.Duration, streams)
		for i := range took {
			took[i] = (<-received).Sub(began)
		}
		slices.Sort(took)
		medians, lasts = append(medians, took[streams/2]), append(lasts, took[streams-1])
	}
	slices.Sort(medians)
	slices.Sort(lasts)
	b.ReportMetric(float64(medians[len(medians)/2].Microseconds()), "median-µs")
	b.ReportMetric(float64(lasts[len(lasts)/2].Microseconds()), "last-µs")
	b.ReportMetric(each/1024, "KB/stream") // with its client
	server.CloseClientConnections()
	clients.Wait()
	transport.CloseIdleConnections()
	server.Close()
}

// BenchmarkEvalHandler measures the handler of an evaluation without a network.
func BenchmarkEvalHandler(b *testing.B) {
	e := start(b)
	e.flags.SetConfigJSON(manyFlags(16))
	for _, verb := range []string{"eval", "eval-all"} {
		b.Run(verb, func(b *testing.B) {
			const body = `{"key":"flag-005","user":{"Identifier":"12345","Email":"jane@example.com","Country":"HU","roles":["a","b"]}}`
			r := post("/api/"+verb, body, "X-ConfigCat-SdkKey: "+sdkKey)
			r.ContentLength = int64(len(body))
			w := discard{http.Header{}}
			b.ReportAllocs()
			for b.Loop() {
				clear(w.header)
				r.Body = readCloser{strings.NewReader(body)}
				e.ServeHTTP(w, r)
			}
		})
	}
}
