package follower

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/internal/eventlog"
)

// ErrClosed is given by calls that a closed client cannot do any more.
var ErrClosed = errors.New("follower: the client is closed")

// feed keeps the config of one SDK key in one Redis current: one goroutine that
// syncs, and one for the connection it listens on. What evaluation needs of it is
// read without a lock. All clients of one process that want the same of it share it.
type feed struct {
	redis          redis.UniversalClient
	store          *store
	timings        Timings
	connectLimiter *connectLimiter
	listen         bool // it subscribes; else it reads when it is asked to
	fleet          fleetOptions
	log            feedLog
	members        members

	current   atomic.Pointer[snapshot]
	confirmed atomic.Pointer[answer]
	status    atomic.Pointer[status]
	lag       atomic.Int64 // of the last change, a [time.Duration]; 0: not known
	tally

	changed chan struct{} // a level trigger for the reporter: other content is in force

	files chan struct{} // capacity 1: a client has brought a file
	file  *snapshot     // of the highest rev; members' lock guards it

	synced   chan struct{} // closed once the first sync has been tried
	syncOnce sync.Once

	refreshes chan *refresh
	refreshMu sync.Mutex
	pending   [2]*refresh // that the sync goroutine has not finished: of what is current, of all

	cancel context.CancelFunc
	done   chan struct{}
}

// status is how the feed is connected, and whom it heard of last. Immutable.
type status struct {
	state State
	epoch int64
	poll  time.Duration
}

// refresh is one forced sync; all who ask meanwhile wait for the same one (S45).
type refresh struct {
	kind int // index in pending
	done chan struct{}
	err  error
}

func newFeed(key feedKey, limiter *connectLimiter) *feed {
	f := &feed{
		redis: key.redis, store: newStore(key.redis, key.keys), timings: key.timings, connectLimiter: limiter, listen: key.listen, fleet: key.fleet,
		changed: make(chan struct{}, 1), files: make(chan struct{}, 1),
		synced: make(chan struct{}), refreshes: make(chan *refresh, 2), done: make(chan struct{}),
	}
	f.log = feedLog{&f.members}
	f.members.clock.base = time.Now()
	f.store.reader.Warn = func(denial error) {
		f.log.Warn(eventUnbounded, "Values in Redis are read whole, whatever their size: the right to GETRANGE is missing. Grant +getrange and start again.",
			eventlog.Err(denial))
	}
	state := Unsubscribed
	if key.listen {
		state = Connecting
	}
	f.status.Store(&status{state: state, poll: defaultPoll})
	return f
}

// start lets the feed sync at once, until stop.
func (f *feed) start() {
	ctx, cancel := context.WithCancel(context.Background())
	f.cancel = cancel
	var goroutines sync.WaitGroup
	goroutines.Go(func() { newSyncer(f).run(ctx) })
	if f.fleet.interval > 0 {
		goroutines.Go(func() { newReporter(f, f.fleet).run(ctx) })
	}
	go func() {
		goroutines.Wait()
		close(f.done)
	}()
}

// stop ends the feed and waits for its goroutines. The content stays.
func (f *feed) stop() {
	f.cancel()
	<-f.done
}

func (f *feed) markSynced() { f.syncOnce.Do(func() { close(f.synced) }) }

// isSynced tells whether the first sync has been tried.
func (f *feed) isSynced() bool {
	select {
	case <-f.synced:
		return true
	default:
		return false
	}
}

// refresh reads the content from Redis now, whatever is held, or, if full is not set,
// only if Redis names another one.
func (f *feed) refresh(ctx context.Context, full bool) error {
	kind := 0
	if full {
		kind = 1
	}
	f.refreshMu.Lock()
	r := f.pending[kind]
	if r == nil {
		r = &refresh{kind: kind, done: make(chan struct{})}
		f.pending[kind] = r
		f.refreshes <- r // has room: there is one of a kind at a time
	}
	f.refreshMu.Unlock()
	select {
	case <-r.done:
		return r.err
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-f.done:
		return ErrClosed
	}
}

// finish gives all who wait for r its result.
func (f *feed) finish(r *refresh, err error) {
	f.refreshMu.Lock()
	f.pending[r.kind] = nil
	f.refreshMu.Unlock()
	r.err = err
	close(r.done)
}
