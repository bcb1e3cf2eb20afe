package leader

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/catbridge/catbridge/internal/eventlog"
	"github.com/catbridge/catbridge/internal/redisnode"
	"github.com/catbridge/catbridge/internal/subscription"
	"github.com/catbridge/catbridge/internal/wire"
	"github.com/catbridge/catbridge/leader/internal/script"
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
	// inForce is the seq of the control in force, as meta has it; 0: there is none.
	inForce int64
	// controlCause is why what is in force changed last.
	controlCause wire.Cause

	patches      wire.Patches // see [term.currentPatches]
	content      *content     // the current content; nil: only Redis has it
	corrupt      bool         // the content in Redis is invalid
	foundAt      int64        // the highest rev found in Redis by a repair in place
	damaged      bool         // parts of the content in Redis are missing or were overwritten
	damage       damage       // as it was logged
	pending      *content     // to be committed
	answered     time.Time    // when the request for the unpublished CDN answer was sent; zero: none
	latest       int64        // answered by Redis's clock, converted when the answer arrived
	answeredHash string       // the hash of the content that the answer confirms

	redisNow int64     // Redis's clock in its last reply
	redisAt  time.Time // when that reply arrived

	refreshSeen int64 // the highest count of refresh requests seen
	polls       pollPlan
	fetch       fetchState
	failing     subscription.Outage // of writes
}

func newTerm(e *elector, g script.AcquireReply, sent time.Time) *term {
	_, epoch := parseHolder(g.Lock)
	t := &term{
		elector: e, epoch: epoch, lock: g.Lock, renewedAt: sent,
		redisNow: g.Now, redisAt: time.Now(), refreshSeen: g.Meta.Refresh,
	}
	e.ledEpoch = epoch
	if e.acted != nil {
		e.acted = &acted{e.acted.Control, e.acted.pinned, epoch, e.acted.seen}
	}
	t.adopt(g.Meta, g.Now)
	return t
}

// trustedUntil returns when this process stops acting as the leader unless it renews the lock
// before.
func (t *term) trustedUntil() time.Time { return t.renewedAt.Add(t.elector.timings.RenewDeadline) }

// run leads until the lock is lost or ctx is done.
func (t *term) run(ctx context.Context) {
	e := t.elector
	e.stats.update(func(s *KeyStats) {
		s.State, s.LockHolder, s.Epoch, s.Since = StateWarm, e.leader.id, t.epoch, time.Now()
		s.Terms++
		s.InForce = e.inForce()
	})
	e.log().Info(eventLeading, "Started leading.", slog.Int64("epoch", t.epoch), slog.Int64("rev", t.rev))
	signal(e.recheck)
	// The first poll answers earlier refresh requests.
	drain(e.refresh)
	drain(e.changed) // the first renewal returns the seq
	e.leading.Store(true)
	cause := errCrashed
	defer func() { t.end(ctx, cause) }() // also after a panic
	t.loadContent(ctx)
	t.loadPatches(ctx, t.content)
	cause = t.lead(ctx)
}

// end releases the lock unless another process holds it.
func (t *term) end(ctx context.Context, cause error) {
	e := t.elector
	e.leading.Store(false)
	// This process no longer acts as the leader, but releasing the lock may take a while.
	e.stats.update(func(s *KeyStats) { s.State, s.LockHolder = StateCandidate, "" })
	defer t.fetch.endSpan()
	t.fetch.stop()
	if !errors.Is(cause, errFenced) {
		cause = t.release(ctx, cause)
	}
	e.stats.update(func(s *KeyStats) {
		s.Waits, s.Suspended = false, ""
		if !e.noHistory.Load() {
			s.HistoryError = "" // another leader extends it
		}
		switch {
		case errors.Is(cause, errFenced):
			s.Fenced++
		case errors.Is(cause, errLapsed):
			s.Lapsed++
		}
	})
	e.log().Info(eventResigned, "Stopped leading.", slog.Int64("epoch", t.epoch), slog.String("reason", cause.Error()))
}

// lead is the loop of the term. Its deadline only saves requests: a leader that cannot reach
// Redis stops polling the CDN. The scripts refuse late writes (I2).
func (t *term) lead(ctx context.Context) error {
	timings := t.elector.timings
	renew := time.NewTimer(0) // the first heartbeat announces the new leader
	defer renew.Stop()
	deadline := time.NewTimer(time.Until(t.trustedUntil()))
	defer deadline.Stop()
	poll := time.NewTimer(t.nextPoll())
	defer poll.Stop()
	var tried time.Time // the last renewal, successful or not

	for {
		t.elector.setDue(3 * timings.RenewDeadline)
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
		case <-t.elector.changed:
			err = t.onControl(ctx)
		case result := <-t.fetch.done:
			err = t.fetched(result)
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
			redisnode.Reload(ctx, t.elector.leader.cfg.Redis)
			t.report(err)
		}
		t.reportUncertain()
		next := t.renewedAt.Add(timings.RenewInterval)
		if t.failing.On() || t.pending != nil {
			next = tried.Add(timings.RenewInterval / 4)
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
		var outcome script.Outcome
		outcome, err = t.elector.store.Release(ctx, t.lock, m)
		cancel()
		if err == nil {
			if outcome == script.Fenced && errors.Is(cause, errLapsed) {
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
