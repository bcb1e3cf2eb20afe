package leader

import (
	"context"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"github.com/catbridge/catbridge/internal/eventlog"
)

// control is how a elector is given other settings while it runs, and is stopped.
type control struct {
	settings atomic.Pointer[settings]

	mu      sync.Mutex
	removed bool
	end     context.CancelCauseFunc // of the stretch; nil: none was begun
}

func (e *elector) settings() *settings { return e.control.settings.Load() }
func (e *elector) log() eventlog.Log   { return e.settings().log }

// begin gives the context of a stretch of time without a change of how the SDK key
// is fetched. There is none after the SDK key was removed, or ctx ended.
func (e *elector) begin(ctx context.Context) (context.Context, bool) {
	c := &e.control
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
		e.holdUntil(time.Time{}) // this one did not ask us to wait
	}
	return ctx, true
}

// configure takes over other settings. Where they change how the SDK key is fetched
// the term ends, and the lock is up for election at once.
func (e *elector) configure(s *settings) {
	old := e.settings()
	if reflect.DeepEqual(old.SDKKey, s.SDKKey) {
		return // what the fetcher learnt stays
	}
	e.control.settings.Store(s)
	e.stats.update(func(stats *KeyStats) { stats.Name = s.name() })
	if !old.fetchedAs(s.SDKKey) {
		e.control.stop(errChanged)
	}
}

// remove ends the elector for good.
func (e *elector) remove() {
	e.control.mu.Lock()
	e.control.removed = true
	e.control.mu.Unlock()
	e.control.stop(errRemoved)
}

func (c *control) stop(cause error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.end != nil {
		c.end(cause)
	}
}
