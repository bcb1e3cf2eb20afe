package bench_test

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/catbridge/catbridge/internal/configserver"
	"github.com/catbridge/catbridge/test/bench"
)

// origin is a CDN that serves one config for every SDK key from memory. Building it for
// each request, as fakecdn does, would take longer than the bridge itself.
type origin struct {
	*httptest.Server
	content  bench.Content
	edit     bench.Edit // of the versions that publish makes
	current  atomic.Pointer[edition]
	requests atomic.Int64
}

// edition is a version of the content, ready to be sent.
type edition struct {
	version int64
	etag    string
	json    []byte
}

func startOrigin(t testing.TB, size int) *origin {
	t.Helper()
	o := &origin{content: bench.NewContent(size)}
	o.publish()
	o.Server = httptest.NewServer(o)
	t.Cleanup(o.Close)
	return o
}

// publish makes the next version current.
func (o *origin) publish() int64 {
	next := int64(1_000_000) // as many digits as all later ones
	if held := o.current.Load(); held != nil {
		next = held.version + 1
	}
	o.current.Store(&edition{next, o.content.ETag(next), o.content.Edited(next, o.edit)})
	return next
}

func (o *origin) version() int64 { return o.current.Load().version }

func (o *origin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	o.requests.Add(1)
	now := o.current.Load()
	configserver.Answer(w, r, now.json, now.etag)
}
