package leader

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/catbridge/catbridge/internal/acl"
	"github.com/catbridge/catbridge/internal/cdn"
	"github.com/catbridge/catbridge/internal/eventlog"
	"github.com/catbridge/catbridge/internal/wire"
	"github.com/catbridge/catbridge/leader/internal/script"
)

// ErrUnknownName is returned if no SDK key of the leader has the given name.
var ErrUnknownName = errors.New("leader: no SDK key with this name")

var errRunning = errors.New("leader: Run was already called")

// Leader takes part in the elections for one or more SDK keys and leads for those that it
// wins. Its methods are safe for concurrent use.
type Leader struct {
	cfg        Config // without the SDK keys
	id         string
	log        eventlog.Log
	transports cdn.Transports
	roots      *cdn.Roots // nil: the system's certificates
	scripts    *script.Batcher
	crash      crash
	rights     *acl.Watcher
	created    time.Time

	set          atomic.Pointer[electorSet]
	unknownHooks atomic.Uint64
	// mu guards changes of set, and start, which starts an elector. start is nil until Run
	// is called.
	mu    sync.Mutex
	start func(*elector)
}

// New returns a leader. Its error lists everything that is wrong with the configuration.
// New does not connect to Redis or the CDN; [Leader.Run] does.
func New(cfg Config) (*Leader, error) {
	cfg.Timings = cfg.Timings.withDefaults()
	if cfg.SubscriberNodes == 0 {
		cfg.SubscriberNodes = 1
	}
	if cfg.ReadBudget == 0 {
		cfg.ReadBudget = 50_000_000
	}
	if cfg.HistoryEntries == 0 {
		cfg.HistoryEntries = defaultHistoryEntries
	}
	if cfg.HistoryBytes == 0 {
		cfg.HistoryBytes = defaultHistoryBytes
	}
	if cfg.Logger == nil {
		cfg.Logger = eventlog.AtLeast(nil, nil)
	}
	keys := cfg.SDKKeys
	cfg.SDKKeys = nil
	// A new ID at each start: a lock of an earlier process must not look like this leader's.
	l := &Leader{
		cfg: cfg, id: wire.NewLeaderID(cfg.host()), log: eventlog.New(cfg.Logger),
		rights: acl.NewWatcher(cfg.Redis, cfg.Namespace), created: time.Now(),
	}
	l.scripts = script.NewBatcher(cfg.Redis, l.crash.guard)
	err := l.readRoots()
	prepared, keysErr := l.prepare(keys)
	if err := errors.Join(cfg.check(), err, keysErr); err != nil {
		return nil, err
	}
	followOnePrimary(cfg.Redis)
	l.set.Store(newElectorSet(nil))
	l.replace(prepared)
	return l, nil
}

func (l *Leader) readRoots() (err error) {
	switch {
	case l.cfg.CAFile == "":
		return nil
	case l.cfg.Transport != nil:
		return errors.New("leader: CAFile must not be set together with Transport: configure the certificates in the Transport")
	}
	if l.roots, err = cdn.ReadRoots(l.cfg.CAFile); err != nil {
		return fmt.Errorf("leader: CAFile: %w", err)
	}
	return nil
}

// ID returns the leader's ID, which the lock contains: the host name and a string that is
// random for each [New].
func (l *Leader) ID() string { return l.id }

// Run takes part in the elections until ctx is done. It then releases its locks, so other
// processes take over at once, and returns nil. It blocks. Failures of Redis and the CDN do
// not end it; they are logged and counted. If one of its goroutines panics, Run releases
// its locks and panics. A second call returns an error.
func (l *Leader) Run(ctx context.Context) error {
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
	l.scripts.Close()
	l.transports.Close()
	l.crash.repanic()
	return nil
}

// align rounds at down to a tick common to the loops of all SDK keys.
func (l *Leader) align(at time.Time) time.Time {
	every := min(l.cfg.Timings.RenewInterval, l.cfg.Timings.RetryPeriod) / 100
	return at.Add(-(at.Sub(l.created) % every))
}
