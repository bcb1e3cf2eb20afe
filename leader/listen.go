package leader

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/catbridge/catbridge/internal/eventlog"
	"github.com/catbridge/catbridge/internal/subscription"
	"github.com/catbridge/catbridge/internal/wire"
)

// ackTimeout bounds connecting and the acknowledgement of SUBSCRIBE.
const ackTimeout = 2 * time.Second

// listen receives resignations and refresh requests for all SDK keys until ctx is done. It
// only saves time: candidates also try periodically, and each renewal returns the count of
// refresh requests.
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
			// Close the old set's subscription only now, so no message is missed.
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
			l.log.Warn(eventListen, "Subscribing failed; refresh requests arrive with the next renewal.", eventlog.Err(err))
		}
		pause := jitter(l.cfg.Timings.RetryPeriod)
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
	opts := subscription.Options{Idle: l.cfg.Timings.Idle, Dead: l.cfg.Timings.Dead, Ack: ackTimeout}
	for _, e := range set.electors {
		opts.Channels = append(opts.Channels, e.store.Keys().Events)
	}
	return subscription.Open(ctx, l.cfg.Redis, opts)
}

// receive handles messages until the subscription fails or ctx is done.
func (s *electorSet) receive(ctx context.Context, sub *subscription.Subscription) error {
	defer sub.Close()
	defer context.AfterFunc(ctx, sub.Close)()
	byChannel := make(map[string]*elector, len(s.electors))
	for _, e := range s.electors {
		byChannel[e.store.Keys().Events] = e
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

// onMessage handles a message, which is only a hint. It counts malformed messages and
// ignores those of an unknown type.
func (e *elector) onMessage(payload string) {
	m, err := wire.ParseMessage([]byte(payload))
	if err != nil {
		e.stats.update(func(s *KeyStats) { s.BadMessages++ })
		return
	}
	switch m.Type {
	case wire.Resign:
		signal(e.wake)
	case wire.Control:
		signal(e.changed)
	case wire.Refresh:
		e.onRefresh(m.Seq, m.Cause == wire.CauseWebhook)
	}
}
