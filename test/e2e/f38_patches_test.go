package e2e

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/catbridge/catbridge/internal/wire"
	"github.com/catbridge/catbridge/test/harness"
)

// Changes of a large config reach followers as patches. Then another writer replaces the patches
// and publishes patches of its own: from other content, to other content, malformed. Followers
// read the content instead; none goes back.
func TestF38_BadPatchesAreReadWhole(t *testing.T) {
	harness.Scenario(t, func(env *harness.Environment) {
		env.CDN.SetMinBytes(64 << 10)
		env.StartAll(3)
		for range env.Rounds(2) {
			patched := sumOf(env, func(r *harness.Follower) uint64 { return r.Client.Stats().Patched })
			for range 3 {
				env.AwaitVersion(env.CDN.Publish(), env.PollBound())
			}
			if now := sumOf(env, func(r *harness.Follower) uint64 { return r.Client.Stats().Patched }); now < patched+uint64(len(env.Followers)) {
				env.Errorf("%d contents came as patches, before %d", now, patched)
			}
			for _, r := range env.Followers {
				r.Noise = true
			}
			refused := sumOf(env, refusedPatches)
			release := forgePatches(env)
			for range 3 {
				env.AwaitVersion(env.CDN.Publish(), env.PollBound())
			}
			env.Eventually(0, "forged patches are refused", func() bool {
				return sumOf(env, refusedPatches) > refused
			})
			release()
			env.AwaitVersion(env.CDN.Publish(), env.PollBound())
			env.Settle()
		}
	})
}

func refusedPatches(r *harness.Follower) uint64 {
	s := r.Client.Stats()
	return s.RefusedPatches + s.UnusedPatches
}

func sumOf(env *harness.Environment, of func(*harness.Follower) uint64) (n uint64) {
	for _, r := range env.Followers {
		n += of(r)
	}
	return n
}

// forgePatches overwrites the patches and publishes changes with bad patches to content that does
// not exist, until the returned function is called. Their rev is just above the current one: the
// next answer of the CDN outranks them.
func forgePatches(env *harness.Environment) (release func()) {
	ctx, cancel := context.WithCancel(env.Context())
	var writer sync.WaitGroup
	writer.Go(func() {
		for i := 0; ctx.Err() == nil; i++ {
			forgePatch(ctx, env, i)
			time.Sleep(10 * env.CheckInterval())
		}
	})
	return func() {
		cancel()
		writer.Wait()
	}
}

func forgePatch(ctx context.Context, env *harness.Environment, i int) {
	meta, err := wire.ParseMeta(env.Admin.HMGet(ctx, env.Keys.Meta, wire.MetaFields()...).Val())
	if err != nil || meta.Rev == 0 {
		return
	}
	forged := []string{"", "garbage", "1 1 raw\n", "0 0 zstd\n\x28\xb5\x2f\xfd", "9999999 0 raw\n", "0 0 raw\n{}"}[i%6]
	base := wire.ShortHash(meta.Hash)
	if i%5 == 0 {
		base = strings.Repeat("0", len(base))
	}
	m := wire.Message{
		Type: wire.Change, Rev: meta.Rev + 1, CDN: meta.CDN, Hash: wire.ContentHash([]byte("forged")), Len: meta.Len, Poll: meta.Poll, Epoch: meta.Epoch,
		ETag: wire.MessageETag(meta.ETag), Patches: time.Millisecond, Base: base, Codec: wire.Patch, Content: []byte(forged),
	}
	steps := wire.Patches{{From: base, To: meta.Hash, Rev: meta.Rev, Len: max(meta.Len, 1), Patch: []byte(forged)}}
	env.Admin.Set(ctx, env.Keys.Patches, steps.Append(nil), 0)
	env.Admin.Publish(ctx, env.Keys.Events, m.Append(nil))
}
