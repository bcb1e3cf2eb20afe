package doctor

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestFaultsOfStreamsOfEvents(t *testing.T) {
	t.Parallel()
	h := gatewayOf(t)
	// stream answers requests for streams with f, and all others as serve does.
	stream := func(f http.HandlerFunc) string {
		return start(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasPrefix(r.URL.Path, "/sse/") {
				f(w, r)
				return
			}
			h.ServeHTTP(w, r)
		}))
	}
	for name, c := range map[string]struct {
		base, key string
		result    Result
		texts     []string
	}{
		"no right": {start(t, h), "configcat-proxy/shop." + configToken, Unknown, []string{"does not have the right to streams", "403 Forbidden"}},
		"path":     {stream(http.NotFound), sdkKey, Unknown, []string{"404 Not Found"}},
		"page":     {stream(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") }), sdkKey, Unknown, []string{"does not pass /sse/ on"}},
		"compressed": {stream(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			w.Header().Set("Content-Type", "text/event-stream")
		}), sdkKey, Bad, []string{"has the encoding gzip", "turn off the compression"}},
		"buffered": {stream(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }), sdkKey, Bad, []string{"does not begin within 3s", "turn off the buffering"}},
		"no event": {stream(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "text/event-stream")
			_ = http.NewResponseController(w).Flush()
			<-r.Context().Done()
		}), sdkKey, Bad, []string{"no event arrives within 3s"}},
		"cut": {stream(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Type", "text/event-stream") }), sdkKey, Bad, []string{"ends before the first one"}},
		"limit": {stream(func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "too many streams are open", http.StatusServiceUnavailable)
		}), sdkKey, Bad, []string{"too many streams"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wait := func(*Doctor) {}
			if name == "buffered" || name == "no event" {
				wait = soon
			}
			examineServe(t, c.base, c.key, wait).want(t, "serve stream", c.result, c.texts...)
		})
	}
}
