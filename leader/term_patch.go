package leader

import (
	"context"
	"time"

	"github.com/catbridge/catbridge/internal/wire"
	"github.com/catbridge/catbridge/leader/internal/script"
)

// patchBudget is the longest time for making the patches of a change. One edit takes less than a millisecond, edits
// that are far apart take as long as compressing what lies between them. After patchBudget the
// change is published without a patch, and followers read the blob.
const patchBudget = 250 * time.Millisecond

// currentPatches returns the patches in Redis, as far as this process knows: those that lead to
// the current content.
func (t *term) currentPatches() wire.Patches {
	if t.patches.To() != t.hash {
		return nil
	}
	return t.patches
}

// nextPatches returns what the patches in Redis are once c is committed.
func (t *term) nextPatches(c *content, rev int64) wire.Patches {
	switch {
	case c.Hash == t.hash:
		return t.currentPatches()
	case c.change == nil || c.change.patch == nil || c.change.from != t.hash:
		return nil
	}
	return t.currentPatches().With(wire.PatchStep{
		From: wire.ShortHash(t.hash), To: c.Hash, Rev: rev, Len: len(c.JSON), Patch: c.change.patch,
	})
}

// addPatches adds the patches to the commit of c. The spread window stays that of the blob:
// followers that lack the base read it.
func (t *term) addPatches(a *script.Assertion, c *content) {
	next := t.nextPatches(c, 0)
	a.Message.Patches = t.elector.patchWindow(next, len(c.Payload))
	if c.Hash != t.hash && len(next) > 0 {
		a.Patches, a.From, a.Message.Base = next, t.hash, wire.ShortHash(t.hash)
	}
}

// keepPatches remembers the patches in Redis after the commit of c at rev. It must be called
// before c becomes the current content.
func (t *term) keepPatches(c *content, rev int64) { t.patches = t.nextPatches(c, rev) }

// loadPatches reads the patches that lead to the current content, which may be nil. Without them, the next
// change starts again.
func (t *term) loadPatches(ctx context.Context, current *content) {
	if current == nil || len(current.Payload) <= wire.MaxInlineBytes {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, t.elector.timings.RenewInterval)
	defer cancel()
	t.patches, _ = t.elector.store.Patches(ctx, t.hash)
}

// patchWindow returns the window over which followers read patches (I12): the spread window of
// the blob in proportion, but at least 1 ms, since 0 means that there are none.
func (e *elector) patchWindow(patches wire.Patches, blobBytes int) time.Duration {
	if len(patches) == 0 || blobBytes == 0 {
		return 0
	}
	window := e.spread(blobBytes) * time.Duration(patches.Size()) / time.Duration(blobBytes)
	return min(max(window.Truncate(time.Millisecond), time.Millisecond), wire.MaxSpread)
}
