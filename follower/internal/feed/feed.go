package feed

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/singleflight"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/follower/internal/eventid"
	"github.com/catbridge/catbridge/follower/internal/snapshot"
	"github.com/catbridge/catbridge/internal/eventlog"
)

// errClosed is the error of a refresh that the end of the feed prevented.
var errClosed = errors.New("follower: the feed has ended")

// Options identify a feed: members with equal options share one.
type Options struct {
	Redis   redis.UniversalClient
	Keys    cachekeys.Keys // they differ by SDK key, namespace and database
	Timings Timings
	Listen  bool    // it subscribes; otherwise it reads on request
	Report  Reports // the zero value: no reports
}

// feed keeps the config of one SDK key from one Redis current, for its members.
type feed struct {
	Options
	store          *store
	connectLimiter *connectLimiter
	log            feedLog
	members        members

	current   atomic.Pointer[snapshot.Snapshot]
	confirmed atomic.Pointer[snapshot.Answer]
	status    atomic.Pointer[Status]
	lag       atomic.Int64 // of the last change, a [time.Duration]; 0: unknown
	born      time.Time
	led       atomic.Int64 // when a live leader last stated whether there is a control, a [time.Duration] since born
	tally

	changed chan struct{} // capacity 1: tells the reporter that other content is in force

	files chan struct{}      // capacity 1: tells the syncer that file is set
	file  *snapshot.Snapshot // the file content with the highest rev; guarded by members.mu

	synced   chan struct{} // closed once the first sync has been tried
	syncOnce sync.Once

	requests  chan request
	refreshes singleflight.Group

	cancel context.CancelFunc
	done   chan struct{}
}

// request makes the syncer refresh. reply has the capacity 1.
type request struct {
	full  bool // read the content in any case
	reply chan<- error
}

func newFeed(options Options, limiter *connectLimiter) *feed {
	f := &feed{
		Options: options, store: newStore(options.Redis, options.Keys), connectLimiter: limiter,
		changed: make(chan struct{}, 1), files: make(chan struct{}, 1),
		synced: make(chan struct{}), requests: make(chan request), done: make(chan struct{}),
		born: time.Now(),
	}
	f.led.Store(-int64(leaderless))
	f.log = feedLog{&f.members}
	f.members.clock.base = time.Now()
	f.store.reader.Warn = func(denial error) {
		f.log.Warn(eventid.Unbounded, "Values in Redis are read without a size limit: the right to GETRANGE is missing. Grant +getrange and restart.",
			eventlog.Err(denial))
	}
	state := Unsubscribed
	if options.Listen {
		state = Connecting
	}
	f.status.Store(&Status{State: state, Poll: defaultPoll})
	return f
}

func (f *feed) start() {
	ctx, cancel := context.WithCancel(context.Background())
	f.cancel = cancel
	var goroutines sync.WaitGroup
	goroutines.Go(func() { newSyncer(f).run(ctx) })
	if f.Report.Interval > 0 {
		goroutines.Go(func() { newReporter(f).run(ctx) })
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

// refresh makes the syncer refresh. Concurrent callers share one refresh.
func (f *feed) refresh(ctx context.Context, full bool) error {
	kind := "what is current"
	if full {
		kind = "the content"
	}
	select {
	case r := <-f.refreshes.DoChan(kind, func() (any, error) { return nil, f.request(full) }):
		return r.Err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (f *feed) request(full bool) error {
	reply := make(chan error, 1)
	select {
	case f.requests <- request{full, reply}:
	case <-f.done:
		return errClosed
	}
	select {
	case err := <-reply:
		return err
	case <-f.done: // the syncer ended without a reply
		return errClosed
	}
}
