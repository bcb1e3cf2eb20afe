package leader

import (
	"log/slog"
	"strings"

	"github.com/catbridge/catbridge/internal/control"
	"github.com/catbridge/catbridge/internal/wire"
	"github.com/catbridge/catbridge/leader/internal/script"
)

// underControl returns what is to be current while the CDN serves what it served for c: c itself if it
// was made from the control that this process acted on. If it cannot be made because the CDN's content
// is unknown, the result is c. It is nil if c is nil and no content is pinned.
func (t *term) underControl(c *content) *content {
	seq := t.elector.controlSeq()
	if c != nil && c.seq == seq {
		return c
	}
	for _, made := range []*content{t.pending, t.content} {
		if made != nil && made.seq == seq && sameContent(made.origin(), c.origin()) {
			return made
		}
	}
	made := t.effective(c.origin())
	if made == nil && c != nil {
		return t.kept(c)
	}
	return made
}

// kept returns c, the source of which is unknown, with the flags that are forced now. What is no longer
// forced or pinned stays until the CDN answers.
func (t *term) kept(c *content) *content {
	e, kept := t.elector, *c
	if e.inForce() != 0 {
		json, _, err := e.acted.Effective(c.JSON, nil)
		if err == nil && wire.ContentHash(json) != c.Hash {
			if more := t.verify(script.NewContent(json, control.ETag(wire.ContentHash(json)))); more != nil {
				kept = *more
			}
		}
	}
	kept.seq = e.controlSeq()
	return &kept
}

func sameContent(a, b *content) bool {
	return a != nil && b != nil && a.Hash == b.Hash && a.ETag == b.ETag
}

// effective makes of source, what the CDN serves, what is to be current. source is nil if it is unknown;
// so is the result then, unless content is pinned.
func (t *term) effective(source *content) *content {
	e := t.elector
	if source == nil && (e.inForce() == 0 || e.acted.Pin == nil) {
		t.reportSuspended("the CDN's content is unknown until the CDN answers")
		return nil
	}
	made, suspended := t.apply(source)
	t.reportSuspended(suspended)
	switch {
	case made == nil && source == nil:
		return nil
	case made == nil:
		own := *source // nothing in force makes a difference
		own.seq = e.controlSeq()
		return &own
	}
	c := t.verify(script.NewContent(made, control.ETag(wire.ContentHash(made))))
	if c == nil {
		return nil // not reached: what Effective returns is a valid config
	}
	c.seq, c.source = e.controlSeq(), source
	if source != nil {
		c.cause = source.cause
	}
	return c
}

// apply applies what is in force to source, which is nil if it is unknown. The result is nil if it
// would be source itself. suspended says which parts have no effect, and why.
func (t *term) apply(source *content) (made []byte, suspended string) {
	e := t.elector
	if e.inForce() == 0 {
		return nil, ""
	}
	var served, pinned []byte
	if source != nil {
		served = source.JSON
	}
	if e.acted.pinned != nil {
		pinned = e.acted.pinned.JSON
	}
	made, parts, err := e.acted.Effective(served, pinned)
	if err != nil {
		return nil, err.Error()
	}
	reasons := make([]string, 0, len(parts))
	for _, s := range parts {
		reasons = append(reasons, s.Flag+": "+s.Reason)
	}
	if source != nil && wire.ContentHash(made) == source.Hash {
		made = nil
	}
	return made, strings.Join(reasons, "; ")
}

// reportSuspended records which parts of the control have no effect, and why; empty: all have.
func (t *term) reportSuspended(reason string) {
	var before string
	t.elector.stats.update(func(s *KeyStats) { before, s.Suspended = s.Suspended, reason })
	if reason != "" && reason != before {
		t.elector.log().Warn(eventSuspended, "What operators have put in force has no effect, or not all of it, for now.", slog.String("reason", reason))
	}
}
