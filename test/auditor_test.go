package test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/test/fakecdn"
	"github.com/redis/go-redis/v9"
)

// auditor reads all that the bridge stores, at one moment each time, and sees
// to it that entry, blob and meta agree (I3), that the fetch time in the entry does
// not go back (I9), that the version within the content does not, and that nothing
// claims an answer that the CDN did not give (I14).
type auditor struct {
	admin redis.UniversalClient
	keys  cachekeys.Keys
	cdn   *fakecdn.CDN

	mu      sync.Mutex
	faults  []string
	highest found
	last    found
	lossy   bool
	blind   bool
	lost    int // writes that were not there any more, where that may be
	back    int // versions that went back
	// What was seen last, since nearly always nothing has changed.
	seen, entryText, blobText string
	sound                     string           // hash of the last blob whose content was looked at
	known                     map[string]int64 // version by content hash
}

// found is what an entry says.
type found struct{ fetched, version int64 }

// startAuditor lets it read now and then, until the end of the test.
func startAuditor(w *world) *auditor {
	a := &auditor{admin: w.admin, keys: w.keys, cdn: w.cdn, known: map[string]int64{}}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		ticker := time.NewTicker(10 * w.pause())
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				a.read(ctx)
			}
		}
	})
	w.Cleanup(func() {
		cancel()
		running.Wait()
		a.report(w.T)
		w.account.add(a.lost, a.back)
	})
	return a
}

// check reads once more and fails the test if something is missing or was wrong.
func (a *auditor) check(t *testing.T) {
	t.Helper()
	a.read(t.Context())
	a.mu.Lock()
	if a.entryText == "" || a.blobText == "" || strings.HasPrefix(a.seen, "[<nil>") {
		a.fault("something is missing: entry of %d bytes, blob of %d, meta %.200s", len(a.entryText), len(a.blobText), a.seen)
	}
	a.mu.Unlock()
	a.report(t)
}

// stored is the highest version that was seen.
func (a *auditor) stored() int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.highest.version
}

// committed waits until a version stands in Redis.
func (w *world) committed(version int64) {
	w.Helper()
	w.eventually(w.poll(), "the change is committed", func() bool {
		w.audit.read(w.Context())
		return w.audit.stored() >= version
	})
}

// allowLoss lets what is stored go back from now on: a replica that takes over may be
// behind, until a leader mends it.
func (a *auditor) allowLoss() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.lossy = true
}

// lostAtLeast says that so many writes are known to have been lost, seen or not.
func (a *auditor) lostAtLeast(writes int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.lost = max(a.lost, writes)
}

// suspend lets others than leaders write what they want, until resume.
func (a *auditor) suspend() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.blind = true
}

func (a *auditor) resume() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.blind = false
}

// forget lets what is stored begin anew.
func (a *auditor) forget() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.highest, a.last = found{}, found{}
}

func (a *auditor) report(t *testing.T) {
	t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, fault := range a.faults {
		t.Error("in Redis: " + fault)
	}
	a.faults = nil
}

func (a *auditor) read(ctx context.Context) {
	a.mu.Lock() // a read that began earlier must not be looked at later
	defer a.mu.Unlock()
	reply, err := readAll.Run(ctx, a.admin, []string{a.keys.Entry, a.keys.Blob, a.keys.Meta}, cachekeys.MetaFields()).Slice()
	if err != nil {
		return // Redis is away: nothing can be said
	}
	if a.blind {
		return
	}
	entry, _ := reply[0].(string) // nil: there is none
	blob, _ := reply[1].(string)
	meta, _ := reply[2].([]any)
	if seen := fmt.Sprint(meta); seen != a.seen || entry != a.entryText || blob != a.blobText {
		a.seen, a.entryText, a.blobText = seen, entry, blob
		a.compare(entry, blob, meta)
	}
}

// readAll reads all keys at one moment. A transaction would be refused by a Redis that
// is full.
var readAll = redis.NewScript(`return {
	redis.call('GET', KEYS[1]), redis.call('GET', KEYS[2]), redis.call('HMGET', KEYS[3], unpack(ARGV))}`)

// note takes in what a tap found.
func (a *auditor) note(text string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.fault("%s", text)
}

// wentBack is note for what may be where Redis loses writes.
func (a *auditor) wentBack(text string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.lossy {
		a.fault("%s", text)
		a.back++
	}
}

func (a *auditor) fault(format string, args ...any) {
	// The same is seen at each read, until it is mended, or much like it.
	if text := fmt.Sprintf(format, args...); len(a.faults) < 20 && !slices.Contains(a.faults, text) {
		a.faults = append(a.faults, text)
	}
}
