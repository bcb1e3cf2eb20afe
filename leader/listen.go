package leader

import (
	"context"
	"errors"
	"time"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/internal/eventlog"
	"github.com/catbridge/catbridge/internal/subscription"
)

// ackTimeout is how long connecting and acknowledging may take.
const ackTimeout = 2 * time.Second

// listen hears resignations and refresh requests for all SDK keys. Nothing depends
// on it: a candidate tries anyway, and each renewal tells of refresh requests.
func (l *Leader) listen(ctx context.Context) {
	byChannel := make(map[string]*keeper, len(l.keepers))
	opts := subscription.Options{Idle: l.cfg.Timing.Idle, Dead: l.cfg.Timing.Dead, Ack: ackTimeout}
	for _, k := range l.keepers {
		byChannel[k.store.keys.Events] = k
		opts.Channels = append(opts.Channels, k.store.keys.Events)
	}
	failing := false
	for ctx.Err() == nil {
		err := l.listenOnce(ctx, opts, byChannel, &failing)
		if ctx.Err() != nil {
			return
		}
		if !failing {
			failing = true
			l.log.Warn(eventListen, "Not subscribed; refresh requests arrive with the next renewal.", eventlog.Err(err))
		}
		pause := jitter(l.cfg.Timing.Retry)
		if _, refused := errors.AsType[*subscription.RefusedError](err); refused {
			pause *= 10
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
		case <-timer.C:
		}
		timer.Stop()
	}
}

func (l *Leader) listenOnce(ctx context.Context, opts subscription.Options, byChannel map[string]*keeper, failing *bool) error {
	sub, err := subscription.Open(ctx, l.cfg.Redis, opts)
	if err != nil {
		return err
	}
	*failing = false
	defer sub.Close()
	defer context.AfterFunc(ctx, sub.Close)()
	for {
		received, err := sub.Receive()
		if err != nil {
			return err
		}
		if k := byChannel[received.Channel]; k != nil {
			k.heard(received.Payload)
		}
	}
}

// heard takes a message as a hint. What is malformed or unknown is ignored.
func (k *keeper) heard(payload string) {
	m, err := cachekeys.ParseMessage([]byte(payload))
	if err != nil {
		k.stats.update(func(s *KeyStats) { s.BadMessages++ })
		return
	}
	switch m.Type {
	case cachekeys.Resign:
		signal(k.wake)
	case cachekeys.Refresh:
		k.refreshSeq.Store(m.Seq)
		signal(k.refresh)
	}
}
