package harness

import (
	"encoding/json"
	"fmt"
	"strconv"
	"sync"

	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
)

// watcher is a follower in a separate process, known only by its output.
type watcher struct {
	*Process
	name string

	mu      sync.Mutex
	current int64
	state   string
	faults  []string
}

// Watch starts a follower process. It ends with the test, and must not have gone back.
func (f *Fleet) Watch(env ...string) *watcher {
	f.Helper()
	w := &watcher{name: "watcher " + strconv.Itoa(len(f.Watchers)+1), current: -1}
	w.Process = f.Run(env, "watch", "--fast", "--json", "--flag", fakecdn.VersionFlag, "--log-format", "json", "--log-level", "debug")
	var reading sync.WaitGroup
	reading.Go(func() {
		for w.out.Scan() {
			w.received(w.out.Bytes())
		}
	})
	f.Cleanup(func() {
		w.end(f.T, f.sockets())
		reading.Wait()
		for _, fault := range w.faults {
			f.Errorf("%s: %s", w.name, fault)
		}
		f.account.add(0, len(w.faults))
	})
	f.Watchers = append(f.Watchers, w)
	return w
}

// received handles a line of watch --json.
func (w *watcher) received(line []byte) {
	var event struct {
		Event, State string
		Values       map[string]int64
		Changes      []struct {
			Key string
			To  int64
		}
	}
	err := json.Unmarshal(line, &event)
	w.mu.Lock()
	defer w.mu.Unlock()
	if err != nil {
		w.faults = append(w.faults, fmt.Sprintf("%q: %v", line, err))
	}
	if HasSecret(line) {
		w.faults = append(w.faults, fmt.Sprintf("the SDK key stands in %s", line))
	}
	if event.Event == "state" {
		w.state = event.State
	}
	if v, ok := event.Values[fakecdn.VersionFlag]; ok {
		w.took(v)
	}
	for _, change := range event.Changes {
		w.took(change.To)
	}
}

func (w *watcher) took(version int64) {
	if version < w.current {
		w.faults = append(w.faults, fmt.Sprintf("version %d after %d", version, w.current))
	}
	w.current = version
}

// version returns the last version in the output; -1: none yet.
func (w *watcher) version() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.current
}
