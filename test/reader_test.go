package test

import (
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/follower"
	"github.com/catbridge/catbridge/test/fakecdn"
	"github.com/catbridge/catbridge/test/redistest"
)

// reader is a follower whose content is watched: the version within it must not go
// back, and must be one version (I1). What it answers and claims is looked at, too, see
// [watch].
type reader struct {
	name   string
	client *follower.Client
	link   *redistest.Link
	// What a test brings about: strange messages and content, and lower revs that are right.
	noise   bool
	rebases int64

	mu      sync.Mutex
	highest int64
	changes int
	faults  []string
	moved   chan struct{} // closed and replaced at each change

	sight sighting // the last one; the watch's
}

// follow starts a follower with a network of its own. It ends with the test.
func (w *world) follow() *reader { return w.followAs(asFollower, func(*follower.Config) {}) }

// followAs is [world.follow] for another user, with other settings.
func (w *world) followAs(as role, change func(c *follower.Config)) *reader {
	w.Helper()
	r := &reader{
		name: "follower " + strconv.Itoa(len(w.readers)+1), link: new(redistest.Link), moved: make(chan struct{}),
	}
	config := follower.Config{
		SDKKey: sdkKey, Redis: w.connect(w.T, as, r.link), Timings: w.follower,
		Logger: w.quiet.With("who", r.name), LogLevel: follower.LogLevelDebug, Hooks: &follower.Hooks{OnConfigChanged: r.changed},
	}
	change(&config)
	r.link.Route(w.route)
	client, err := follower.New(config)
	if err != nil {
		w.Fatal(err)
	}
	r.client = client
	w.watching.add(r)
	w.Cleanup(func() {
		w.watching.remove(r)
		client.Close()
		faults := r.seen()
		for _, fault := range faults {
			w.Errorf("%s: %s", r.name, fault)
		}
		w.account.add(0, len(faults))
	})
	w.readers = append(w.readers, r)
	return r
}

func (w *world) followers(n int) {
	w.Helper()
	for range n {
		w.follow()
	}
}

// changed is told of each content in the order in which they came in force.
func (r *reader) changed(config *evaluate.Config) {
	number := config.Evaluate(fakecdn.VersionFlag, nil, evaluate.IntValue(-1), nil).Value.Int()
	text := config.Evaluate(fakecdn.VersionTextFlag, nil, evaluate.StringValue(""), nil).Value.String()
	r.mu.Lock()
	defer r.mu.Unlock()
	if text != strconv.FormatInt(number, 10) {
		r.faults = append(r.faults, fmt.Sprintf("two versions in one content: %d and %q", number, text))
	}
	if number <= r.highest {
		r.faults = append(r.faults, fmt.Sprintf("version %d after %d", number, r.highest))
	}
	r.highest = max(r.highest, number)
	r.changes++
	close(r.moved)
	r.moved = make(chan struct{})
}

func (r *reader) seen() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.faults
}

// version is what an evaluation gives now; -1: there is no config.
func (r *reader) version() int64 {
	return int64(r.client.GetIntValue(fakecdn.VersionFlag, -1, nil))
}

// next is closed when other content comes in force.
func (r *reader) next() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.moved
}

// await waits until an evaluation gives that version or a higher one.
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

// check looks for what no fault of the network or of a process may bring about.
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
