package feed

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/catbridge/catbridge/follower/internal/snapshot"
	"github.com/catbridge/catbridge/internal/patch"
	"github.com/catbridge/catbridge/internal/wire"
)

var errOtherContent = errors.New("a patch makes content with another hash")

// windows are the windows within which followers spread their reads of newer content (I12).
type windows struct {
	spread  time.Duration // of the blob
	patches time.Duration // of the patches; 0: there are none
	stated  bool          // a message on this connection stated both; before, there may be patches

	wholeAt time.Time // when the blob may be read if the patches do not help
	whole   bool      // they did not: the next read is of the blob
}

func (w *windows) observe(m wire.Message) { w.spread, w.patches, w.stated = m.Spread, m.Patches, true }

// takePatch puts newer content in force if the message has a patch of the content in force, and
// reports whether it did.
func (s *syncer) takePatch(m wire.Message) bool {
	data, ok := m.Patch()
	if !ok {
		return false
	}
	held := s.current.Load()
	if held == nil || wire.ShortHash(held.Hash) != m.Base {
		s.inc(&s.n.UnusedPatches)
		return false
	}
	next, err := s.fromPatches(held, wire.Patches{{From: m.Base, To: m.Hash, Rev: m.Rev, Len: m.Len, Patch: data}},
		snapshot.Candidate{Rev: m.Rev, Hash: m.Hash, ETag: m.ETag, Source: snapshot.SourceMessage})
	if err != nil || next == nil {
		return false
	}
	s.inc(&s.n.Patched)
	s.apply(next)
	return true
}

// fromPatches makes a snapshot of the content that steps make of the content held.
func (s *syncer) fromPatches(held *snapshot.Snapshot, steps wire.Patches, c snapshot.Candidate) (*snapshot.Snapshot, error) {
	c.Stored = wire.Blob{Rev: c.Rev, Hash: c.Hash, Codec: wire.Patch, Payload: steps.Append(nil)}
	c.JSON = func() ([]byte, error) { return applySteps(held.JSON, steps, c.Hash) }
	return s.prepare(c, false)
}

// applySteps applies patches one after the other, which must make content with the given hash. Only
// verified content is a base (I4).
func applySteps(json []byte, steps wire.Patches, hash string) ([]byte, error) {
	if steps.To() != hash {
		return nil, errOtherContent
	}
	for _, step := range steps {
		next, err := patch.Apply(json, step.Patch, step.Len)
		if err != nil {
			return nil, err
		}
		if wire.ContentHash(next) != step.To {
			return nil, errOtherContent
		}
		json = next
	}
	return json, nil
}

// scheduleRead schedules a read of newer content at a random time within the window of the
// patches, if there are any, or else of the blob. A read that is scheduled earlier stays.
func (s *syncer) scheduleRead() {
	whole := upTo(s.windows.spread)
	wait := whole
	if s.windows.patches > 0 && s.mayPatch() {
		wait = upTo(s.windows.patches)
	}
	if s.content.on && time.Until(s.content.due) <= wait {
		return
	}
	s.windows.wholeAt = time.Now().Add(whole)
	s.content.set(wait)
}

// mayPatch reports whether the patches in Redis may lead from the content in force to newer one.
func (s *syncer) mayPatch() bool {
	absent := s.windows.stated && s.windows.patches == 0
	return s.current.Load() != nil && !absent && !s.windows.whole && !s.rebase.due()
}

// readNewer reads the patches if they may help. If they do not, it reads the blob, at its own
// random time within the spread window.
func (s *syncer) readNewer(ctx context.Context) (head, error) {
	if !s.mayPatch() {
		return s.readAll(ctx)
	}
	s.content.off()
	h, done, err := s.readPatches(ctx)
	if done || err != nil {
		return h, err
	}
	if wait := time.Until(s.windows.wholeAt); wait > 0 {
		s.windows.whole = true
		s.content.set(wait)
		return h, nil
	}
	return s.readAll(ctx)
}

// readPatches reads the patches and puts the content in force that they make. done reports that
// reading the blob would bring nothing more.
func (s *syncer) readPatches(ctx context.Context) (h head, done bool, err error) {
	s.inc(&s.n.PatchReads)
	r, err := s.store.readPatches(s.readContext(ctx), s.contentNode())
	if err != nil {
		return r.head, false, s.readFailed(ctx, err, s.content)
	}
	s.readWorked()
	s.onHead(r.head)
	held := s.current.Load()
	switch {
	case s.rebase.due(), !r.locked, r.meta.Rev == 0: // the blob or the official entry may be newer
		return r.head, false, nil
	case r.meta.Rev > held.Rev && r.meta.Hash == held.Hash:
		s.move(r.meta.Rev, r.meta.ETag)
	case r.meta.Rev > held.Rev && s.noConfig.has(r.meta.Hash):
	case r.meta.Rev > held.Rev:
		next, err := s.fromReading(held, r)
		if next == nil && !s.noConfig.has(r.meta.Hash) {
			return r.head, false, nil
		}
		if err != nil {
			err = fmt.Errorf("follower: the content that Redis names is unavailable: %w", err)
		}
		s.finishPatched(r.head, next)
		return r.head, true, err
	}
	s.finishPatched(r.head, nil)
	return r.head, true, nil
}

// fromReading makes a snapshot of the content that the patches in r make; nil if they do not.
func (s *syncer) fromReading(held *snapshot.Snapshot, r reading) (*snapshot.Snapshot, error) {
	if r.patchesErr != nil {
		s.inc(&s.n.RefusedPatches)
		s.onRefused("The patches in Redis were rejected.", r.patchesErr)
		return nil, r.patchesErr
	}
	steps := r.patches.Chain(held.Hash, r.meta.Hash)
	if len(steps) == 0 {
		s.inc(&s.n.UnusedPatches)
		return nil, nil
	}
	return s.fromPatches(held, steps,
		snapshot.Candidate{Rev: r.meta.Rev, Hash: r.meta.Hash, ETag: r.meta.ETag, Source: snapshot.SourcePatches})
}

func (s *syncer) finishPatched(h head, next *snapshot.Snapshot) {
	if next != nil {
		s.inc(&s.n.Patched)
		s.apply(next)
	}
	s.confirm()
	s.readSoon(h)
	s.onStaleRead(h)
}
