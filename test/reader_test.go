package test

import (
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/follower"
	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
)

// reader is a follower whose content is checked: the version in it must not go back, and
// must be the same in all of it (I1). Its answers and assertions are checked, too, see
// [watch].
type reader struct {
	name   string
	client *follower.Client
	link   *redistest.Link
	// Faults that a test causes: unexpected messages and content, and lower revs that are
	// correct.
	noise   bool
	rebases int64

	mu      sync.Mutex
	highest int64
	earlier int64 // a version that the CDN goes back to, which may be taken once; 0: none
	changes int
	faults  []string
	moved   chan struct{} // closed and replaced at each change

	sight sighting // the last one; used by the watch
}

// follow starts a follower with its own network. It ends with the test.
func (env *environment) follow() *reader { return env.followAs(asFollower, func(*follower.Config) {}) }

// followAs is like [environment.follow] for another user, with other settings.
func (env *environment) followAs(as role, change func(c *follower.Config)) *reader {
	env.Helper()
	r := &reader{
		name: "follower " + strconv.Itoa(len(env.readers)+1), link: new(redistest.Link), moved: make(chan struct{}),
	}
	config := follower.Config{
		SDKKey: sdkKey, Redis: env.connect(env.T, as, r.link), Timings: env.follower,
		Logger: env.followerLog.With("who", r.name), LogLevel: follower.LogLevelDebug, Hooks: &follower.Hooks{OnConfigChanged: r.changed},
	}
	change(&config)
	r.link.Route(env.route)
	client, err := follower.New(config)
	if err != nil {
		env.Fatal(err)
	}
	r.client = client
	env.watching.add(r)
	env.Cleanup(func() {
		env.watching.remove(r)
		client.Close()
		faults := r.seen()
		for _, fault := range faults {
			env.Errorf("%s: %s", r.name, fault)
		}
		env.account.add(0, len(faults))
	})
	env.readers = append(env.readers, r)
	return r
}

func (env *environment) followers(n int) {
	env.Helper()
	for range n {
		env.follow()
	}
}

// changed is called with each config in the order in which they take effect.
func (r *reader) changed(config *evaluate.Config) {
	number := config.Evaluate(fakecdn.VersionFlag, nil, evaluate.IntValue(-1), nil).Value.Int()
	text := config.Evaluate(fakecdn.VersionStringFlag, nil, evaluate.StringValue(""), nil).Value.String()
	r.mu.Lock()
	defer r.mu.Unlock()
	if text != strconv.FormatInt(number, 10) {
		r.faults = append(r.faults, fmt.Sprintf("two versions in one content: %d and %q", number, text))
	}
	switch {
	case number == r.earlier && number < r.highest:
		r.earlier, r.highest = 0, number
	case number <= r.highest:
		r.faults = append(r.faults, fmt.Sprintf("version %d after %d", number, r.highest))
	}
	r.highest = max(r.highest, number)
	r.changes++
	close(r.moved)
	r.moved = make(chan struct{})
}

// mayGoBack lets the reader take an earlier version, once.
func (r *reader) mayGoBack(version int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.earlier = version
	r.sight.back = version
}

func (r *reader) seen() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.faults
}

// version returns the version that an evaluation has now; -1: no config.
func (r *reader) version() int64 {
	return int64(r.client.GetIntValue(fakecdn.VersionFlag, -1, nil))
}

// next returns a channel that is closed when other content takes effect.
func (r *reader) next() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.moved
}

// await waits until an evaluation has that version or a higher one, and reports whether one
// did before the deadline.
func (r *reader) await(version int64, deadline <-chan time.Time) bool {
	for {
		moved := r.next()
		if r.version() >= version {
			return true
		}
		select {
		case <-moved:
		case <-deadline:
			return r.version() >= version
		}
	}
}

// check reports what no fault of the network or of a process may cause.
func (r *reader) check(t *testing.T) {
	t.Helper()
	stats := r.client.Stats()
	if r.noise {
		stats.BadMessages = 0
	}
	if stats.Anomalies+stats.BadMessages+stats.RefusedConfigs+stats.RefusedEntries+stats.HookPanics != 0 || stats.Rebases != r.rebases {
		t.Errorf("%s: %+v", r.name, stats)
	}
}
