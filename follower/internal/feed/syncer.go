package follower

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/internal/eventlog"
	"github.com/catbridge/catbridge/internal/subscription"
)

const (
	// connectTries is how many connections in a row must fail, while Redis answers reads,
	// before polling starts.
	connectTries = 3
	// undeliveredTries is how many connections in a row may deliver no messages of a live
	// leader. After one more such connection, polling starts.
	undeliveredTries = 2
)

var errUndelivered = errors.New("messages of a leader that is alive do not arrive")

// syncer is the state of a feed's sync goroutine, which waits only for events, alarms, requests
// and replies of Redis.
type syncer struct {
	*feed
	events chan event
	conn   *connection // connecting or open; nil: none

	redial  *alarm // connect
	content *alarm // read the content
	reread  *alarm // ask which content is current
	silence *alarm // no heartbeat for too long

	connectBackoff backoff
	readBackoff    backoff
	failures       int // connections in a row that failed although Redis answered
	unreached      int // connections in a row that could not be established
	late           int // connections in a row that took too long
	undelivered    int // connections in a row on which no messages arrived
	openedAt       time.Time

	want      want
	spread    time.Duration // the spread window of the last message
	noConfig  noConfigs
	refusal   string              // the last refusal that was logged
	anomaly   string              // hash of the last anomaly
	failing   subscription.Outage // of reads
	entryRead time.Time

	rebase    rebase
	outrun    bool // a client may now use content that had to wait
	fresh     freshness
	freshHash string // of the content that fresh is about

	// About the open connection.
	highWater     assertion // the greatest values of its messages and the first read after it was opened
	based         bool      // that read is in highWater
	lastHeartbeat time.Time // when its last heartbeat arrived

	renew time.Duration // the leader's heartbeat interval, as its messages state it; 0: unknown
}

func newSyncer(f *feed) *syncer {
	return &syncer{
		feed: f, events: make(chan event, messageQueue),
		redial: newAlarm(), content: newAlarm(), reread: newAlarm(), silence: newAlarm(),
		connectBackoff: backoff{low: f.timings.BackoffMin, high: f.timings.BackoffMax},
		readBackoff:    backoff{low: f.timings.BackoffMin, high: f.timings.BackoffMax},
	}
}

func (s *syncer) run(ctx context.Context) {
	defer s.end()
	if s.listen {
		s.connect(ctx)
		s.setReread()
	}
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case e := <-s.events:
			s.onEvent(ctx, e)
		case <-s.redial.C:
			s.connect(ctx)
		case <-s.content.C:
			_ = s.readContent(ctx)
		case <-s.reread.C:
			s.onReread(ctx)
		case <-s.silence.C:
			s.onSilence(ctx)
		case <-s.files:
			s.onFile()
		case r := <-s.refreshes:
			s.finish(r, s.onRefresh(ctx, r.kind == 1))
		}
	}
}

// onFile publishes the file content of a client that joined, if it is newer.
func (s *syncer) onFile() {
	held, file := s.current.Load(), s.takeFile()
	if file != nil && (held == nil || file.rev > held.rev) {
		s.publish(file, false)
	}
}

func (s *syncer) onRefresh(ctx context.Context, full bool) error {
	if full {
		defer s.markSynced()
		return s.readContent(ctx)
	}
	_, err := s.sync(ctx)
	return err
}

func (s *syncer) end() {
	s.hangUp()
	for _, a := range []*alarm{s.redial, s.content, s.reread, s.silence} {
		a.off()
	}
	s.setState(Closed)
	s.markSynced()
	s.store.close()
}

func (s *syncer) connect(ctx context.Context) {
	s.redial.off()
	s.hangUp()
	s.conn = s.dial(ctx, s.patience(), s.events)
}

// patience returns the timeout for connecting. It grows after timeouts: a busy server would
// otherwise spend its time on connections that were already given up.
func (s *syncer) patience() time.Duration { return s.timings.Ack << min(s.late, 2) }

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
	s.rebase = rebase{} // the evidence of another connection may come from another server
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
		if time.Since(s.openedAt) > s.timings.BackoffMax {
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
	impossible := denied || errors.Is(err, subscription.ErrNoAck) || s.failures >= connectTries
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
	return s.isSynced() && !answers && s.unreached%connectTries != 0
}

func (s *syncer) poll(err error) {
	s.inc(&s.n.FailedSubscriptions)
	if s.setState(Polling) {
		s.log.Error(eventPolling, "Redis answers, but the subscription to changes fails; polling instead, which is slower and costs more. "+
			"Check the right to SUBSCRIBE to the channel.", slog.String("channel", s.store.keys.Events),
			slog.Duration("interval", s.timings.Poll), eventlog.Err(err))
	}
	s.redial.set(around(s.timings.Resubscribe, 0.5))
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
		s.reread.set(around(s.timings.Poll, 0.2))
		return
	}
	s.reread.set(around(s.timings.MetaReread, 0.5))
}

func (s *syncer) onReread(ctx context.Context) {
	from := anyNode
	if s.isAwaited() {
		from = primary
	}
	if s.listen {
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
	if s.conn.quiet() > (s.timings.Idle+s.timings.Dead)/2 {
		// A PING is unanswered: most likely the connection is dead and will soon end.
		s.silence.set(s.timings.Dead - s.timings.Idle)
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
	s.log.Warn(eventUndelivered, "A leader is alive, but its messages do not arrive here; reconnecting.")
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
func (s *syncer) silent() time.Duration { return max(s.timings.Dead, 3*s.renew) }

func (s *syncer) state() State { return s.status.Load().state }

// setState reports whether the state changed.
func (s *syncer) setState(state State) bool {
	l := *s.status.Load()
	if l.state == state {
		return false
	}
	from := l.state
	l.state = state
	s.status.Store(&l)
	if state == Polling || from == Polling {
		s.setReread()
	}
	if subscribed := state == Live || state == NoLeader; subscribed && from != Live && from != NoLeader {
		s.log.Info(eventLive, "Subscribed to changes.")
	}
	switch {
	case state == NoLeader:
		s.log.Warn(eventNoLeader, "There is no leader: the config in Redis is not kept current.")
	case state == Live && from == NoLeader:
		s.log.Info(eventLeaderBack, "A leader is alive again.")
	}
	return true
}

// setLeader stores the leader's epoch and poll interval. Values that are not positive change
// nothing.
func (s *syncer) setLeader(epoch int64, poll time.Duration) {
	l := *s.status.Load()
	if poll <= 0 {
		poll = l.poll
	}
	if epoch <= 0 {
		epoch = l.epoch
	}
	if l.epoch == epoch && l.poll == poll {
		return
	}
	l.epoch, l.poll = epoch, poll
	s.status.Store(&l)
}
