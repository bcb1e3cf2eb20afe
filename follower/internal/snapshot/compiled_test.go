package snapshot

import (
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/internal/wire"
)

// newCandidate is content as it is read from Redis. No other client of the process has it.
func newCandidate(version int) Candidate {
	json := fmt.Appendf(nil, `{"f":{"version":{"t":2,"v":{"i":%d}}}}%1000s`, version, "") // so that it is compressed
	blob := wire.Blob{Rev: wire.MinRev, Hash: wire.ContentHash(json)}
	blob.Codec, blob.Payload = wire.Encode(json)
	return Candidate{Rev: blob.Rev, Hash: blob.Hash, Source: SourceBlob, Stored: blob, JSON: blob.JSON}
}

func (c Candidate) damaged() Candidate {
	c.Stored.Payload = slices.Clone(c.Stored.Payload)
	c.Stored.Payload[len(c.Stored.Payload)/2] ^= 1
	c.JSON = c.Stored.JSON
	return c
}

func TestConcurrentRequestsCompileContentOnce(t *testing.T) {
	wanted := newCandidate(1001)
	got := make([]*compiled, 50)
	var group sync.WaitGroup
	for i := range got {
		group.Go(func() {
			c, err := contents.get(wanted, nil)
			if err != nil {
				t.Error(err)
			}
			got[i] = c
		})
	}
	group.Wait()
	for _, c := range got {
		if c != got[0] || c.config != got[0].config {
			t.Fatal("compiled twice")
		}
	}
}

// I4: damaged bytes are refused although another client holds the same content.
func TestDamagedBytesAreRefusedThoughTheContentIsCached(t *testing.T) {
	wanted := newCandidate(1002)
	if _, err := contents.get(wanted.damaged(), nil); err == nil {
		t.Error("damaged bytes were taken")
	}
	held, err := contents.get(wanted, nil)
	if err != nil {
		t.Fatalf("after one that was damaged: %v", err)
	}
	if _, err := contents.get(wanted.damaged(), nil); err == nil {
		t.Error("damaged bytes were taken, since the content is held")
	}
	json, _ := wanted.JSON()
	other := wanted
	other.Stored = wire.Blob{Hash: wanted.Hash, Codec: wire.Raw, Payload: json} // as another leader stores it
	other.JSON = other.Stored.JSON
	if c, err := contents.get(other, nil); err != nil || c != held {
		t.Errorf("stored otherwise: %v", err)
	}
	runtime.KeepAlive(held)
}

// What did not change is not compiled again: the rules stay where they are.
func TestCompileSharesUnchangedFlagsWithTheHeldContent(t *testing.T) {
	candidate := func(version int) Candidate {
		json := fmt.Appendf(nil, `{"f":{"version":{"t":2,"v":{"i":%d}},"rule":{"t":0,"r":[{"s":{"v":{"b":true}}}],"v":{"b":false}}}}`, version)
		blob := wire.Blob{Rev: wire.MinRev, Hash: wire.ContentHash(json), Codec: wire.Raw, Payload: json}
		return Candidate{Rev: blob.Rev, Hash: blob.Hash, Source: SourceBlob, Stored: blob, JSON: blob.JSON}
	}
	var held *Snapshot
	var rule *evaluate.TargetingRule
	for version := range 3 {
		next, err := Compile(candidate(version), held)
		if err != nil {
			t.Fatal(err)
		}
		if got := next.Config.Evaluate("version", nil, evaluate.Value{}, nil).Value.Int(); got != int64(version) {
			t.Errorf("version %d, want %d", got, version)
		}
		if got := next.Config.Evaluate("rule", nil, evaluate.Value{}, nil).TargetingRule; held != nil && got != rule {
			t.Error("an unchanged flag was compiled again")
		} else {
			rule = got
		}
		held = next
	}
}

func TestTheTableKeepsNoConfigAlive(t *testing.T) {
	wanted := newCandidate(1003)
	if _, err := contents.get(wanted, nil); err != nil {
		t.Fatal(err)
	}
	for range 1000 { // cleanups run some time after the collection
		runtime.GC()
		runtime.Gosched()
		contents.mu.Lock()
		_, there := contents.byHash[wanted.Hash]
		contents.mu.Unlock()
		if !there {
			return
		}
	}
	t.Error("a content that nobody holds is still in the table")
}
