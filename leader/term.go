package leader

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/internal/eventlog"
	"github.com/catbridge/catbridge/internal/redisnode"
	"github.com/catbridge/catbridge/internal/subscription"
	"github.com/catbridge/catbridge/internal/wire"
)

// The reasons why a term ends.
var (
	errFenced  = errors.New("the lock was lost")
	errLapsed  = errors.New("no renewal succeeded in time")
	errStopped = errors.New("shutting down")
	errChanged = errors.New("the SDK key's settings changed")
	errRemoved = errors.New("the SDK key was removed")
)

func stopCause(ctx context.Context) error {
	if cause := context.Cause(ctx); errors.Is(cause, errChanged) || errors.Is(cause, errRemoved) || errors.Is(cause, errCrashed) {
		return cause
	}
	return errStopped
}

// term is the time between acquiring the lock and losing it. The content that it last wrote
// or found is the one that it considers current. It is not safe for concurrent use.
type term struct {
	elector *elector
	epoch   int64
	lock    string

	renewedAt time.Time // when the last successful renewal was sent

	rev    int64 // 0: no content yet
	hash   string
	etag   string // as stored
	length int
	cdn    int64 // time of the CDN's last answer, by Redis's clock

	content      *content  // the current content; nil: only Redis has it
	corrupt      bool      // the content in Redis is invalid
	foundAt      int64     // the highest rev found in Redis by a repair in place
	damaged      bool      // parts of the content in Redis are missing or were overwritten
	pending      *content  // to be committed
	answered     time.Time // when the request for the unpublished CDN answer was sent; zero: none
	latest       int64     // answered by Redis's clock, converted when the answer arrived
	answeredHash string    // the hash of the content that the answer confirms

	redisNow int64     // Redis's clock in its last reply
	redisAt  time.Time // when that reply arrived

	refreshSeen int64 // the highest count of refresh requests seen
	polls       pollPlan
	fetch       fetchState
	failing     subscription.Outage // of writes
}

func newTerm(e *elector, g acquireReply, sent time.Time) *term {
	_, epoch := parseHolder(g.lock)
	t := &term{
		elector: e, epoch: epoch, lock: g.lock, renewedAt: sent,
		redisNow: g.now, redisAt: time.Now(), refreshSeen: g.meta.Refresh,
	}
	t.adopt(g.meta, g.now)
	return t
}

// trustedUntil returns when this process stops acting as the leader unless it renews the lock
// before.
func (t *term) trustedUntil() time.Time { return t.renewedAt.Add(t.elector.timing.RenewDeadline) }

// adopt makes the content that meta names the current one. now is Redis's clock.
func (t *term) adopt(m wire.Meta, now int64) {
	t.rev, t.hash, t.etag, t.length, t.cdn = m.Rev, m.Hash, m.ETag, m.Len, m.CDN
	t.elector.observeMeta(m, now)
	if t.content != nil && t.content.hash != t.hash {
		t.content = nil
	}
	t.remember()
}

// remember keeps the term's content for later terms if it is known to be current.
func (t *term) remember() {
	if t.content != nil && t.elector.knowsCurrent(t.content.hash) {
		t.elector.content = t.content
	}
	if t.elector.content != nil && t.elector.content.hash == t.hash {
		t.elector.contentCDN = t.cdn
	}
}

// uncertain reports whether Redis holds content below the highest rev that this process does not
// know to be current. The term then waits for the CDN, see doc.go.
func (t *term) uncertain() bool {
	return t.rev != 0 && t.rev < t.elector.highest && !t.elector.knowsCurrent(t.hash)
}

// confirmed reports whether an unpublished answer of the CDN confirms the content with that
// hash.
func (t *term) confirmed(hash string) bool { return !t.answered.IsZero() && t.answeredHash == hash }

// run leads until the lock is lost or ctx is done.
func (t *term) run(ctx context.Context) {
	e := t.elector
	e.stats.update(func(s *KeyStats) {
		s.State, s.LockHolder, s.Epoch, s.Since = Warm, e.leader.id, t.epoch, time.Now()
		s.Terms++
	})
	e.log().Info(eventLeading, "Started leading.", slog.Int64("epoch", t.epoch), slog.Int64("rev", t.rev))
	signal(e.recheck)
	// The first poll answers earlier refresh requests.
	drain(e.refresh)
	e.leading.Store(true)
	cause := errCrashed
	defer func() { t.end(ctx, cause) }() // also after a panic
	t.loadContent(ctx)
	cause = t.lead(ctx)
}

// end releases the lock unless another process holds it.
func (t *term) end(ctx context.Context, cause error) {
	e := t.elector
	e.leading.Store(false)
	// This process no longer acts as the leader, but releasing the lock may take a while.
	e.stats.update(func(s *KeyStats) { s.State, s.LockHolder = Candidate, "" })
	t.fetch.stop()
	if !errors.Is(cause, errFenced) {
		cause = t.release(ctx, cause)
	}
	e.stats.update(func(s *KeyStats) {
		switch {
		case errors.Is(cause, errFenced):
			s.Fenced++
		case errors.Is(cause, errLapsed):
			s.Lapsed++
		}
	})
	e.stats.update(func(s *KeyStats) { s.Waits = false })
	e.log().Info(eventResigned, "Stopped leading.", slog.Int64("epoch", t.epoch), slog.String("reason", cause.Error()))
}

// lead is the loop of the term. Its deadline only saves requests: a leader that cannot reach
// Redis stops polling the CDN. The scripts refuse late writes (I2).
func (t *term) lead(ctx context.Context) error {
	timing := t.elector.timing
	renew := time.NewTimer(0) // the first heartbeat announces the new leader
	defer renew.Stop()
	deadline := time.NewTimer(time.Until(t.trustedUntil()))
	defer deadline.Stop()
	poll := time.NewTimer(t.nextPoll())
	defer poll.Stop()
	var tried time.Time // the last renewal, successful or not

	for {
		t.elector.setDue(3 * timing.RenewDeadline)
		var err error
		select {
		case <-ctx.Done():
			return stopCause(ctx)
		case <-deadline.C:
			return errLapsed
		case <-renew.C:
			err = t.renew(ctx)
			tried = time.Now()
		case <-poll.C:
			t.startFetch(ctx)
		case <-t.elector.refresh:
			t.onRefreshCount(t.elector.refreshSeq.Load())
			if t.nextPoll() == 0 {
				t.startFetch(ctx)
			}
		case result := <-t.fetch.done:
			err = t.fetched(ctx, result)
		}
		switch {
		case errors.Is(err, errFenced):
			return errFenced
		case ctx.Err() != nil:
			return stopCause(ctx)
		case !time.Now().Before(t.trustedUntil()):
			return errLapsed
		}
		if err != nil {
			redisnode.Reload(ctx, t.elector.store.client)
			t.report(err)
		}
		t.reportUncertain()
		next := t.renewedAt.Add(timing.RenewInterval)
		if t.failing.On() || t.pending != nil {
			next = tried.Add(timing.RenewInterval / 4)
		}
		renew.Reset(max(time.Until(t.elector.leader.align(next)), 0))
		deadline.Reset(time.Until(t.trustedUntil()))
		poll.Reset(t.nextPoll())
	}
}

// report logs the first failed write of an outage, and the first whose cause is permanent.
// [term.applyReply] ends the outage.
func (t *term) report(err error) {
	t.elector.stats.update(func(s *KeyStats) { s.WriteError = err.Error() })
	if t.failing.News(err) {
		t.elector.log().Error(eventRedis, "A write to Redis failed; retrying.", eventlog.Err(err))
		signal(t.elector.recheck)
	}
}

func (t *term) reportUncertain() {
	waits := t.uncertain()
	var began bool
	t.elector.stats.update(func(s *KeyStats) { began, s.Waits = waits && !s.Waits, waits })
	if began {
		t.elector.log().Warn(eventUncertain, "Redis holds a different config at a lower rev: it lost data, or its clock was set back. "+
			"Followers keep their config until the CDN answers.",
			slog.Int64("rev", t.rev), slog.Int64("highest", t.elector.highest))
	}
}

// loadContent gets the current content from memory, or from Redis if it is valid there.
func (t *term) loadContent(ctx context.Context) {
	if t.rev == 0 || t.uncertain() {
		return
	}
	if c := t.elector.content; c != nil && c.hash == t.hash {
		t.content = c
		return
	}
	ctx, cancel := context.WithTimeout(ctx, t.elector.timing.RenewInterval)
	defer cancel()
	c, err := t.elector.store.load(ctx, wire.Meta{Hash: t.hash, ETag: t.etag})
	t.corrupt = err != nil && !errors.Is(err, redis.Nil)
	if err != nil {
		if !errors.Is(err, redis.Nil) && ctx.Err() == nil {
			t.elector.log().Warn(eventOverwritten, "The content in Redis is not usable.", eventlog.Err(err))
		}
		return
	}
	if t.corrupt = t.elector.verify(c) != nil; t.corrupt {
		return
	}
	t.content = c
	t.remember()
}

const releaseTimeout = time.Second

// release releases the lock, in two tries with a timeout each. If both fail, the lock expires.
// It returns why the term ended: cause, or errFenced if a lapsed term turns out to have lost
// the lock.
func (t *term) release(ctx context.Context, cause error) error {
	m := t.message(wire.Resign)
	m.Rev, m.CDN = t.rev, t.cdn
	var err error
	for range 2 {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTimeout)
		var outcome outcome
		outcome, err = t.elector.store.release(ctx, t.lock, m)
		cancel()
		if err == nil {
			if outcome == outcomeFenced && errors.Is(cause, errLapsed) {
				return errFenced
			}
			return cause
		}
	}
	if !errors.Is(cause, errLapsed) {
		t.elector.log().Warn(eventRedis, "Releasing the lock failed; other processes wait until it expires.", eventlog.Err(err))
	}
	return cause
}

// onRefreshCount plans a poll if there is a new refresh request. It receives each count
// twice, from the message and from the next renewal.
func (t *term) onRefreshCount(seq int64) {
	if seq > t.refreshSeen {
		t.elector.stats.update(func(s *KeyStats) { s.Refreshes++ })
		t.refreshSeen = seq
		t.polls.expectChange()
	}
}

func drain(c chan struct{}) {
	select {
	case <-c:
	default:
	}
}
