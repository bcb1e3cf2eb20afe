package feed

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/follower/internal/eventid"
	"github.com/catbridge/catbridge/internal/eventlog"
	"github.com/catbridge/catbridge/internal/subscription"
)

const (
	// ConnectTries is how many connections in a row must fail, while Redis answers reads,
	// before polling starts.
	ConnectTries = 3
	// undeliveredTries is how many connections in a row may deliver no messages of a live
	// leader. After one more such connection, polling starts.
	undeliveredTries = 2
)

var errUndelivered = errors.New("messages of a leader that is alive do not arrive")

func (s *syncer) connect(ctx context.Context) {
	s.redial.off()
	s.hangUp()
	s.conn = s.dial(ctx, s.patience(), s.events)
}

// patience returns the timeout for connecting. It grows after timeouts: a busy server would
// otherwise spend its time on connections that were already given up.
func (s *syncer) patience() time.Duration { return s.Timings.Ack << min(s.late, 2) }

func isTimeout(err error) bool {
	timeout, ok := errors.AsType[net.Error](err)
	return errors.Is(err, subscription.ErrNoAck) || ok && timeout.Timeout()
}

func (s *syncer) hangUp() {
	s.silence.off()
	if s.conn != nil {
		s.conn.close()
		s.conn = nil
	}
}

func (s *syncer) onEvent(ctx context.Context, e event) {
	if e.from != s.conn {
		return // from a connection that was given up
	}
	switch e.kind {
	case opened:
		s.onOpened(ctx)
	case received:
		s.onMessage(e.message, e.at)
	case over:
		s.onOver(ctx, e.err)
	}
	if s.conn != nil && s.conn.lost.Swap(false) {
		s.inc(&s.n.Resyncs)
		s.reread.within(0)
	}
}

// onOpened reads what is current. The subscription delivers all later changes.
func (s *syncer) onOpened(ctx context.Context) {
	s.inc(&s.n.Connects)
	if s.counters().Connects > 1 {
		s.inc(&s.n.Resyncs)
	}
	s.conn.live, s.failures, s.unreached, s.late = true, 0, 0, 0
	s.openedAt = time.Now()
	s.highWater, s.based, s.lastHeartbeat = assertion{}, false, s.openedAt
	s.windows.stated = false
	s.rebase, s.control.lower = rebase{}, lowerStatements{} // the evidence of another connection may come from another server
	s.forget()
	s.silence.set(s.silent())
	_, _ = s.sync(ctx)
	s.conn.releaseSlot()
	if !s.based && s.undelivered <= undeliveredTries {
		s.setState(Live) // the read failed: assume a leader until a heartbeat is missing
	}
}

// onFirstRead handles the first read after the subscription.
func (s *syncer) onFirstRead(h head) {
	s.based = true
	s.highWater.rev, s.highWater.cdn = max(s.highWater.rev, h.meta.Rev), max(s.highWater.cdn, h.meta.CDN)
	s.highWater.epoch = max(s.highWater.epoch, h.epoch)
	switch {
	case s.undelivered > undeliveredTries: // polling continues until a message arrives
	case h.locked:
		s.setState(Live)
	default:
		s.setState(NoLeader)
	}
}

// onOver decides what follows after a connection that ended or failed.
func (s *syncer) onOver(ctx context.Context, err error) {
	wasLive := s.conn.live
	s.hangUp()
	_, denied := errors.AsType[redis.Error](err)
	if wasLive {
		s.inc(&s.n.Disconnects)
		if time.Since(s.openedAt) > s.Timings.BackoffMax {
			s.connectBackoff.reset()
		}
		if !denied {
			s.disconnected(err)
			return
		}
	} else {
		s.failures++
	}
	// Without a subscription, what is current must be read.
	s.inc(&s.n.Resyncs)
	var readErr error
	if s.skipsRead(err) {
		readErr = s.readFailed(ctx, err, s.reread)
	} else {
		_, readErr = s.sync(ctx)
	}
	if readErr != nil {
		s.failures = 0 // Redis is unreachable, so the failure says nothing about subscriptions
	}
	impossible := denied || errors.Is(err, subscription.ErrNoAck) || s.failures >= ConnectTries
	if readErr == nil && impossible {
		s.poll(err)
	} else {
		s.disconnected(err)
	}
}

// skipsRead reports whether to skip the read after a connection that failed with err: it needs
// a connection, too, so it would most likely fail, and double the handshakes of a busy server.
// Every third time the feed reads nevertheless, to find out whether only subscriptions fail.
func (s *syncer) skipsRead(err error) bool {
	if _, unreachable := errors.AsType[*subscription.UnreachableError](err); !unreachable {
		s.unreached = 0
		return false
	}
	s.unreached++
	answers := s.failures > 1 || s.state() == Polling // Redis answered the last read
	return s.isSynced() && !answers && s.unreached%ConnectTries != 0
}

func (s *syncer) poll(err error) {
	s.inc(&s.n.FailedSubscriptions)
	if s.setState(Polling) {
		s.log.Error(eventid.Polling, "Redis answers, but the subscription to changes fails; polling instead, which is slower and costs more. "+
			"Check the right to SUBSCRIBE to the channel.", slog.String("channel", s.Keys.Events),
			slog.Duration("interval", s.Timings.Poll), eventlog.Err(err))
	}
	s.redial.set(around(s.Timings.Resubscribe, 0.5))
}

// disconnected schedules the next connection. After a timeout the pause is longer.
func (s *syncer) disconnected(err error) {
	if s.setState(Disconnected) {
		s.log.disconnected(err)
	}
	var waited time.Duration
	if isTimeout(err) {
		waited = s.patience()
		s.late++
	}
	s.redial.set(s.connectBackoff.next(waited))
}

func (s *syncer) setReread() {
	if s.state() == Polling {
		s.reread.set(around(s.Timings.Poll, 0.2))
		return
	}
	s.reread.set(around(s.Timings.MetaReread, 0.5))
}

func (s *syncer) onReread(ctx context.Context) {
	from := anyNode
	if s.isAwaited() {
		from = primary
	}
	if s.Listen {
		s.setReread()
	} else {
		s.reread.off()
	}
	s.want.tries = 0
	_, err := s.readHead(ctx, from)
	if err != nil && s.state() == Polling {
		s.disconnected(err)
	}
}

// onSilence finds out why no heartbeat arrived although the connection is alive: there is no
// leader, or its messages do not arrive here.
func (s *syncer) onSilence(ctx context.Context) {
	if s.conn.quiet() > (s.Timings.Idle+s.Timings.Dead)/2 {
		// A PING is unanswered: most likely the connection is dead and will soon end.
		s.silence.set(s.Timings.Dead - s.Timings.Idle)
		return
	}
	before, based, lastHeartbeat := s.highWater, s.based, s.lastHeartbeat
	s.silence.set(s.silent())
	head, err := s.readHead(ctx, primary)
	for len(s.events) > 0 {
		s.onEvent(ctx, <-s.events) // arrived during the read
	}
	if err != nil || s.conn == nil || s.lastHeartbeat != lastHeartbeat {
		return
	}
	moved := based && (head.meta.Rev > before.rev || head.meta.CDN > before.cdn || head.epoch > before.epoch)
	// The lock outlives its holder's last heartbeat by less than this.
	renewed := head.locked && time.Since(s.lastHeartbeat) >= 2*s.silent()
	if !moved && !renewed {
		if s.state() != Polling {
			s.setState(NoLeader)
		}
		return
	}
	s.inc(&s.n.Undelivered)
	s.undelivered++
	s.log.Warn(eventid.Undelivered, "A leader is alive, but its messages do not arrive here; reconnecting.")
	s.hangUp()
	if s.undelivered > undeliveredTries {
		s.poll(errUndelivered)
		return
	}
	s.setState(Disconnected)
	s.redial.set(s.connectBackoff.next(0))
}

// silent returns how long heartbeats may be missing before the follower checks for a leader:
// Dead, but at least three of the leader's heartbeat intervals.
func (s *syncer) silent() time.Duration { return max(s.Timings.Dead, 3*s.renew) }
