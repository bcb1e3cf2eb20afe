package harness

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

// Follower is a follower whose content is checked: the version in it must not go back, and
// must be the same in all of it (I1). After [Environment.Oversee] it must show what is in force instead. Its answers and assertions are checked, too, see
// [sightings].
type Follower struct {
	Name   string
	Client *follower.Client
	Link   *redistest.Link
	// Faults that a test causes: unexpected messages and content, and lower revs that are
	// correct.
	Noise   bool
	Rebases uint64

	mu      sync.Mutex
	highest int64
	earlier int64 // a version that the CDN goes back to, which may be taken once; 0: none
	Changes int
	faults  []string
	moved   chan struct{} // closed and replaced at each change

	sight sighting // the last one

	inForce *inForce // of the environment
	place   int      // in it, of what the follower shows
}

// Follow starts a follower with its own network. It ends with the test.
func (env *Environment) Follow() *Follower {
	return env.FollowAs(AsFollower, func(*follower.Config) {})
}

// FollowAs is like [Environment.Follow] for another user, with other settings.
func (env *Environment) FollowAs(as Role, change func(c *follower.Config)) *Follower {
	env.Helper()
	r := &Follower{
		Name: "follower " + strconv.Itoa(len(env.Followers)+1), Link: new(redistest.Link), moved: make(chan struct{}), inForce: &env.inForce, place: -1,
	}
	config := follower.Config{
		SDKKey: SDKKey, Redis: env.Connect(env.T, as, r.Link), Timings: env.Follower,
		Logger: env.FollowerLog.With("who", r.Name), LogLevel: follower.LogLevelDebug, Hooks: &follower.Hooks{OnConfigChanged: r.changed},
	}
	change(&config)
	r.Link.Route(env.Route)
	client, err := follower.New(config)
	if err != nil {
		env.Fatal(err)
	}
	r.Client = client
	env.watching.add(r)
	env.Cleanup(func() {
		env.watching.remove(r)
		client.Close()
		faults := r.Faults()
		for _, fault := range faults {
			env.Errorf("%s: %s", r.Name, fault)
		}
		env.account.add(0, len(faults))
	})
	env.Followers = append(env.Followers, r)
	return r
}

// FollowN starts n followers.
func (env *Environment) FollowN(n int) {
	env.Helper()
	for range n {
		env.Follow()
	}
}

// changed is called with each config in the order in which they take effect.
func (r *Follower) changed(config *evaluate.Config) {
	number := config.Evaluate(fakecdn.VersionFlag, nil, evaluate.IntValue(-1), nil).Value.Int()
	text := config.Evaluate(fakecdn.VersionStringFlag, nil, evaluate.StringValue(""), nil).Value.String()
	r.mu.Lock()
	defer r.mu.Unlock()
	if text != strconv.FormatInt(number, 10) {
		r.faults = append(r.faults, fmt.Sprintf("two versions in one content: %d and %q", number, text))
	}
	switch {
	case !r.inForce.isEmpty():
		r.checkShown(config, number)
	case number == r.earlier && number < r.highest:
		r.earlier, r.highest = 0, number
	case number <= r.highest:
		r.faults = append(r.faults, fmt.Sprintf("version %d after %d", number, r.highest))
	}
	r.highest = max(r.highest, number)
	r.Changes++
	close(r.moved)
	r.moved = make(chan struct{})
}

// MayGoBack lets the follower take an earlier version, once.
func (r *Follower) MayGoBack(version int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.earlier = version
	r.sight.back = version
}

// Faults returns the violations that were found so far.
func (r *Follower) Faults() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.faults
}

// Version returns the version that an evaluation has now; -1: no config.
func (r *Follower) Version() int64 {
	return int64(r.Client.GetIntValue(fakecdn.VersionFlag, -1, nil))
}

// Age returns how long ago the CDN confirmed the content in effect, as far as the follower knows.
func (r *Follower) Age() time.Duration { return time.Since(r.Client.Stats().LastConfirmed) }

// Next returns a channel that is closed when other content takes effect.
func (r *Follower) Next() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.moved
}

// await waits until an evaluation has that version or a higher one, and reports whether one
// did before the deadline.
func (r *Follower) await(version int64, deadline <-chan time.Time) bool {
	for {
		moved := r.Next()
		if r.Version() >= version {
			return true
		}
		select {
		case <-moved:
		case <-deadline:
			return r.Version() >= version
		}
	}
}

// check reports what no fault of the network or of a process may cause.
func (r *Follower) check(t *testing.T) {
	t.Helper()
	stats := r.Client.Stats()
	if r.Noise {
		stats.BadMessages = 0
	}
	if stats.Anomalies+stats.BadMessages+stats.RefusedConfigs+stats.RefusedEntries+stats.HookPanics != 0 || stats.Rebases != r.Rebases {
		t.Errorf("%s: %+v", r.Name, stats)
	}
}

// FollowOnline starts a follower that may fetch from the CDN.
func (env *Environment) FollowOnline() *Follower {
	env.Helper()
	return env.FollowAs(AsFollower, func(c *follower.Config) { c.Online, c.Transport = true, env.CDN })
}
