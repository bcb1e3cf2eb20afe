package leader

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/catbridge/catbridge/internal/acl"
	"github.com/catbridge/catbridge/internal/eventlog"
	"github.com/catbridge/catbridge/internal/redisnode"
	"github.com/catbridge/catbridge/internal/subscription"
	"github.com/catbridge/catbridge/internal/wire"
	"github.com/catbridge/catbridge/leader/internal/hook"
	"github.com/catbridge/catbridge/leader/internal/script"
)

// elector takes part in the election for one SDK key: campaign is the loop of a candidate,
// [term.run] that of a leader.
type elector struct {
	leader   *Leader
	timings  Timings
	store    *script.Store
	stats    keyStats
	steering steering

	replays      hook.Replays
	hookReported time.Time // when a refused webhook was logged last; guarded by stats.mu

	wake    chan struct{} // a leader resigned
	refresh chan struct{}
	changed chan struct{} // operators changed the control
	recheck chan struct{} // Redis failed, or answers again: check the user's rights
	// refreshSeq is the number of the last refresh request received.
	refreshSeq atomic.Int64
	leading    atomic.Bool  // a term is running
	hookSeq    atomic.Int64 // the number of the last refresh request known to be a webhook's
	noHistory  atomic.Bool  // the user of Redis lacks a right that the history needs

	receivers receiverPeak // of the published messages

	// highest is the highest rev that this process has seen, epoch the highest epoch. They
	// are separate: a rev raised to an epoch would make repaired content outrank newer content.
	highest int64
	epoch   int64
	// currentHash is the hash of the content at rev highest. This process knows it to be current
	// unless disordered is set: Redis then held other content at a lower rev, and its clock was
	// behind highest.
	currentHash string
	disordered  bool
	// content is the last content that this process held and knew to be current.
	content    *content
	contentCDN int64 // when the CDN last confirmed content, by Redis's clock
	// acted is the control that this process acted on last as the leader, or has seen since; nil: none.
	acted    *acted
	ledEpoch int64 // of this process's last term
	// believed is the ETag that was believed last, committed or not.
	believed string
	replaced replacedMemory
	// lastFetch is when the last fetch started.
	lastFetch time.Time
	// notBefore is when the CDN may be asked again, by its Retry-After (S85).
	notBefore time.Time
	server    string // the server to which notBefore applies
}

// run takes part in the election until ctx is done or the SDK key is removed.
func (e *elector) run(ctx context.Context) {
	watching, done := context.WithCancel(ctx)
	var watch sync.WaitGroup
	watch.Go(func() {
		defer e.leader.crash.guard()
		e.leader.rights.Watch(watching, e.settings().Key, e.timings.RenewDeadline/2, e.recheck, e.reportRights)
	})
	defer func() {
		done()
		watch.Wait()
		e.stopped()
	}()
	for {
		electing, ok := e.begin(ctx)
		if !ok {
			break
		}
		for electing.Err() == nil {
			if t, ok := e.campaign(electing); ok {
				t.run(electing)
			}
		}
	}
}

func (e *elector) stopped() {
	e.stats.update(func(s *KeyStats) { s.State = StateStopped })
}

// reportRights records the rights that the Redis user lacks; nil: none.
func (e *elector) reportRights(lacking *acl.RightsError) {
	var missing, history, before []string
	if lacking != nil {
		missing, history = lacking.Required(), lacking.Missing
	}
	if len(missing) == 0 {
		e.reportHistoryRights(history)
	}
	e.stats.update(func(s *KeyStats) { before, s.MissingRights = s.MissingRights, missing })
	switch {
	case slices.Equal(before, missing):
	case len(missing) == 0:
		e.log().Info(eventRights, "The user of Redis has all rights now.")
	default:
		e.log().Error(eventNoRights, "The user of Redis lacks rights; grant them by ACL SETUSER.",
			slog.String("rules", strings.Join(missing, " ")), slog.String("nodes", strings.Join(lacking.Nodes, " ")))
	}
}

// campaign tries to acquire the lock until it succeeds or ctx is done.
func (e *elector) campaign(ctx context.Context) (*term, bool) {
	e.stats.update(func(s *KeyStats) { s.State = StateCandidate })
	var failing subscription.Outage
	stuck := false
	for ctx.Err() == nil {
		e.setDue(e.timings.RenewDeadline + 2*e.timings.RetryPeriod)
		// The lease counts from before the request was sent: Redis may have executed the
		// script at once.
		sent := time.Now()
		g, err := e.acquire(ctx)
		pause := time.Until(e.leader.align(time.Now().Add(jitter(e.timings.RetryPeriod))))
		switch {
		case ctx.Err() != nil:
		case err != nil:
			redisnode.Reload(ctx, e.leader.cfg.Redis)
			e.stats.update(func(s *KeyStats) { s.WriteError = err.Error() })
			if failing.News(err) {
				e.log().Error(eventRedis, "Acquiring the lock failed; retrying.", eventlog.Err(err))
				signal(e.recheck)
			}
		case g.Outcome == script.Acquired:
			return newTerm(e, g, sent), true
		default:
			failing.End()
			e.followControl(ctx, g)
			e.stats.update(func(s *KeyStats) {
				s.LockHolder, s.Epoch = parseHolder(g.Lock)
				s.Rev, s.Hash, s.ETag, s.Length = g.Meta.Rev, g.Meta.Hash, g.Meta.ETag, g.Meta.Len
				s.LastAnswer, s.InForce = unixMilli(g.Meta.CDN), g.Meta.Control
			})
			if g.Left > 0 {
				pause = min(pause, g.Left+time.Millisecond)
			} else if !stuck {
				stuck = true
				e.log().Error(eventStuck, "The lock has no expiry, so no process can take over: delete it.", slog.String("key", e.store.Keys().Lock))
			}
		}
		e.sleep(ctx, pause)
	}
	return nil, false
}

func (e *elector) acquire(ctx context.Context) (script.AcquireReply, error) {
	ctx, cancel := context.WithTimeout(ctx, e.timings.RenewDeadline/2)
	defer cancel()
	g, err := e.store.Acquire(ctx, max(e.highest, e.epoch))
	if err != nil {
		return script.AcquireReply{}, err
	}
	if former := max(e.epoch, g.Former); g.Outcome == script.Acquired && e.acted != nil && former > e.acted.epoch {
		e.acted = nil // another process led meanwhile, and may have acted on a later one
	}
	if former := max(e.epoch, g.Former); g.Outcome == script.Acquired && e.content != nil && e.content.source != nil && former > e.ledEpoch {
		own := *e.content // the CDN may have served other content meanwhile
		own.source = nil
		e.content = &own
	}
	e.epoch = max(e.epoch, g.Meta.Epoch)
	e.observeMeta(g.Meta, g.Now)
	e.stats.update(func(s *KeyStats) {
		s.contact()
		s.clock(g.Now)
		s.WriteError = ""
	})
	return g, nil
}

func (e *elector) setDue(within time.Duration) {
	due := time.Now().Add(within)
	e.stats.update(func(s *KeyStats) { s.Due = due })
}

// sleep pauses for d, or until a leader resigns, the control changes or ctx is done.
func (e *elector) sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-e.wake:
	case <-e.changed:
	case <-timer.C:
	}
}

// observeMeta records the rev, the hash and the replaced ETags of meta. now is Redis's clock
// in the same reply. Content below the highest rev does not count as current: Redis may have
// lost data.
func (e *elector) observeMeta(m wire.Meta, now int64) {
	e.replaced.addMeta(m, now)
	switch {
	case m.Rev == 0:
	case m.Hash == "": // meta is corrupt
		e.highest = max(e.highest, m.Rev)
	case m.Rev >= e.highest:
		e.observeCurrent(m.Rev, m.Hash)
	case m.Hash != e.currentHash && now <= e.highest:
		e.disordered = true
	}
}

func (e *elector) observeCurrent(rev int64, hash string) {
	e.highest, e.currentHash, e.disordered = rev, hash, false
}

// knowsCurrent reports whether, as far as this process can know without the CDN, the content
// with that hash is current. If another leader has replaced it unseen, followers keep their
// higher rev: a repair does not raise rev to the present.
func (e *elector) knowsCurrent(hash string) bool {
	return hash != "" && hash == e.currentHash && !e.disordered
}

// jitter returns d ± 20 %.
func jitter(d time.Duration) time.Duration {
	return d - d/5 + rand.N(2*d/5+1)
}

// holdUntil prevents polls until at (S85).
func (e *elector) holdUntil(at time.Time) {
	e.notBefore = at
	e.stats.update(func(s *KeyStats) { s.HeldUntil = at })
}

// signal sends without blocking. Signals that nobody has received yet count as one.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func drain(c chan struct{}) {
	select {
	case <-c:
	default:
	}
}
