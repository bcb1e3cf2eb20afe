package leader

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/internal/eventlog"
	"github.com/catbridge/catbridge/internal/subscription"
)

// ackTimeout is how long connecting and acknowledging may take.
const ackTimeout = 2 * time.Second

// listen hears resignations and refresh requests for all SDK keys, until ctx ends.
// Nothing depends on it: a candidate tries anyway, and each renewal tells of refresh
// requests.
func (l *Leader) listen(ctx context.Context) {
	defer l.crash.guard()
	var open sync.WaitGroup
	defer open.Wait()
	closeOld := func() {}
	var failing subscription.Outage
	for ctx.Err() == nil {
		set := l.set.Load()
		sub, err := l.subscribe(ctx, set)
		if err == nil {
			// The old set's only now, so that nothing is missed meanwhile.
			closeOld()
			closeOld = sub.Close
			failing.End()
			ended := make(chan error, 1)
			open.Go(func() {
				defer l.crash.guard()
				ended <- set.receive(ctx, sub)
			})
			select {
			case err = <-ended:
			case <-ctx.Done():
			case <-set.replaced:
				continue
			}
		}
		if ctx.Err() != nil {
			return
		}
		if failing.News(err) {
			l.log.Warn(eventListen, "Not subscribed; refresh requests arrive with the next renewal.", eventlog.Err(err))
		}
		pause := jitter(l.cfg.Timing.RetryPeriod)
		if _, refused := errors.AsType[*subscription.RefusedError](err); refused {
			pause *= 10
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
		case <-set.replaced:
		case <-timer.C:
		}
		timer.Stop()
	}
}

func (l *Leader) subscribe(ctx context.Context, set *electorSet) (*subscription.Subscription, error) {
	opts := subscription.Options{Idle: l.cfg.Timing.Idle, Dead: l.cfg.Timing.Dead, Ack: ackTimeout}
	for _, e := range set.electors {
		opts.Channels = append(opts.Channels, e.store.keys.Events)
	}
	return subscription.Open(ctx, l.cfg.Redis, opts)
}

// receive hears messages until the subscription or ctx ends.
func (s *electorSet) receive(ctx context.Context, sub *subscription.Subscription) error {
	defer sub.Close()
	defer context.AfterFunc(ctx, sub.Close)()
	byChannel := make(map[string]*elector, len(s.electors))
	for _, e := range s.electors {
		byChannel[e.store.keys.Events] = e
	}
	for {
		received, err := sub.Receive()
		if err != nil {
			return err
		}
		if e := byChannel[received.Channel]; e != nil {
			e.onMessage(received.Payload)
		}
	}
}

// onMessage takes a message as a hint. What is malformed or unknown is ignored.
func (e *elector) onMessage(payload string) {
	m, err := cachekeys.ParseMessage([]byte(payload))
	if err != nil {
		e.stats.update(func(s *KeyStats) { s.BadMessages++ })
		return
	}
	switch m.Type {
	case cachekeys.Resign:
		signal(e.wake)
	case cachekeys.Refresh:
		e.onRefresh(m.Seq)
	}
}

func (e *elector) onRefresh(seq int64) {
	e.refreshSeq.Store(seq)
	signal(e.refresh)
}

// ask passes a refresh request on. The process that leads tells itself: a message would go
// to every follower, ahead of the change that it is about. Should the lock have been lost
// unseen, the new leader finds the request in meta with its next renewal.
func (e *elector) ask(run func(channel string) (request, error)) (request, error) {
	leading := e.leading.Load()
	channel := e.store.keys.Events
	if leading {
		channel = ""
	}
	r, err := run(channel)
	if leading && r.seq != 0 {
		e.onRefresh(r.seq)
	}
	return r, err
}
