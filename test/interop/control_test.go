package interop

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
	"github.com/catbridge/catbridge/internal/testenv/program"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/internal/testenv/syncbuffer"
	"github.com/catbridge/catbridge/leader/control"
)

// F40: two processes of catbridge leader, one of catbridge watch and the official SDK
// for Node, offline, on a real Redis. Operators read the history, pin an old config while the CDN goes
// on, force a flag while the CDN is away, and leaders are killed meanwhile. Each step arrives everywhere
// once, nothing else is ever shown, and the history has each change with its cause.
func TestF40_OfficialSDKFollowsOperators(t *testing.T) {
	n := newNight(t)
	const changes = 10
	for range changes {
		n.publish()
	}
	history := n.history()
	n.wantCauses("first", strings.Repeat("poll ", changes))
	for i, e := range history[:changes] {
		if !strings.Contains(string(e.Changes), fmt.Sprintf(`"flag":%q`, fakecdn.VersionFlag)) {
			t.Errorf("entry %d of the history does not list the flag %s: %s", i, fakecdn.VersionFlag, e.Changes)
		}
	}
	newest := n.cdn.Version()
	change := fmt.Sprintf("%s: default value changed: %d (was %d)\n", fakecdn.VersionFlag, newest, newest-3)
	if diff := n.run("diff", "-3"); !strings.Contains(diff, change) {
		t.Errorf("catbridge diff -3: %s", diff)
	}
	old := fakecdn.Config{Version: newest - 3}
	if shown := n.run("show", "-3"); shown != string(old.JSON()) {
		t.Errorf("catbridge show -3: %s", shown)
	}

	// An earlier config is pinned while the CDN goes on. The leader is killed.
	n.run("pin", fmt.Sprint(history[3].Rev), "--for", "1h", "--reason", "checkout fails", "--by", "ann@shop", "--yes")
	n.arrives("pin", shown{old.Version, old.Version%2 == 1})
	for range 2 {
		n.cdn.Publish()
		n.awaitSource()
		n.stays()
	}
	n.killLeader()
	n.stays()
	n.cdn.Publish()
	n.awaitSource()
	n.stays()
	if text := n.run("controls"); !strings.Contains(text, "pinned "+history[3].Hash[:8]) || !strings.Contains(text, "ann@shop: checkout fails") {
		t.Errorf("catbridge controls: %s", text)
	}
	n.run("unpin", "--yes")
	n.arrives("withdrawn", n.served())
	n.wantTheCDNsBytes()

	// A flag is forced while the CDN is away and the leader has just been killed: the next one acts.
	n.cdn.Break(fakecdn.Down)
	forced := n.served()
	forced.Odd = !forced.Odd
	n.killLeader()
	n.run("force", "odd", fmt.Sprint(forced.Odd), "--for", "1h", "--reason", "the dashboard is away", "--yes")
	n.arrives("force", forced)
	n.killLeader()
	n.stays()
	n.run("unforce", "odd", "--yes")
	n.arrives("withdrawn", n.served())
	n.wantTheCDNsBytes()

	// A force ends by itself.
	n.run("force", "odd", fmt.Sprint(forced.Odd), "--for", "5s", "--reason", "a try", "--yes")
	n.arrives("force", forced)
	n.arrives("expired", n.served())
	n.wantTheCDNsBytes()
	if text := n.run("controls"); !strings.Contains(text, "nothing is in force") {
		t.Errorf("catbridge controls: %s", text)
	}

	// The CDN is back.
	n.cdn.Repair()
	n.publish()
	n.wantCauses("first", strings.Repeat("poll ", changes), "pin withdrawn force withdrawn force expired poll")
	n.watch.wantShown(t, n.expected)
}

// shown is what a follower shows of the config.
type shown struct {
	Version int64
	Odd     bool
}

func shownOf(config fakecdn.Config) shown { return shown{config.Version, config.Version%2 == 1} }

// night is everything that runs.
type night struct {
	*testing.T
	client   *redis.Client
	cdn      *fakecdn.CDN
	leaders  *leaders
	watch    *watchProcess
	sdk      *officialSDK
	expected []shown // in this order
	last     reading
}

func newNight(t *testing.T) *night {
	rounds := 0
	t.Cleanup(func() { reportRounds(t, "F40", "OfficialSDKFollowsOperators", leaseOfProcesses, rounds) })
	server, cdn := redistest.Start(t), fakecdn.New()
	n := &night{T: t, client: server.Client(t, nil), cdn: cdn, leaders: startLeaders(t, server, cdn)}
	awaitVersion(t, server, cdn.Version())
	n.watch = startWatch(t, n.leaders.env)
	n.sdk = startSDK(t, server.URL())
	n.last = n.sdk.first(t)
	n.arrives("first", n.served())
	t.Cleanup(func() { rounds++ })
	return n
}

// served returns what the CDN serves.
func (n *night) served() shown { return shownOf(n.cdn.Config()) }

// run runs a command of the program that must succeed, and returns its output.
func (n *night) run(args ...string) string {
	n.Helper()
	cmd := exec.CommandContext(n.Context(), program.Path(n.T), args...)
	cmd.Env = n.leaders.env
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		n.Fatalf("catbridge %q: %v\n%s%s", args, err, out, stderr.String())
	}
	return string(out)
}

// bound is how long anything may take: a force of 5 s, a takeover or a poll, and the slack of a busy machine.
const bound = time.Minute

// publish publishes a version and waits until it has arrived.
func (n *night) publish() {
	n.Helper()
	n.cdn.Publish()
	n.arrives("poll", n.served())
}

// arrives waits until watch and the official SDK show it, and nothing else but what they showed before.
func (n *night) arrives(what string, want shown) {
	n.Helper()
	n.expected = append(n.expected, want)
	began := time.Now()
	for deadline := began.Add(bound); ; time.Sleep(20 * time.Millisecond) {
		have := n.read(want)
		if have == want && n.watch.last() == want {
			n.Logf("%s: %+v has arrived after %v", what, want, time.Since(began).Round(time.Millisecond))
			return
		}
		if time.Now().After(deadline) {
			n.Fatalf("%s: the official SDK shows %+v and catbridge watch %+v, want %+v", what, have, n.watch.last(), want)
		}
	}
}

// stays checks that the official SDK still shows what it did. [watchProcess.wantShown] does so for watch.
func (n *night) stays() {
	n.Helper()
	if want := n.expected[len(n.expected)-1]; n.read(want) != want {
		n.Errorf("the official SDK no longer shows %+v", want)
	}
}

// read returns what the official SDK shows: next, or what was shown before it.
func (n *night) read(next shown) shown {
	n.Helper()
	now := n.sdk.next(n.T)
	have := shownBySDK(now)
	if len(now.Errors) > 0 || now.FetchTime < n.last.FetchTime || have != next && have != shownBySDK(n.last) {
		n.Fatalf("the official SDK reads %+v of %d with errors %q, after %+v of %d; want that or %+v",
			have, now.FetchTime, now.Errors, shownBySDK(n.last), n.last.FetchTime, next)
	}
	n.last = now
	return have
}

func shownBySDK(r reading) shown {
	odd, _ := r.Flags["odd"].Value.(bool)
	return shown{int64(versionOf(r)), odd}
}

// awaitSource waits until the leader has fetched what the CDN serves.
func (n *night) awaitSource() {
	n.Helper()
	for deadline := time.Now().Add(bound); ; time.Sleep(20 * time.Millisecond) {
		controls, err := control.Read(n.Context(), n.client, sdkKey, "")
		if err == nil && bytes.Equal(controls.Source(), n.cdn.Config().JSON()) {
			return
		}
		if time.Now().After(deadline) {
			n.Fatalf("the leader does not fetch version %d while a config is pinned: %v", n.cdn.Version(), err)
		}
	}
}

// killLeader kills the process that leads, and waits until another leads.
func (n *night) killLeader() {
	n.Helper()
	lock := func() string { return n.client.Get(n.Context(), cachekeys.For(sdkKey, "", 0).Lock).Val() }
	before := lock()
	n.leaders.kill(n.T)
	for deadline := time.Now().Add(bound); ; time.Sleep(20 * time.Millisecond) {
		if now := lock(); now != "" && now != before {
			return
		}
		if time.Now().After(deadline) {
			n.Fatal("no other process leads")
		}
	}
}

// wantTheCDNsBytes checks that the entry is the one that the CDN's config has without any control.
func (n *night) wantTheCDNsBytes() {
	n.Helper()
	entry, err := cachekeys.ParseEntry([]byte(n.client.Get(n.Context(), cacheKey).Val()))
	if config := n.cdn.Config(); err != nil || entry.ETag != config.ETag() || !bytes.Equal(entry.JSON, config.JSON()) {
		n.Errorf("the entry has the ETag %s, want %s; %v", entry.ETag, config.ETag(), err)
	}
}

// recorded is an entry of catbridge history --json.
type recorded struct {
	Rev     int64
	Hash    string
	Cause   string
	Changes json.RawMessage
}

// history returns the entries of the history, the newest first.
func (n *night) history() []recorded {
	n.Helper()
	var h struct{ Entries []recorded }
	if err := json.Unmarshal([]byte(n.run("history", "--json", "--limit", "0")), &h); err != nil {
		n.Fatal(err)
	}
	return h.Entries
}

// wantCauses checks the causes in the history and what came into force. The arguments are causes, the oldest first.
func (n *night) wantCauses(causes ...string) {
	n.Helper()
	entries := n.history()
	slices.Reverse(entries)
	var have []string
	for i, e := range entries {
		have = append(have, e.Cause)
		if i > 0 && (len(e.Changes) == 0 || string(e.Changes) == "null" || string(e.Changes) == "[]") {
			n.Errorf("the history does not say what %s at rev %d changed: %s", e.Cause, e.Rev, e.Changes)
		}
	}
	if diff := cmp.Diff(strings.Fields(strings.Join(causes, " ")), have); diff != "" {
		n.Errorf("the history has other causes (-want +have):\n%s", diff)
	}
}

// watchProcess is a process of catbridge watch.
type watchProcess struct {
	mu      sync.Mutex
	current shown
	shown   []shown
	faults  []string
}

// startWatch starts catbridge watch. It ends with the test.
func startWatch(t *testing.T, env []string) *watchProcess {
	t.Helper()
	w := new(watchProcess)
	cmd := exec.CommandContext(t.Context(), program.Path(t), "watch", "--fast", "--json", "--flag", fakecdn.VersionFlag, "--flag", "odd")
	log := new(syncbuffer.Buffer)
	cmd.Env, cmd.Stderr = env, log
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var reading sync.WaitGroup
	reading.Go(func() {
		for lines := bufio.NewScanner(out); lines.Scan(); {
			w.received(lines.Bytes())
		}
	})
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		reading.Wait()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("catbridge watch: %s", log.String())
		}
	})
	return w
}

// received handles a line of watch --json.
func (w *watchProcess) received(line []byte) {
	var event struct {
		Event   string
		Values  map[string]any
		Changes []struct {
			Key string
			To  any
		}
	}
	err := json.Unmarshal(line, &event)
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil {
		w.faults = append(w.faults, fmt.Sprintf("%q: %v", line, err))
	}
	for key, value := range event.Values {
		w.took(key, value)
	}
	for _, change := range event.Changes {
		w.took(change.Key, change.To)
	}
	if event.Event == "config" || event.Event == "change" {
		w.shown = append(w.shown, w.current)
	}
}

func (w *watchProcess) took(key string, value any) {
	switch value := value.(type) {
	case float64:
		w.current.Version = int64(value)
	case bool:
		w.current.Odd = value
	default:
		w.faults = append(w.faults, fmt.Sprintf("the flag %s has the value %v", key, value))
	}
}

// last returns what watch shows now.
func (w *watchProcess) last() shown {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.current
}

// wantShown checks everything that watch has shown, in order.
func (w *watchProcess) wantShown(t *testing.T, want []shown) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, fault := range w.faults {
		t.Error("catbridge watch: " + fault)
	}
	if diff := cmp.Diff(want, w.shown); diff != "" {
		t.Errorf("catbridge watch has shown something else (-want +have):\n%s", diff)
	}
}
