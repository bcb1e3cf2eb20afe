package harness

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
	"github.com/catbridge/catbridge/internal/wire"
	"github.com/redis/go-redis/v9"
)

// Auditor reads all keys of the bridge at intervals, each time atomically. It checks that
// entry, blob and meta agree (I3), that neither the fetch time in the entry (I9) nor the
// version of the content goes back, and that no key asserts an answer that the CDN did not
// give (I14). While operators pin and force, this holds for what the CDN served, and the content is
// what they made of it.
type Auditor struct {
	admin redis.UniversalClient
	keys  cachekeys.Keys
	cdn   *fakecdn.CDN

	mu      sync.Mutex
	faults  []string
	highest found
	last    found
	lossy   bool
	blind   bool
	Skewed  bool // Redis's clock differs from the machine's: times are not compared
	lost    int  // lost writes, where Redis may lose some
	back    int  // times that the version went back
	// The last values that were read: most reads find no change.
	seen, entryText, blobText string
	ordered                   ordered
	sound                     string           // hash of the last blob whose content was checked
	known                     map[string]int64 // versions by content hash
}

// found is the content of an entry.
type found struct{ fetched, version int64 }

// startAuditor starts an auditor, which reads at intervals until the end of the test.
func startAuditor(env *Environment) *Auditor {
	a := &Auditor{admin: env.Admin, keys: env.Keys, cdn: env.CDN, known: map[string]int64{}}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		ticker := time.NewTicker(10 * env.CheckInterval())
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
	env.Cleanup(func() {
		cancel()
		running.Wait()
		a.report(env.T)
		env.account.add(a.lost, a.back)
	})
	return a
}

// Check reads once more, and fails the test if a key is missing or any read found a fault.
func (a *Auditor) Check(t *testing.T) {
	t.Helper()
	a.read(t.Context())
	a.mu.Lock()
	if a.entryText == "" || a.blobText == "" || strings.HasPrefix(a.seen, "[<nil>") {
		a.fault("something is missing: entry of %d bytes, blob of %d, meta %.200s", len(a.entryText), len(a.blobText), a.seen)
	}
	a.mu.Unlock()
	a.report(t)
}

// Stored returns the highest version that was read.
func (a *Auditor) Stored() int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.highest.version
}

// RequireStored reports an error unless exactly that version is the highest that was read.
func (env *Environment) RequireStored(version int64) {
	env.Helper()
	if v := env.Audit.Stored(); v != version {
		env.Errorf("version %d is stored, want %d", v, version)
	}
}

// AwaitCommit waits until Redis has the given version.
func (env *Environment) AwaitCommit(version int64) {
	env.Helper()
	env.Eventually(env.PollBound(), "the change is committed", func() bool {
		env.Audit.read(env.Context())
		return env.Audit.Stored() >= version
	})
}

// AllowLoss permits the stored version to go back from now on: a replica that becomes the
// primary may be behind until a leader repairs the content.
func (a *Auditor) AllowLoss() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.lossy = true
}

// LostAtLeast sets a lower bound for the number of lost writes. The auditor may have missed
// some.
func (a *Auditor) LostAtLeast(writes int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.lost = max(a.lost, writes)
}

// Suspend permits any write by others than leaders, until [Auditor.Resume].
func (a *Auditor) Suspend() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.blind = true
}

// Resume ends what Suspend began.
func (a *Auditor) Resume() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.blind = false
}

// Forget discards what was read before, so that any content may follow.
func (a *Auditor) Forget() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.highest, a.last = found{}, found{}
}

func (a *Auditor) report(t *testing.T) {
	t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, fault := range a.faults {
		t.Error("in Redis: " + fault)
	}
	a.faults = nil
}

func (a *Auditor) read(ctx context.Context) {
	a.mu.Lock() // an earlier read must not be checked after a later one
	defer a.mu.Unlock()
	reply, err := readAll.Run(ctx, a.admin, []string{
		a.keys.Entry, a.keys.Blob, a.keys.Meta, a.keys.Control, a.keys.Pinned, a.keys.Source,
	}, wire.MetaFields()).Slice()
	if err != nil {
		return // Redis is unreachable: there is nothing to check
	}
	if a.blind {
		return
	}
	entry, _ := reply[0].(string) // nil: the key is missing
	blob, _ := reply[1].(string)
	meta, _ := reply[2].([]any)
	var o ordered
	o.control, _ = reply[3].(string)
	o.pinned, _ = reply[4].(string)
	o.source, _ = reply[5].(string)
	if seen := fmt.Sprint(meta); seen != a.seen || entry != a.entryText || blob != a.blobText || o != a.ordered {
		a.seen, a.entryText, a.blobText, a.ordered = seen, entry, blob, o
		a.compare(entry, blob, meta, o)
	}
}

// readAll reads all keys atomically. A full Redis would refuse a transaction.
var readAll = redis.NewScript(`return {
	redis.call('GET', KEYS[1]), redis.call('GET', KEYS[2]), redis.call('HMGET', KEYS[3], unpack(ARGV)),
	redis.call('GET', KEYS[4]), redis.call('GET', KEYS[5]), redis.call('GET', KEYS[6])}`)

// note records a fault that a tap found.
func (a *Auditor) note(text string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.fault("%s", text)
}

// wentBack is like note, but accepts the fault where Redis may lose writes.
func (a *Auditor) wentBack(text string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.lossy {
		a.fault("%s", text)
		a.back++
	}
}

func (a *Auditor) fault(format string, args ...any) {
	// Each read finds the same fault, or a similar one, until a leader repairs it.
	if text := fmt.Sprintf(format, args...); len(a.faults) < 20 && !slices.Contains(a.faults, text) {
		a.faults = append(a.faults, text)
	}
}
