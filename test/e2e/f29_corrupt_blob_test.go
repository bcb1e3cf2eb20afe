package e2e

import (
	"bytes"
	"context"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
	"github.com/catbridge/catbridge/internal/wire"
	"github.com/catbridge/catbridge/test/harness"
)

// corruptBlobs returns copies of a blob that must be rejected: with any one bit flipped,
// with a rev ahead of meta's, or with old content under the current header.
func corruptBlobs(env *harness.Environment, data []byte) map[string][]byte {
	env.Helper()
	blob, err := wire.ParseBlob(data)
	if err != nil {
		env.Fatal(err)
	}
	bit, flipped := 0, data
	for isSound(flipped) { // the flip may make another valid rev, or hit a bit that the codec ignores
		bit, flipped = env.Random.IntN(8*len(data)), bytes.Clone(data)
		flipped[bit/8] ^= 1 << (bit % 8)
	}
	ahead, old := blob, blob
	ahead.Rev += time.Hour.Milliseconds() // also after the next answers of the CDN
	old.Codec, old.Payload = wire.Encode(fakecdn.Config{}.JSON())
	return map[string][]byte{"bit " + strconv.Itoa(bit): flipped, "rev": ahead.Append(nil), "content": old.Append(nil)}
}

func isSound(data []byte) bool {
	blob, err := wire.ParseBlob(data)
	if err == nil {
		_, err = blob.JSON()
	}
	return err == nil
}

// Bits of the blob flip, also those of its rev. It is rejected, and the current content is
// written again.
func TestF29_CorruptBlobIsRejected(t *testing.T) {
	harness.Scenario(t, func(env *harness.Environment) {
		env.StartAll(2)
		for range env.Rounds(2) {
			version := env.CDN.Version()
			env.Audit.Suspend()
			blob, err := env.Admin.Get(env.Context(), env.Keys.Blob).Bytes()
			if err != nil {
				env.Fatal(err)
			}
			for what, corrupt := range corruptBlobs(env, blob) {
				refused := refusedBlobs(env)
				// The leader repairs it, perhaps before a follower reads it.
				release := holdBlob(env, corrupt)
				env.Eventually(0, "a process rejects a blob with a corrupt "+what, func() bool {
					env.Follow() // a new follower reads the entry instead
					env.AwaitVersion(version, 2*env.Leader.RenewInterval+env.Follower.MetaReread)
					return refusedBlobs(env) > refused
				})
				release()
				for _, r := range env.Followers {
					r.Noise = true
					_ = r.Client.Refresh(env.Context())
					if v := r.Version(); v != version {
						env.Errorf("%s has version %d of a blob with a corrupt %s", r.Name, v, what)
					}
				}
			}
			env.AwaitVersion(env.CDN.Publish(), env.PollBound())
			env.Audit.Resume()
			env.Settle()
		}
	})
}

// holdBlob writes value to the blob again and again, until the returned function is called.
func holdBlob(env *harness.Environment, value []byte) (release func()) {
	ctx, cancel := context.WithCancel(env.Context())
	var writer sync.WaitGroup
	writer.Go(func() {
		for ; ctx.Err() == nil; time.Sleep(env.CheckInterval()) {
			if err := env.Admin.Set(ctx, env.Keys.Blob, value, 0).Err(); err != nil && ctx.Err() == nil {
				env.Error(err)
			}
		}
	})
	return func() {
		cancel()
		writer.Wait()
	}
}

func refusedBlobs(env *harness.Environment) (n uint64) {
	for _, r := range env.Followers {
		n += r.Client.Stats().RefusedBlobs
	}
	return n
}
