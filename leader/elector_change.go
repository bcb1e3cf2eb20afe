package leader

import (
	"context"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"github.com/catbridge/catbridge/internal/eventlog"
)

// steering changes the settings of a running elector, and stops it.
type steering struct {
	settings atomic.Pointer[settings]

	mu      sync.Mutex
	removed bool
	end     context.CancelCauseFunc // cancels the context of begin; nil: begin was not called
}

func (e *elector) settings() *settings { return e.steering.settings.Load() }
func (e *elector) log() eventlog.Log   { return e.settings().log }

// begin returns a context that is canceled when the elector has to end its term because of
// a change of settings. ok is false if the SDK key was removed or ctx is done.
func (e *elector) begin(ctx context.Context) (_ context.Context, ok bool) {
	c := &e.steering
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.end != nil {
		c.end(nil)
	}
	if c.removed || ctx.Err() != nil {
		return nil, false
	}
	ctx, c.end = context.WithCancelCause(ctx)
	now := c.settings.Load()
	if e.server != now.server() {
		e.server = now.server()
		e.holdUntil(time.Time{}) // the new server did not send a Retry-After
	}
	return ctx, true
}

// configure applies new settings. If they change how the SDK key is fetched, the term ends
// and releases the lock.
func (e *elector) configure(s *settings) {
	old := e.settings()
	if reflect.DeepEqual(old.SDKKey, s.SDKKey) {
		return // keep the fetcher, with the redirect that it has learnt
	}
	e.steering.settings.Store(s)
	e.stats.update(func(stats *KeyStats) { stats.Name = s.name() })
	if !old.sameFetch(s.SDKKey) {
		e.steering.stop(errChanged)
	}
}

func (e *elector) remove() {
	e.steering.mu.Lock()
	e.steering.removed = true
	e.steering.mu.Unlock()
	e.steering.stop(errRemoved)
}

func (c *steering) stop(cause error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.end != nil {
		c.end(cause)
	}
}
