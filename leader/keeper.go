package leader

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/internal/eventlog"
	"github.com/catbridge/catbridge/internal/subscription"
)

// elector takes part in the election for one SDK key. Two loops alternate, that of a
// candidate and that of a term.
type elector struct {
	leader  *Leader
	timing  Timing
	store   store
	stats   keyStats
	control control
	hooks   hooks

	wake    chan struct{} // a leader resigned: try now
	refresh chan struct{} // a refresh was asked for
	recheck chan struct{} // Redis failed, or answers again: see what the user may do
	// refreshSeq is the number of the last refresh request heard of.
	refreshSeq atomic.Int64
	leading    atomic.Bool // a term is under way

	receivers receiverPeak // of the messages published

	// highest is the highest rev that this process ever saw, epoch the last epoch. An
	// epoch tells the time: it must not raise a rev, since healing would then outrank
	// what is newer.
	highest int64
	epoch   int64
	// currentHash is of the content at rev highest, whoever wrote it: what this process
	// knows as current. disordered: Redis held other content at a lower rev while its clock
	// was behind highest, so that revs do not tell which of the two is newer.
	currentHash string
	disordered  bool
	// content is what this process last held that it knew as current.
	content    *content
	contentCDN int64 // when the CDN last confirmed it, by Redis's clock
	// believed is the ETag that the CDN served last and that was believed, whether or not
	// it was committed since; replaced are those that were replaced in these two minutes.
	believed string
	replaced replacedMemory
	// lastFetch is when the last fetch was started: there is at most one a second.
	lastFetch time.Time
	// notBefore is when the server may be asked again, by its Retry-After (S85).
	notBefore time.Time
	server    string
}

// run takes part until ctx ends or the SDK key is removed.
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
		stretch, ok := e.begin(ctx)
		if !ok {
			break
		}
		for stretch.Err() == nil {
			if t, ok := e.campaign(stretch); ok {
				t.run(stretch)
			}
		}
	}
}

func (e *elector) stopped() {
	e.stats.update(func(s *KeyStats) { s.State = Stopped })
}

// campaign tries to get the lock until it has it, or ctx ends.
func (e *elector) campaign(ctx context.Context) (*term, bool) {
	e.stats.update(func(s *KeyStats) { s.State = Candidate })
	var failing subscription.Outage
	stuck := false
	for ctx.Err() == nil {
		e.setDue(e.timing.RenewDeadline + 2*e.timing.RetryPeriod)
		// Trust counts from before the request is sent: how long the reply was under
		// way is not known.
		sent := time.Now()
		g, err := e.acquire(ctx)
		pause := time.Until(e.leader.beat(time.Now().Add(jitter(e.timing.RetryPeriod))))
		switch {
		case ctx.Err() != nil:
		case err != nil:
			e.store.reload(ctx)
			e.stats.update(func(s *KeyStats) { s.WriteError = err.Error() })
			if failing.News(err) {
				e.log().Error(eventRedis, "The lock cannot be reached; trying again.", eventlog.Err(err))
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
				e.log().Error(eventStuck, "The lock never expires, so that nobody can take over: delete it.", slog.String("key", e.store.keys.Lock))
			}
		}
		e.sleep(ctx, pause)
	}
	return nil, false
}

func (e *elector) acquire(ctx context.Context) (grant, error) {
	ctx, cancel := context.WithTimeout(ctx, e.timing.RenewDeadline/2)
	defer cancel()
	g, err := e.store.acquire(ctx, max(e.highest, e.epoch))
	if err != nil {
		return grant{}, err
	}
	e.epoch = max(e.epoch, g.meta.Epoch)
	e.sawMeta(g.meta, g.now)
	e.stats.update(func(s *KeyStats) {
		s.contact()
		s.clock(g.now)
		s.WriteError = ""
	})
	return g, nil
}

// setDue says by when the loop goes round again.
func (e *elector) setDue(within time.Duration) {
	due := time.Now().Add(within)
	e.stats.update(func(s *KeyStats) { s.Due = due })
}

// sleep ends early when a leader resigns.
func (e *elector) sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-e.wake:
	case <-timer.C:
	}
}

// sawMeta notes what meta says, at a moment of Redis's clock. Content at a lower rev than
// the highest seen is not current because Redis holds it: Redis may have lost data.
func (e *elector) sawMeta(m cachekeys.Meta, now int64) {
	e.replaced.addMeta(m, now)
	switch {
	case m.Rev == 0:
	case m.Hash == "": // somebody spoilt it
		e.highest = max(e.highest, m.Rev)
	case m.Rev >= e.highest:
		e.sawCurrent(m.Rev, m.Hash)
	case m.Hash != e.currentHash && now <= e.highest:
		e.disordered = true
	}
}

// sawCurrent notes the content of the highest rev.
func (e *elector) sawCurrent(rev int64, hash string) {
	e.highest, e.currentHash, e.disordered = rev, hash, false
}

// knows reports whether this process knows that the content of that hash is current, as
// far as anybody can without the CDN. If another leader has replaced it unseen, followers
// hold a higher rev already, since healing does not move rev to the present.
func (e *elector) knows(hash string) bool {
	return hash != "" && hash == e.currentHash && !e.disordered
}

// jitter returns d ± 20 %.
func jitter(d time.Duration) time.Duration {
	return d - d/5 + rand.N(2*d/5+1)
}

// signal is a level trigger: one is as good as many.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
