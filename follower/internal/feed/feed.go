package follower

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/internal/eventlog"
)

// feed keeps the config of one SDK key from one Redis current. Evaluations read its results
// without a lock. All clients of a process with the same feedKey share it.
type feed struct {
	redis          redis.UniversalClient
	store          *store
	timings        Timings
	connectLimiter *connectLimiter
	listen         bool // it subscribes; otherwise it reads on request
	fleet          fleetOptions
	log            feedLog
	members        members

	current   atomic.Pointer[snapshot]
	confirmed atomic.Pointer[answer]
	status    atomic.Pointer[status]
	lag       atomic.Int64 // of the last change, a [time.Duration]; 0: unknown
	tally

	changed chan struct{} // capacity 1: tells the reporter that other content is in force

	files chan struct{} // capacity 1: tells the syncer that file is set
	file  *snapshot     // the file content with the highest rev; guarded by members.mu

	synced   chan struct{} // closed once the first sync has been tried
	syncOnce sync.Once

	refreshes chan *refresh
	refreshMu sync.Mutex
	pending   [2]*refresh // unfinished refreshes, by kind

	cancel context.CancelFunc
	done   chan struct{}
}

// status is the state of a feed's connection, and the epoch and poll interval of the leader
// that it saw last. Immutable.
type status struct {
	state State
	epoch int64
	poll  time.Duration
}

// refresh is one requested sync, shared by concurrent callers.
type refresh struct {
	kind int // index in pending; 0: read what is current, 1: read the content
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
		f.log.Warn(eventUnbounded, "Values in Redis are read without a size limit: the right to GETRANGE is missing. Grant +getrange and restart.",
			eventlog.Err(denial))
	}
	state := Unsubscribed
	if key.listen {
		state = Connecting
	}
	f.status.Store(&status{state: state, poll: defaultPoll})
	return f
}

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

// stop waits for the goroutines. The content stays.
func (f *feed) stop() {
	f.cancel()
	<-f.done
}

func (f *feed) markSynced() { f.syncOnce.Do(func() { close(f.synced) }) }

func (f *feed) isSynced() bool {
	select {
	case <-f.synced:
		return true
	default:
		return false
	}
}

// refresh brings the feed up to date. If full is set, it reads the content in any case.
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
		f.refreshes <- r // does not block: at most one of each kind is pending
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

func (f *feed) finish(r *refresh, err error) {
	f.refreshMu.Lock()
	f.pending[r.kind] = nil
	f.refreshMu.Unlock()
	r.err = err
	close(r.done)
}
