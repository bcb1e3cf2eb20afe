package observe

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/follower"
	"github.com/catbridge/catbridge/internal/redisnode"
	"github.com/catbridge/catbridge/leader"
)

// Config configures an [Observer].
type Config struct {
	// Redis is a *redis.Client or a *redis.ClusterClient. Required. Its user needs the rights of
	// catbridge status.
	Redis redis.UniversalClient
	// Namespace is that of the SDK keys; empty: none.
	Namespace string
	// Leader returns the state of this process's leader. Nil: this process is not a leader.
	Leader func() leader.Stats
}

// Target is an SDK key to observe.
type Target struct {
	Label string // its name, or the masked key; not empty, and unique
	Key   string
	// Client is a follower for the SDK key in this process. It says when to look, and what is in
	// force in this process. The Observer does not close it. Nil: there is none.
	Client *follower.Client
}

// Observer keeps the views of SDK keys. It is safe for concurrent use.
type Observer struct {
	cfg Config
	db  int

	running atomic.Bool
	wake    chan struct{} // of capacity 1: there may be something to do
	watched atomic.Int64  // number of those who look

	mu      sync.Mutex
	targets []*target     // in the order of SetTargets
	changed chan struct{} // closed at the next change of a view
}

// New returns an Observer without targets.
func New(cfg Config) (*Observer, error) {
	if err := redisnode.Check(cfg.Redis); err != nil {
		return nil, fmt.Errorf("observe: %w", err)
	}
	if err := cachekeys.CheckNamespace(cfg.Namespace); err != nil {
		return nil, fmt.Errorf("observe: %w", err)
	}
	return &Observer{cfg: cfg, db: redisnode.OptionsOf(cfg.Redis).DB, wake: make(chan struct{}, 1), changed: make(chan struct{})}, nil
}

// SetTargets makes the SDK keys those that are observed. What is known of a label stays if its key and
// its client do.
func (o *Observer) SetTargets(targets []Target) error {
	var errs []error
	seen := map[string]bool{}
	for _, t := range targets {
		if t.Label == "" || t.Key == "" || seen[t.Label] {
			errs = append(errs, fmt.Errorf("observe: the label %q is empty, has no key, or is a duplicate", t.Label))
		}
		seen[t.Label] = true
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	o.mu.Lock()
	before, next := o.targets, make([]*target, 0, len(targets))
	for _, t := range targets {
		if i := slices.IndexFunc(before, func(b *target) bool { return b.Target == t }); i >= 0 {
			next = append(next, before[i])
			continue
		}
		next = append(next, o.newTarget(t))
	}
	o.targets = next
	o.publish()
	o.mu.Unlock()
	for _, t := range before {
		if !slices.Contains(next, t) {
			t.unhook()
		}
	}
	o.nudge()
	return nil
}

// Labels returns the labels in the order of SetTargets.
func (o *Observer) Labels() []string {
	targets := o.all()
	labels := make([]string, len(targets))
	for i, t := range targets {
		labels[i] = t.Label
	}
	return labels
}

// View returns what is known of an SDK key, or nil if there is none with that label.
func (o *Observer) View(label string) *View {
	if t := o.find(label); t != nil {
		return t.view.Load()
	}
	return nil
}

// Secret returns the SDK key itself, which must not be shown.
func (o *Observer) Secret(label string) (key string, ok bool) {
	if t := o.find(label); t != nil {
		return t.Key, true
	}
	return "", false
}

// Changed returns a channel that is closed at the next change of any view, or of the labels.
func (o *Observer) Changed() <-chan struct{} {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.changed
}

// Watching says that somebody looks at the views, until release, which is idempotent.
func (o *Observer) Watching() (release func()) {
	if o.watched.Add(1) == 1 {
		o.nudge()
	}
	var once sync.Once
	return func() { once.Do(func() { o.watched.Add(-1) }) }
}

func (o *Observer) all() []*target {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.targets
}

func (o *Observer) find(label string) *target {
	for _, t := range o.all() {
		if t.Label == label {
			return t
		}
	}
	return nil
}

// publish says that views or labels changed. The caller holds mu.
func (o *Observer) publish() {
	close(o.changed)
	o.changed = make(chan struct{})
}

// nudge makes Run look at once for something to do.
func (o *Observer) nudge() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// show publishes a view.
func (o *Observer) show(t *target, view *View) {
	o.mu.Lock()
	defer o.mu.Unlock()
	t.view.Store(view)
	if slices.Contains(o.targets, t) {
		o.publish()
	}
}

// target is an SDK key, and what is known of it. All but view and dirty belong to Run.
type target struct {
	Target
	keys   cachekeys.Keys
	view   atomic.Pointer[View]
	dirty  atomic.Bool // something changed: look again
	unhook func()

	state    state // that was seen last
	looked   bool
	answers  answers
	spreads  spreads
	timeline timeline
}

func (o *Observer) newTarget(t Target) *target {
	n := &target{Target: t, keys: cachekeys.For(t.Key, o.cfg.Namespace, o.db), unhook: func() {}}
	n.view.Store(&View{Label: t.Label})
	if t.Client != nil {
		n.unhook = t.Client.OnConfigChanged(func(*evaluate.Config) {
			n.dirty.Store(true)
			o.nudge()
		})
	}
	return n
}

// Run observes until ctx ends, and returns nil then. It must be called once.
func (o *Observer) Run(ctx context.Context) error {
	if o.running.Swap(true) {
		return errors.New("observe: Run was called before")
	}
	defer func() {
		for _, t := range o.all() {
			t.unhook()
		}
	}()
	o.run(ctx)
	return nil
}
