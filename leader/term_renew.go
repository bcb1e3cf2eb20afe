package leader

import (
	"context"
	"time"

	"github.com/catbridge/catbridge/internal/wire"
	"github.com/catbridge/catbridge/leader/internal/script"
)

// renew renews the lock, publishes the heartbeat and repairs what Redis lost or others
// overwrote. It publishes a CDN answer that no write has published yet. Then it commits the
// pending content.
func (t *term) renew(ctx context.Context) error {
	// Twice: if a reply was lost, meta is ahead and names this process's content. The first
	// pass adopts meta, the second publishes the heartbeat.
	for range 2 {
		w, err := t.sendRenewal(ctx)
		if err != nil {
			return err
		}
		switch w.Outcome {
		case script.OK:
			t.elector.confirmControl(w.Control, t.epoch)
			if w.Control != t.elector.controlSeq() || t.inForce != t.elector.inForce() || t.elector.acted.ended(w.Now) {
				return t.onControl(ctx)
			}
			if t.pending != nil && !t.mayWrite(t.pending) {
				t.pending = nil // the repair is obsolete
			}
			if t.pending == nil {
				return nil
			}
			return t.commit(ctx, t.pending)
		case script.Stale:
			t.adopt(w.Meta, w.Now)
		case script.Regressed:
			return t.repairRegressed(ctx, w)
		case script.Overwritten:
			return t.repairOverwritten(ctx, w)
		}
	}
	return nil
}

func (t *term) sendRenewal(ctx context.Context) (script.WriteReply, error) {
	ctx, cancel := t.withDeadline(ctx, t.elector.timings.RenewInterval)
	defer cancel()
	sent := time.Now()
	a := t.assertion(wire.Heartbeat, t.sourceHash())
	t.addControl(&a, t.content, t.inForce)
	w, err := t.write(ctx, spanRenew, func(ctx context.Context) (script.WriteReply, error) { return t.elector.store.Renew(ctx, a) })
	if err != nil {
		return w, err
	}
	t.elector.stats.update((*KeyStats).contact)
	if w.Outcome == script.Fenced {
		return w, errFenced
	}
	t.renewedAt = sent
	if w.Outcome == script.OK {
		t.applyReply(w)
		if a.Age >= 0 {
			t.answered = time.Time{}
		}
		t.elector.stats.update(func(s *KeyStats) { s.Renewals++ })
	}
	return w, nil
}
