package leader

import (
	"context"
	"log/slog"
	"time"

	"github.com/catbridge/catbridge/internal/eventlog"
	"github.com/catbridge/catbridge/leader/internal/script"
)

// followControl keeps the control that a candidate knows up to date, so that any living process can write
// again what Redis loses: after a loss the lock is free, and the leader may not get it back. A candidate
// writes it again if it has seen it lately; if it has not, another control may have been in force meanwhile.
func (e *elector) followControl(ctx context.Context, g script.AcquireReply) {
	e.confirmControl(g.Control, g.Meta.Epoch)
	ctx, cancel := context.WithTimeout(ctx, e.timings.RenewDeadline/2)
	defer cancel()
	switch own := e.acted; {
	case g.Control > e.controlSeq():
		stored, err := e.store.Control(ctx)
		if err != nil || stored.Control == nil || stored.PinnedErr != nil {
			return
		}
		next, fault := own.merged(&acted{stored.Control, stored.Pinned, g.Meta.Epoch, time.Now()})
		if fault == "" {
			e.acted = next
			return
		}
		e.repairControl(ctx, script.ControlWrite{Expected: stored.Seq, Control: next.InForce(stored.Now), Pinned: next.pinned})
	case own != nil && g.Control < own.Seq && time.Since(own.seen) < e.leader.cfg.Timings.LeaseDuration+2*e.timings.RetryPeriod:
		e.repairControl(ctx, script.ControlWrite{Expected: g.Control, Control: own.Control, Pinned: own.pinned, Repaired: own.Seq})
	}
}

// repairControl writes again what Redis has lost, as a candidate does: without the lock.
func (e *elector) repairControl(ctx context.Context, w script.ControlWrite) {
	if w.Control.Pin == nil {
		w.Pinned = nil
	}
	switch reply, err := e.store.WriteControl(ctx, w); {
	case err != nil:
		e.log().Warn(eventControlLost, "Redis lost what operators have put in force; writing it again failed.", eventlog.Err(err))
	case reply.Outcome == script.OK:
		e.stats.update(func(s *KeyStats) { s.ControlsLost++ })
		e.log().Warn(eventControlLost, "Redis lost what operators have put in force, or part of it; it was written again.", slog.Int64("seq", reply.Seq))
	}
}

// confirmControl records that Redis has the control with that seq in the term with that epoch.
func (e *elector) confirmControl(seq, epoch int64) {
	if e.acted != nil && e.acted.Seq == seq {
		e.acted = &acted{e.acted.Control, e.acted.pinned, epoch, time.Now()}
	}
}
