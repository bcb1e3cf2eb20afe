package follower

import (
	"bytes"
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/catbridge/catbridge/internal/wire"
)

// blobCandidate is content as it is read from Redis. No other client of the process has it.
func blobCandidate(version int) candidate {
	json := append(configJSON(version), bytes.Repeat([]byte(" "), 1000)...) // so that it is compressed
	blob := wire.Blob{Rev: wire.MinRev, Hash: wire.ContentHash(json)}
	blob.Codec, blob.Payload = wire.Encode(json)
	return candidate{rev: blob.Rev, hash: blob.Hash, source: SourceBlob, stored: blob, json: blob.JSON}
}

func (c candidate) damaged() candidate {
	c.stored.Payload = slices.Clone(c.stored.Payload)
	c.stored.Payload[len(c.stored.Payload)/2] ^= 1
	c.json = c.stored.JSON
	return c
}

func TestClientsWithSeparateRedisClientsShareOneConfig(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		w := n.writer(t)
		w.commit(configJSON(1))
		w.beat()
		first, second := n.start(t), n.start(t)
		for version := 1; version <= 2; version++ {
			wantVersion(t, first, version)
			wantVersion(t, second, version)
			if first.feed == second.feed || first.Snapshot(nil).Config() != second.Snapshot(nil).Config() {
				t.Errorf("version %d was compiled twice", version)
			}
			w.commit(configJSON(version + 1))
		}
	})
}

func TestConcurrentRequestsCompileContentOnce(t *testing.T) {
	wanted := blobCandidate(1001)
	got := make([]*compiled, 50)
	var group sync.WaitGroup
	for i := range got {
		group.Go(func() {
			c, err := contents.get(wanted)
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
	wanted := blobCandidate(1002)
	if _, err := contents.get(wanted.damaged()); err == nil {
		t.Error("damaged bytes were taken")
	}
	held, err := contents.get(wanted)
	if err != nil {
		t.Fatalf("after one that was damaged: %v", err)
	}
	if _, err := contents.get(wanted.damaged()); err == nil {
		t.Error("damaged bytes were taken, since the content is held")
	}
	json, _ := wanted.json()
	other := wanted
	other.stored = wire.Blob{Hash: wanted.hash, Codec: wire.Raw, Payload: json} // as another leader stores it
	other.json = other.stored.JSON
	if c, err := contents.get(other); err != nil || c != held {
		t.Errorf("stored otherwise: %v", err)
	}
	runtime.KeepAlive(held)
}

func TestTheTableKeepsNoConfigAlive(t *testing.T) {
	wanted := blobCandidate(1003)
	if _, err := contents.get(wanted); err != nil {
		t.Fatal(err)
	}
	for range 1000 { // cleanups run some time after the collection
		runtime.GC()
		runtime.Gosched()
		contents.mu.Lock()
		_, there := contents.byHash[wanted.hash]
		contents.mu.Unlock()
		if !there {
			return
		}
	}
	t.Error("a content that nobody holds is still in the table")
}
