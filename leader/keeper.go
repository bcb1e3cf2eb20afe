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

// keeper takes part in the election for one SDK key. Two loops alternate, that of a
// candidate and that of a term.
type keeper struct {
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
func (k *keeper) run(ctx context.Context) {
	watching, done := context.WithCancel(ctx)
	var watch sync.WaitGroup
	watch.Go(func() {
		defer k.leader.crash.guard()
		k.watchRights(watching)
	})
	defer func() {
		done()
		watch.Wait()
		k.stopped()
	}()
	for {
		stretch, ok := k.begin(ctx)
		if !ok {
			break
		}
		for stretch.Err() == nil {
			if t, ok := k.campaign(stretch); ok {
				t.run(stretch)
			}
		}
	}
}

func (k *keeper) stopped() {
	k.stats.update(func(s *KeyStats) { s.State = Stopped })
}

// campaign tries to get the lock until it has it, or ctx ends.
func (k *keeper) campaign(ctx context.Context) (*term, bool) {
	k.stats.update(func(s *KeyStats) { s.State = Candidate })
	var failing subscription.Outage
	stuck := false
	for ctx.Err() == nil {
		k.turn(k.timing.StopActing + 2*k.timing.Retry)
		// Trust counts from before the request is sent: how long the reply was under
		// way is not known.
		sent := time.Now()
		g, err := k.acquire(ctx)
		pause := time.Until(k.leader.beat(time.Now().Add(jitter(k.timing.Retry))))
		switch {
		case ctx.Err() != nil:
		case err != nil:
			k.store.reload(ctx)
			k.stats.update(func(s *KeyStats) { s.WriteError = err.Error() })
			if failing.News(err) {
				k.log().Error(eventRedis, "The lock cannot be reached; trying again.", eventlog.Err(err))
				signal(k.recheck)
			}
		case g.outcome == outcomeAcquired:
			return newTerm(k, g, sent), true
		default:
			failing.End()
			k.stats.update(func(s *KeyStats) {
				s.LockHolder, s.Epoch = parseHolder(g.lock)
				s.Rev, s.Hash, s.ETag, s.Length = g.meta.Rev, g.meta.Hash, g.meta.ETag, g.meta.Len
				s.LastAnswer = unixMilli(g.meta.CDN)
			})
			if g.left > 0 {
				pause = min(pause, g.left+time.Millisecond)
			} else if !stuck {
				stuck = true
				k.log().Error(eventStuck, "The lock never expires, so that nobody can take over: delete it.", slog.String("key", k.store.keys.Lock))
			}
		}
		k.sleep(ctx, pause)
	}
	return nil, false
}

func (k *keeper) acquire(ctx context.Context) (grant, error) {
	ctx, cancel := context.WithTimeout(ctx, k.timing.StopActing/2)
	defer cancel()
	g, err := k.store.acquire(ctx, max(k.highest, k.epoch))
	if err != nil {
		return grant{}, err
	}
	k.epoch = max(k.epoch, g.meta.Epoch)
	k.sawMeta(g.meta, g.now)
	k.stats.update(func(s *KeyStats) {
		s.contact()
		s.clock(g.now)
		s.WriteError = ""
	})
	return g, nil
}

// turn says by when the loop goes round again.
func (k *keeper) turn(within time.Duration) {
	due := time.Now().Add(within)
	k.stats.update(func(s *KeyStats) { s.Due = due })
}

// sleep ends early when a leader resigns.
func (k *keeper) sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-k.wake:
	case <-timer.C:
	}
}

// sawMeta notes what meta says, at a moment of Redis's clock. Content at a lower rev than
// the highest seen is not current because Redis holds it: Redis may have lost data.
func (k *keeper) sawMeta(m cachekeys.Meta, now int64) {
	k.replaced.addMeta(m, now)
	switch {
	case m.Rev == 0:
	case m.Hash == "": // somebody spoilt it
		k.highest = max(k.highest, m.Rev)
	case m.Rev >= k.highest:
		k.sawCurrent(m.Rev, m.Hash)
	case m.Hash != k.currentHash && now <= k.highest:
		k.disordered = true
	}
}

// sawCurrent notes the content of the highest rev.
func (k *keeper) sawCurrent(rev int64, hash string) {
	k.highest, k.currentHash, k.disordered = rev, hash, false
}

// knows reports whether this process knows that the content of that hash is current, as
// far as anybody can without the CDN. If another leader has replaced it unseen, followers
// hold a higher rev already, since healing does not move rev to the present.
func (k *keeper) knows(hash string) bool { return hash != "" && hash == k.currentHash && !k.disordered }

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
