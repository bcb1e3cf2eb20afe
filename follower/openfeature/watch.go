package openfeature

import (
	"context"
	"errors"
	"sync"
	"time"

	of "github.com/open-feature/go-sdk/openfeature"

	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/follower"
)

// interval is how often watch checks the client's cache state, in addition to each new config:
// a config becomes stale without an event.
const interval = time.Second

// watch sends events about the client's state to OpenFeature, from the first initialization
// until the shutdown.
type watch struct {
	client *follower.Client
	events chan of.Event

	mu    sync.Mutex
	stop  func()       // ends the goroutine and waits for it; nil: it does not run
	state of.EventType // the last state that OpenFeature received
	since time.Time    // the last initialization
}

// Init implements [of.StateHandler].
func (p *Provider) Init(evaluationContext of.EvaluationContext) error {
	return p.InitWithContext(context.Background(), evaluationContext)
}

// InitWithContext implements [of.ContextAwareStateHandler]. It waits until the client is ready.
// OpenFeature calls it for each domain that the provider is bound to.
func (p *Provider) InitWithContext(ctx context.Context, _ of.EvaluationContext) error {
	state, err := p.client.WaitForReady(ctx)
	if errors.Is(err, follower.ErrClosed) {
		return &of.ProviderInitError{ErrorCode: of.ProviderFatalCode, Message: err.Error()}
	}
	if err != nil {
		return err
	}
	p.watch.start(state)
	if state == follower.NoFlagData {
		return &of.ProviderInitError{ErrorCode: of.GeneralCode, Message: "no config is loaded yet: evaluations return default values"}
	}
	return nil
}

// Shutdown implements [of.StateHandler]. The client stays open.
func (p *Provider) Shutdown() { p.watch.end() }

// ShutdownWithContext implements [of.ContextAwareStateHandler]. It does not block.
func (p *Provider) ShutdownWithContext(context.Context) error {
	p.Shutdown()
	return nil
}

// EventChannel implements [of.EventHandler]. It is never closed.
func (p *Provider) EventChannel() <-chan of.Event { return p.watch.events }

// start does nothing if the goroutine runs. The initial state is the one that OpenFeature
// derives from the result of the initialization.
func (w *watch) start(state follower.CacheState) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.since = time.Now()
	if w.state = of.ProviderReady; state == follower.NoFlagData {
		w.state = of.ProviderError
	}
	if w.stop != nil {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	changed := make(chan struct{}, 1)
	notified := w.config()
	remove := w.client.OnConfigChanged(func(*evaluate.Config) {
		select {
		case changed <- struct{}{}:
		default:
		}
	})
	var running sync.WaitGroup
	running.Go(func() { w.run(ctx, changed, notified) })
	w.stop = func() { remove(); cancel(); running.Wait() }
}

func (w *watch) end() {
	w.mu.Lock()
	stop := w.stop
	w.stop = nil
	w.mu.Unlock()
	if stop != nil {
		stop()
	}
}

// config includes flag overrides.
func (w *watch) config() *evaluate.Config { return w.client.Snapshot(nil).Config() }

// run starts with the config that OpenFeature was notified of.
func (w *watch) run(ctx context.Context, changed <-chan struct{}, notified *evaluate.Config) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-changed: // the first config ends an error at once
			latest := w.config()
			w.send(ctx, of.ProviderConfigChange, of.ProviderEventDetails{
				Message: "there is a newer config", FlagChanges: latest.ChangedKeys(notified),
			})
			notified = latest
		case <-ticker.C:
		}
		kind, message := w.next(w.client.CacheState())
		w.send(ctx, kind, of.ProviderEventDetails{Message: message})
	}
}

// send sends an event, unless kind is empty.
func (w *watch) send(ctx context.Context, kind of.EventType, details of.ProviderEventDetails) {
	if kind == "" {
		return
	}
	event := of.Event{ProviderName: Name, EventType: kind, ProviderEventDetails: details}
	select {
	case w.events <- event:
	case <-ctx.Done():
	}
}

// next returns the event for a cache state; "" if the state is unchanged. OpenFeature itself
// emits the event of an initialization. For one interval after it, next returns none, so that
// none precedes that event.
func (w *watch) next(cache follower.CacheState) (event of.EventType, message string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if time.Since(w.since) < interval {
		return "", ""
	}
	switch cache {
	case follower.NoFlagData:
		event, message = of.ProviderError, "no config is loaded"
	case follower.HasCachedFlagDataOnly:
		event, message = of.ProviderStale, "the CDN has not confirmed the config recently"
	default:
		event, message = of.ProviderReady, "the config is up to date"
	}
	if event == w.state {
		return "", ""
	}
	w.state = event
	return event, message
}
