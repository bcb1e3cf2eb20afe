package leader

import (
	"context"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	"github.com/catbridge/catbridge/internal/eventlog"
)

// control is how a keeper is given other settings while it runs, and is stopped.
type control struct {
	settings atomic.Pointer[settings]

	mu      sync.Mutex
	removed bool
	end     context.CancelCauseFunc // of the stretch; nil: none was begun
}

func (k *keeper) settings() *settings { return k.control.settings.Load() }
func (k *keeper) log() eventlog.Log   { return k.settings().log }

// begin gives the context of a stretch of time without a change of how the SDK key
// is fetched. There is none after the SDK key was removed, or ctx ended.
func (k *keeper) begin(ctx context.Context) (context.Context, bool) {
	c := &k.control
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
	if k.server != now.server() {
		k.server = now.server()
		k.holdUntil(time.Time{}) // this one did not ask us to wait
	}
	return ctx, true
}

// configure takes over other settings. Where they change how the SDK key is fetched
// the term ends, and the lock is up for election at once.
func (k *keeper) configure(s *settings) {
	old := k.settings()
	if reflect.DeepEqual(old.SDKKey, s.SDKKey) {
		return // what the fetcher learnt stays
	}
	k.control.settings.Store(s)
	k.stats.update(func(stats *KeyStats) { stats.Name = s.name() })
	if !old.fetchedAs(s.SDKKey) {
		k.control.stop(errChanged)
	}
}

// remove ends the keeper for good.
func (k *keeper) remove() {
	k.control.mu.Lock()
	k.control.removed = true
	k.control.mu.Unlock()
	k.control.stop(errRemoved)
}

func (c *control) stop(cause error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.end != nil {
		c.end(cause)
	}
}
