package leader

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/catbridge/catbridge/internal/control"
	"github.com/catbridge/catbridge/internal/wire"
	"github.com/catbridge/catbridge/leader/internal/script"
)

// acted is a control that this process has acted on as the leader, or has seen as a candidate. It is nil if
// there is none. Only act changes it.
type acted struct {
	*control.Control
	pinned *script.Content // of the pin; nil: there is no pin
	epoch  int64           // of the last term in which Redis had it
	seen   time.Time       // when Redis had it last
}

// ended reports whether a pin or a force has reached its end at a time by Redis's clock.
func (a *acted) ended(now int64) bool {
	return a != nil && !a.Empty() && a.FirstEnd() <= now
}

// controlSeq returns the seq of the control that this process acted on, or 0.
func (e *elector) controlSeq() int64 {
	if e.acted == nil {
		return 0
	}
	return e.acted.Seq
}

// inForce is like controlSeq, but returns 0 if nothing is in force.
func (e *elector) inForce() int64 {
	if e.acted == nil || e.acted.Empty() {
		return 0
	}
	return e.acted.Seq
}

// origin returns what the CDN served: c itself or its source. It returns nil if c is nil, or if c was
// made under a control and its source is unknown.
func (c *content) origin() *content {
	switch {
	case c == nil:
		return nil
	case c.source != nil:
		return c.source
	case control.IsETag(c.StoredETag(), c.Hash):
		return nil
	}
	return c
}

// sourceHash returns the hash of what the CDN served; empty: it is unknown.
func (c *content) sourceHash() string {
	if source := c.origin(); source != nil {
		return source.Hash
	}
	return ""
}

// sourceHash returns the hash of what the CDN served when the current content was committed; empty:
// it is unknown.
func (t *term) sourceHash() string {
	switch {
	case t.content != nil:
		return t.content.sourceHash()
	case control.IsETag(t.etag, t.hash):
		return ""
	}
	return t.hash
}

// sourceETag is like sourceHash, and returns the ETag as it is stored.
func (t *term) sourceETag() string {
	switch source := t.content.origin(); {
	case source != nil:
		return source.StoredETag()
	case t.content != nil || control.IsETag(t.etag, t.hash):
		return ""
	}
	return t.etag
}

// sameSource reports whether the CDN served the same for c and for the current content: they differ
// only in what operators have put in force.
func (t *term) sameSource(c *content) bool {
	source := c.origin()
	if source == nil {
		return t.content != nil && t.content.origin() == nil
	}
	return source.Hash == t.sourceHash() && source.StoredETag() == t.sourceETag()
}

// unknownSeq is the seq of content from Redis that was made under a control: it is made again from its
// source.
const unknownSeq = -1

// withSource returns c, which is in Redis, with its source if c was made under a control. If Redis does not
// have the source, it is unknown until the CDN answers.
func (t *term) withSource(ctx context.Context, c *content) (*content, error) {
	if c.origin() != nil {
		return c, nil
	}
	made := *c
	made.seq = unknownSeq
	stored, err := t.elector.store.Source(ctx, t.rev)
	if err == nil {
		made.source = t.verify(stored)
	}
	return &made, err
}

// learnSource reads the source of the current content if that has failed before: a commit without it would
// delete it.
func (t *term) learnSource(ctx context.Context) error {
	if t.content == nil || t.content.origin() != nil {
		return nil
	}
	ctx, cancel := t.withDeadline(ctx, t.elector.timings.RenewDeadline/2)
	defer cancel()
	c, err := t.withSource(ctx, t.content)
	if err != nil || c.source == nil {
		return err
	}
	if t.pending != nil && t.pending.origin() == nil && t.pending.Hash == c.Hash {
		t.pending = nil
	}
	t.content = c
	t.remember()
	return nil
}

// addControl adds to the write of c what its scripts write and check of the control in force, whose
// seq is inForce. c is nil if only Redis has the current content.
func (t *term) addControl(a *script.Assertion, c *content, inForce int64) {
	a.InForce, a.Message.Control = inForce, inForce
	if c == nil {
		return
	}
	a.Seq = c.seq
	if e := t.elector; e.acted != nil && e.acted.Pin != nil {
		a.Pin = e.acted.Pin.Hash
	}
	source := c.origin()
	if source == nil {
		return
	}
	a.SourceETag, a.FormerETag = source.StoredETag(), t.sourceETag()
	if inForce != 0 {
		a.Source = source.Content
	}
}

// onControl acts on the control that Redis has. An uncertain term leaves that to the CDN's answer.
func (t *term) onControl(ctx context.Context) error {
	if err := t.readControl(ctx); err != nil {
		return err
	}
	if t.newest() == nil { // reading it failed when the term began
		t.loadContent(ctx)
	}
	if err := t.learnSource(ctx); err != nil {
		return err
	}
	newest := t.newest()
	c := t.underControl(newest)
	switch {
	case c == nil || t.isCurrent(c):
		return nil
	case newest == nil && (t.uncertain() || t.rev == 0 && t.repairContent() != nil), newest != nil && !t.mayWrite(c):
		return nil
	}
	return t.commit(ctx, c)
}

// readControl reads the control from Redis. It writes it again if Redis lost what this process acted
// on, and writes it without what has ended. Then this process acts on the result.
func (t *term) readControl(ctx context.Context) error {
	ctx, cancel := t.withDeadline(ctx, t.elector.timings.RenewDeadline/2)
	defer cancel()
	for range 3 {
		stored, err := t.elector.store.Control(ctx)
		if err != nil {
			return err
		}
		next, fault := t.nextControl(stored)
		if next == nil {
			return nil
		}
		current := next.InForce(stored.Now)
		expired := len(current.Forced) < len(next.Forced) || current.Pin == nil && next.Pin != nil
		if fault != "" || expired {
			w := script.ControlWrite{Expected: stored.Seq, Above: t.elector.controlSeq(), Control: current, Lock: t.lock}
			if !expired && next.Seq >= stored.Seq {
				w.Repaired = next.Seq
			}
			if current.Pin != nil {
				w.Pinned = next.pinned
			}
			reply, err := t.elector.store.WriteControl(ctx, w)
			switch {
			case err != nil:
				return err
			case reply.Outcome == script.Fenced:
				return errFenced
			case reply.Outcome != script.OK:
				continue // somebody was faster
			}
			current.Seq, next = reply.Seq, &acted{Control: current, pinned: w.Pinned}
		}
		t.act(next, fault, expired)
		return nil
	}
	return nil // the next renewal tries again
}

// nextControl returns the control to act on, and what is wrong with the stored one; empty: nothing. It
// returns nil if there is none.
func (t *term) nextControl(stored script.ControlState) (next *acted, fault string) {
	own := t.elector.acted
	switch {
	case stored.Control != nil && stored.Seq >= t.elector.controlSeq():
		next = &acted{Control: stored.Control, pinned: stored.Pinned}
		if stored.PinnedErr == nil {
			return own.merged(next)
		}
		fault = stored.PinnedErr.Error()
		if next.pinned = t.inMemory(next.Pin.Hash); next.pinned == nil {
			next.Control = next.Unpinned()
			next.Seq = 0 // it is another control
			fault += ": the pin has ended"
		}
		return next, fault
	case own == nil && stored.Malformed != nil:
		return &acted{Control: &control.Control{}}, stored.Malformed.Error() + ": nothing is in force"
	case own == nil:
		return nil, ""
	case stored.Malformed != nil:
		return own, stored.Malformed.Error()
	}
	return own, "it is missing, or older than the one in force"
}

// merged returns next with the orders of a that Redis had lost when next was ordered, and what is wrong; empty: nothing.
func (a *acted) merged(next *acted) (*acted, string) {
	if a == nil || a.Empty() || next.Seq <= a.Seq || next.After >= a.Seq {
		return next, ""
	}
	both := &acted{Control: next.Merged(a.Control), pinned: next.pinned}
	if next.Pin == nil {
		both.pinned = a.pinned
	}
	both.Seq = 0 // it is another control
	return both, "what was in force before is missing in it"
}

// inMemory returns content with that hash, or nil if this process has none.
func (t *term) inMemory(hash string) *script.Content {
	if own := t.elector.acted; own != nil && own.pinned != nil && own.pinned.Hash == hash {
		return own.pinned
	}
	for _, c := range []*content{t.content, t.content.origin(), t.elector.content} {
		if c != nil && c.Hash == hash {
			return c.Content
		}
	}
	return nil
}

// act makes next the control that this process acts on. fault is why Redis did not have it.
func (t *term) act(next *acted, fault string, expired bool) {
	e := t.elector
	before := e.acted
	next.epoch, next.seen = t.epoch, time.Now()
	e.acted = next
	if t.controlCause == "" || before == nil || before.Seq != next.Seq {
		t.controlCause = t.causeOf(before, next, expired)
	}
	e.stats.update(func(s *KeyStats) {
		s.InForce = e.inForce()
		if fault != "" {
			s.ControlsLost++
		}
	})
	if fault != "" {
		e.log().Warn(eventControlLost, "Redis lost what operators have put in force, or part of it; it was written again.", slog.String("fault", fault))
	}
	if before != nil && before.Seq == next.Seq {
		return
	}
	var pin string
	if next.Pin != nil {
		pin = next.Pin.Hash[:8]
	}
	forced := make([]string, 0, len(next.Forced))
	for _, f := range next.Forced {
		forced = append(forced, f.Flag)
	}
	e.log().Info(eventControl, "Acting on what operators have put in force.", slog.Int64("seq", next.Seq), slog.String("cause", string(t.controlCause)),
		slog.String("pin", pin), slog.String("forced", strings.Join(forced, " ")))
}

// causeOf returns why content changes from one control to the next. If the current content was made from
// neither, what was ordered before that content's control was part of it.
func (t *term) causeOf(before, next *acted, expired bool) wire.Cause {
	var old control.Control
	switch {
	case before != nil && (before.Seq == t.inForce || before.Empty() && t.inForce == 0):
		old = *before.Control
	case t.inForce != 0:
		if next.Pin != nil && next.Pin.Since <= t.inForce {
			old.Pin = next.Pin
		}
		for _, f := range next.Forced {
			if f.Since <= t.inForce {
				old.Forced = append(old.Forced, f)
			}
		}
	}
	switch {
	case next.Pin != nil && (old.Pin == nil || old.Pin.Hash != next.Pin.Hash):
		return wire.CausePin
	case slices.ContainsFunc(next.Forced, func(f control.Force) bool {
		return !slices.ContainsFunc(old.Forced, func(g control.Force) bool { return f.Flag == g.Flag && f.Value == g.Value })
	}):
		return wire.CauseForce
	case expired:
		return wire.CauseExpired
	}
	return wire.CauseWithdrawn
}

// pinnedAlone reports whether c was made of a pin alone: what the CDN serves is unknown.
func (t *term) pinnedAlone(c *content) bool {
	return c.origin() == nil && t.elector.acted != nil && t.elector.acted.Pin != nil
}
