package leader

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/internal/cdn"
	"github.com/catbridge/catbridge/internal/eventlog"
)

// ErrUnknownName says that no SDK key of the leader has that name.
var ErrUnknownName = errors.New("leader: no SDK key of that name")

// errRunning says that Run was called twice.
var errRunning = errors.New("leader: Run was called before")

// Leader takes part in the election for one or many SDK keys, and leads those it
// wins. All methods are safe for concurrent use.
type Leader struct {
	cfg        Config // without the SDK keys
	id         string
	log        eventlog.Log
	transports cdn.Transports
	roots      *cdn.Roots // nil: the system's
	scripts    *pipeline
	crash      crash
	rights     chan struct{} // holds those whose rights are being checked
	born       time.Time
	tracer     trace.Tracer // nil: nothing is recorded

	set          atomic.Pointer[electorSet]
	unknownHooks atomic.Uint64
	// mu guards changes of the set, and start, which starts a elector; nil: Run was not
	// called yet.
	mu    sync.Mutex
	start func(*elector)
}

// New checks the configuration, telling everything that is wrong with it at once.
// It connects to nothing: see [Leader.Run].
func New(cfg Config) (*Leader, error) {
	cfg.Timing = cfg.Timing.withDefaults()
	if cfg.SubscriberNodes == 0 {
		cfg.SubscriberNodes = 1
	}
	if cfg.ReadBudget == 0 {
		cfg.ReadBudget = 50_000_000
	}
	if cfg.Logger == nil {
		cfg.Logger = eventlog.AtLeast(nil, nil)
	}
	keys := cfg.SDKKeys
	cfg.SDKKeys = nil
	// A process gets an ID of its own at each start: a lock from before is not its own.
	l := &Leader{
		cfg: cfg, id: cachekeys.NewLeaderID(cfg.host()), log: eventlog.New(cfg.Logger), tracer: newTracer(cfg.TracerProvider),
		scripts: newPipeline(cfg.Redis), rights: make(chan struct{}, rightsAtOnce), born: time.Now(),
	}
	err := l.readRoots()
	prepared, keysErr := l.prepare(keys)
	if err := errors.Join(cfg.check(), err, keysErr); err != nil {
		return nil, err
	}
	l.scripts.crash = &l.crash
	followOnePrimary(cfg.Redis)
	l.set.Store(newElectorSet(nil))
	l.replace(prepared)
	return l, nil
}

// readRoots reads the CAFile.
func (l *Leader) readRoots() (err error) {
	switch {
	case l.cfg.CAFile == "":
		return nil
	case l.cfg.Transport != nil:
		return errors.New("leader: CAFile: give the certificates to the Transport, which is set too")
	}
	if l.roots, err = cdn.ReadRoots(l.cfg.CAFile); err != nil {
		return fmt.Errorf("leader: CAFile: %w", err)
	}
	return nil
}

// ID returns the leader's ID, the host's name and a text that is random for each [New]; it
// stands in the lock.
func (l *Leader) ID() string { return l.id }

// Run takes part in the elections until ctx ends, then gives up every lock it holds,
// so that others take over at once, and returns nil. It blocks. Whatever Redis or
// the CDN do, it goes on: faults are logged and counted. If one of its goroutines panics,
// it gives up every lock, and then panics itself. Run can be called once.
func (l *Leader) Run(ctx context.Context) error {
	if l.tracer != nil {
		ctx = trace.ContextWithSpanContext(ctx, trace.SpanContext{}) // each poll is a trace of its own
	}
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	var electors sync.WaitGroup
	started := l.begin(end, func(e *elector) {
		electors.Go(func() {
			defer l.crash.guard()
			e.run(ctx)
		})
	})
	if !started {
		return errRunning
	}
	l.listen(ctx)
	l.end()
	electors.Wait()
	l.scripts.close()
	l.transports.Close()
	l.crash.again()
	return nil
}

// RequestRefresh asks whoever leads for the SDK key of that name to poll the CDN
// now, at most once a second however often it is asked. The request is lost neither
// when no message arrives nor when the leader changes.
func (l *Leader) RequestRefresh(ctx context.Context, name string) error {
	e := l.set.Load().byName[name]
	if e == nil {
		return fmt.Errorf("%w: %q", ErrUnknownName, name)
	}
	_, err := e.ask(func(channel string) (request, error) { return e.store.requestRefresh(ctx, channel) })
	return err
}
