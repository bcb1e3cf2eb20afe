package test

import (
	"context"
	"encoding/json"
	"errors"
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

// auditor reads all that the bridge stores, in one transaction each time, and sees
// to it that entry, blob and meta agree (I3), that the fetch time in the entry does
// not go back (I9), and that the version within the content does not.
type auditor struct {
	admin redis.UniversalClient
	keys  cachekeys.Keys

	mu      sync.Mutex
	faults  []string
	fetched int64
	version int64
	lossy   bool
	sound   string // hash of the last blob whose content was looked at
	// What was seen last, since nearly always nothing has changed.
	seen, entryText, blobText string
	known                     map[string]int64 // version by content hash
}

// startAuditor lets it read now and then, until the end of the test.
func startAuditor(w *world) *auditor {
	a := &auditor{admin: w.admin, keys: w.keys, known: map[string]int64{}}
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
	return a.version
}

// allowLoss lets what is stored go back from now on: a replica that takes over may be
// behind, until a leader mends it.
func (a *auditor) allowLoss() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.lossy = true
}

// forget lets what is stored begin anew.
func (a *auditor) forget() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.fetched, a.version = 0, 0
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
	pipe := a.admin.TxPipeline()
	entry, blob := pipe.Get(ctx, a.keys.Entry), pipe.Get(ctx, a.keys.Blob)
	meta := pipe.HMGet(ctx, a.keys.Meta, cachekeys.MetaFields()...)
	if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) {
		return // Redis is away: nothing can be said
	}
	if seen := fmt.Sprint(meta.Val()); seen != a.seen || entry.Val() != a.entryText || blob.Val() != a.blobText {
		a.seen, a.entryText, a.blobText = seen, entry.Val(), blob.Val()
		a.compare(entry.Val(), blob.Val(), meta.Val())
	}
}

// compare looks at what is there; a key may be missing after a fault.
func (a *auditor) compare(entryText, blobText string, fields []any) {
	meta, err := cachekeys.ParseMeta(fields)
	if err != nil {
		a.fault("%v", err)
	}
	rev, hash := meta.Rev, meta.Hash
	agree := func(what string, thisRev int64, thisHash string) {
		if rev != 0 && (thisRev != rev || thisHash != hash) {
			a.fault("%s has rev %d and hash %.8s, others have %d and %.8s", what, thisRev, thisHash, rev, hash)
		}
		rev, hash = thisRev, thisHash
	}
	if blobText != "" {
		blob, err := cachekeys.ParseBlob([]byte(blobText))
		if err == nil && blob.Hash != a.sound {
			_, err = blob.JSON()
		}
		if err != nil {
			a.fault("%v", err)
		}
		a.sound = blob.Hash
		agree("the blob", blob.Rev, blob.Hash)
	}
	if entryText != "" {
		entry, err := cachekeys.ParseEntry([]byte(entryText))
		if err != nil {
			a.fault("%v", err)
			return
		}
		contentHash := cachekeys.ContentHash(entry.JSON)
		agree("the entry", entry.FetchTime, contentHash)
		a.entry(entry, contentHash)
	}
}

func (a *auditor) entry(entry cachekeys.Entry, hash string) {
	if entry.FetchTime < a.fetched && !a.lossy {
		a.fault("fetch time %d after %d", entry.FetchTime, a.fetched)
	}
	a.fetched = max(a.fetched, entry.FetchTime)
	version, ok := a.known[hash]
	if !ok {
		var config struct {
			F map[string]struct{ V struct{ I int64 } }
		}
		if err := json.Unmarshal(entry.JSON, &config); err != nil {
			a.fault("%v", err)
		}
		version = config.F[fakecdn.VersionFlag].V.I
		a.known[hash] = version
	}
	if version < a.version && !a.lossy {
		a.fault("version %d after %d", version, a.version)
	}
	a.version = max(a.version, version)
}

func (a *auditor) fault(format string, args ...any) {
	// The same is seen at each read, until it is mended.
	if text := fmt.Sprintf(format, args...); !slices.Contains(a.faults, text) {
		a.faults = append(a.faults, text)
	}
}
