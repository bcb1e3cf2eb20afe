package leader

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/catbridge/catbridge/internal/eventlog"
	"github.com/catbridge/catbridge/internal/redisnode"
	"github.com/catbridge/catbridge/internal/subscription"
	"github.com/catbridge/catbridge/internal/wire"
)

// elector takes part in the election for one SDK key: campaign is the loop of a candidate,
// [term.run] that of a leader.
type elector struct {
	leader  *Leader
	timing  Timing
	store   store
	stats   keyStats
	control control
	hooks   hooks

	wake    chan struct{} // a leader resigned
	refresh chan struct{}
	recheck chan struct{} // Redis failed, or answers again: check the user's rights
	// refreshSeq is the number of the last refresh request received.
	refreshSeq atomic.Int64
	leading    atomic.Bool // a term is running

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
		e.watchRights(watching)
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
	e.stats.update(func(s *KeyStats) { s.State = Stopped })
}

// campaign tries to acquire the lock until it succeeds or ctx is done.
func (e *elector) campaign(ctx context.Context) (*term, bool) {
	e.stats.update(func(s *KeyStats) { s.State = Candidate })
	var failing subscription.Outage
	stuck := false
	for ctx.Err() == nil {
		e.setDue(e.timing.RenewDeadline + 2*e.timing.RetryPeriod)
		// The lease counts from before the request was sent: Redis may have executed the
		// script at once.
		sent := time.Now()
		g, err := e.acquire(ctx)
		pause := time.Until(e.leader.align(time.Now().Add(jitter(e.timing.RetryPeriod))))
		switch {
		case ctx.Err() != nil:
		case err != nil:
			redisnode.Reload(ctx, e.store.client)
			e.stats.update(func(s *KeyStats) { s.WriteError = err.Error() })
			if failing.News(err) {
				e.log().Error(eventRedis, "Acquiring the lock failed; retrying.", eventlog.Err(err))
				signal(e.recheck)
			}
		case g.outcome == outcomeAcquired:
			return newTerm(e, g, sent), true
		default:
			failing.End()
			e.stats.update(func(s *KeyStats) {
				s.LockHolder, s.Epoch = parseHolder(g.lock)
				s.Rev, s.Hash, s.ETag, s.Length = g.meta.Rev, g.meta.Hash, g.meta.ETag, g.meta.Len
				s.LastAnswer = unixMilli(g.meta.CDN)
			})
			if g.left > 0 {
				pause = min(pause, g.left+time.Millisecond)
			} else if !stuck {
				stuck = true
				e.log().Error(eventStuck, "The lock has no expiry, so no process can take over: delete it.", slog.String("key", e.store.keys.Lock))
			}
		}
		e.sleep(ctx, pause)
	}
	return nil, false
}

func (e *elector) acquire(ctx context.Context) (acquireReply, error) {
	ctx, cancel := context.WithTimeout(ctx, e.timing.RenewDeadline/2)
	defer cancel()
	g, err := e.store.acquire(ctx, max(e.highest, e.epoch))
	if err != nil {
		return acquireReply{}, err
	}
	e.epoch = max(e.epoch, g.meta.Epoch)
	e.observeMeta(g.meta, g.now)
	e.stats.update(func(s *KeyStats) {
		s.contact()
		s.clock(g.now)
		s.WriteError = ""
	})
	return g, nil
}

func (e *elector) setDue(within time.Duration) {
	due := time.Now().Add(within)
	e.stats.update(func(s *KeyStats) { s.Due = due })
}

// sleep pauses for d, or until a leader resigns or ctx is done.
func (e *elector) sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-e.wake:
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

// signal sends without blocking. Signals that nobody has received yet count as one.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
