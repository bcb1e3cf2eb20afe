package leader

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/internal/eventlog"
	"github.com/catbridge/catbridge/internal/subscription"
)

// Why a term ended.
var (
	errFenced  = errors.New("the lock is not ours any more")
	errLapsed  = errors.New("no renewal came through in time")
	errStopped = errors.New("shutting down")
	errChanged = errors.New("the SDK key's settings changed")
	errRemoved = errors.New("the SDK key was removed")
)

// stopCause tells why ctx ended.
func stopCause(ctx context.Context) error {
	if cause := context.Cause(ctx); errors.Is(cause, errChanged) || errors.Is(cause, errRemoved) || errors.Is(cause, errCrashed) {
		return cause
	}
	return errStopped
}

// term is the time between getting the lock and losing it. It belongs to one
// goroutine. What it takes for current is what it last wrote or found.
type term struct {
	elector *elector
	epoch   int64
	lock    string // the lock's value

	renewedAt time.Time // when the last successful renewal was sent

	rev    int64 // current; 0: no content yet
	hash   string
	etag   string // as stored
	length int
	cdn    int64 // time of the last CDN answer by Redis's clock

	content      *content  // the current content; nil: it is only in Redis
	corrupt      bool      // the content in Redis cannot be taken over
	foundAt      int64     // the rev at which what is to be repaired was found
	damaged      bool      // parts of what stands in Redis are missing or not as they were written
	pending      *content  // fetched, not yet committed
	answered     time.Time // when the request was sent whose answer no write has told yet; zero: none
	latest       int64     // that moment by Redis's clock as heard before: a clock that jumps makes no answer later
	answeredHash string    // the hash of the content that it is about

	redisNow int64 // Redis's clock
	redisAt  time.Time

	asked   int64 // refresh requests seen
	polls   pollPlan
	fetch   fetchState
	failing subscription.Outage // of writes
}

func newTerm(e *elector, g grant, sent time.Time) *term {
	_, epoch := parseHolder(g.lock)
	t := &term{
		elector: e, epoch: epoch, lock: g.lock, renewedAt: sent,
		redisNow: g.now, redisAt: time.Now(), asked: g.meta.Refresh,
	}
	t.adopt(g.meta, g.now)
	return t
}

// trustedUntil returns when this process stops acting as the leader, unless the lock is
// renewed before.
func (t *term) trustedUntil() time.Time { return t.renewedAt.Add(t.elector.timing.RenewDeadline) }

// adopt takes over what meta says, at a moment of Redis's clock.
func (t *term) adopt(m cachekeys.Meta, now int64) {
	t.rev, t.hash, t.etag, t.length, t.cdn = m.Rev, m.Hash, m.ETag, m.Len, m.CDN
	t.elector.sawMeta(m, now)
	if t.content != nil && t.content.hash != t.hash {
		t.content = nil
	}
	t.keep()
}

// keep keeps the content of this term, for later terms, if it is known as current.
func (t *term) keep() {
	if t.content != nil && t.elector.knows(t.content.hash) {
		t.elector.content = t.content
	}
	if t.elector.content != nil && t.elector.content.hash == t.hash {
		t.elector.contentCDN = t.cdn
	}
}

// uncertain reports whether Redis holds other content than what this process knows as
// current, at a lower rev: Redis lost data, or the clock behind the revs was set back.
// Which content is current only the CDN can tell. Until it does, nothing is written above
// the highest rev but what is known as current, see [term.restorable].
func (t *term) uncertain() bool {
	return t.rev != 0 && t.rev < t.elector.highest && !t.elector.knows(t.hash)
}

// confirmed reports whether an answer of the CDN is still to be told, and is about the
// content of that hash.
func (t *term) confirmed(hash string) bool { return !t.answered.IsZero() && t.answeredHash == hash }

// run leads until the lock is lost or ctx ends.
func (t *term) run(ctx context.Context) {
	e := t.elector
	e.stats.update(func(s *KeyStats) {
		s.State, s.LockHolder, s.Epoch, s.Since = Warm, e.leader.id, t.epoch, time.Now()
		s.Terms++
	})
	e.log().Info(eventLeading, "Leading.", slog.Int64("epoch", t.epoch), slog.Int64("rev", t.rev))
	signal(e.recheck)
	// What was asked for before is answered by the first poll.
	drain(e.refresh)
	e.leading.Store(true)
	cause := errCrashed
	defer func() { t.end(ctx, cause) }() // also where what follows panics
	t.loadContent(ctx)
	cause = t.lead(ctx)
}

// end releases the lock, unless it is another's.
func (t *term) end(ctx context.Context, cause error) {
	e := t.elector
	e.leading.Store(false)
	// It does not act any more, though to give the lock up may take a while.
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
	e.log().Info(eventResigned, "Not leading any more.", slog.Int64("epoch", t.epoch), slog.String("reason", cause.Error()))
}

// lead is the loop of the term. Everything it writes is fenced by the script that
// writes it (I2); the deadline is for economy, so that a leader that cannot reach
// Redis stops polling the CDN.
func (t *term) lead(ctx context.Context) error {
	timing := t.elector.timing
	renew := time.NewTimer(0) // the first heartbeat tells followers of the new leader
	defer renew.Stop()
	deadline := time.NewTimer(time.Until(t.trustedUntil()))
	defer deadline.Stop()
	poll := time.NewTimer(t.nextPoll())
	defer poll.Stop()
	var tried time.Time // the last renewal, whether or not it came through

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
			t.refreshAsked(t.elector.refreshSeq.Load())
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
			t.elector.store.reload(ctx)
			t.report(err)
		}
		t.reportUncertain()
		next := t.renewedAt.Add(timing.RenewInterval)
		if t.failing.On() || t.pending != nil {
			next = tried.Add(timing.RenewInterval / 4)
		}
		renew.Reset(max(time.Until(t.elector.leader.beat(next)), 0))
		deadline.Reset(time.Until(t.trustedUntil()))
		poll.Reset(t.nextPoll())
	}
}

// report logs what is news of a row of failures; wrote ends the row.
func (t *term) report(err error) {
	t.elector.stats.update(func(s *KeyStats) { s.WriteError = err.Error() })
	if t.failing.News(err) {
		t.elector.log().Error(eventRedis, "A write to Redis failed; trying again.", eventlog.Err(err))
		signal(t.elector.recheck)
	}
}

// reportUncertain logs when the term begins to wait for the CDN.
func (t *term) reportUncertain() {
	waits := t.uncertain()
	var began bool
	t.elector.stats.update(func(s *KeyStats) { began, s.Waits = waits && !s.Waits, waits })
	if began {
		t.elector.log().Warn(eventUncertain, "Redis holds another config than it did, at a lower rev: it lost data, or its clock was set back. "+
			"Followers keep the newer one, until the CDN tells which one is current.",
			slog.Int64("rev", t.rev), slog.Int64("highest", t.elector.highest))
	}
}

// loadContent takes the current content from memory or from Redis, if it is intact.
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
	c, err := t.elector.store.load(ctx, cachekeys.Meta{Hash: t.hash, ETag: t.etag})
	t.corrupt = err != nil && !errors.Is(err, redis.Nil)
	if err != nil {
		if !errors.Is(err, redis.Nil) && ctx.Err() == nil {
			t.elector.log().Warn(eventOverwritten, "The content in Redis cannot be taken over.", eventlog.Err(err))
		}
		return
	}
	if t.corrupt = t.elector.verify(c) != nil; t.corrupt {
		return
	}
	t.content = c
	t.keep()
}

const releaseTimeout = time.Second

// release gives the lock up, in a few bounded tries; its expiry is the net. It tells
// why the term ended: an answer that the lock is another's is the better reason.
func (t *term) release(ctx context.Context, cause error) error {
	m := t.message(cachekeys.Resign)
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
		t.elector.log().Warn(eventRedis, "The lock could not be released; others wait until it expires.", eventlog.Err(err))
	}
	return cause
}

// refreshAsked polls for a request that no poll has answered yet. It is told of each
// twice, by the message and by the next renewal.
func (t *term) refreshAsked(seq int64) {
	if seq > t.asked {
		t.elector.stats.update(func(s *KeyStats) { s.Refreshes++ })
		t.asked = seq
		t.polls.await()
	}
}

func drain(c chan struct{}) {
	select {
	case <-c:
	default:
	}
}
