package leader

import (
	"context"
	"sync"

	"github.com/catbridge/catbridge/internal/patch"
	"github.com/catbridge/catbridge/internal/wire"
	"github.com/catbridge/catbridge/leader/internal/script"
)

// change is how content and the content that it replaces are made of each other. It is immutable.
type change struct {
	from  string // hash of the content that is replaced
	size  int    // of that config JSON
	patch []byte // makes the new content of the content that is replaced; nil: there is none
	back  []byte // leads back, see [wire.Back], in its stored form; nil: there is no history
}

// changing is a change that goroutines of their own make. It is not safe for concurrent use.
type changing struct {
	elector *elector
	ctx     context.Context // with the time that it may take
	base    *content        // the content that is replaced
	patch   chan []byte     // nil: there is no patch
	back    chan []byte     // nil: there is no history
}

// startChange starts to make the change from base to json, which it does not modify. It returns nil if base is
// nil. running counts the goroutines.
func (e *elector) startChange(ctx context.Context, base *content, json []byte, running *sync.WaitGroup) *changing {
	if base == nil {
		return nil
	}
	start := func(from, to []byte, limit int) chan []byte {
		made := make(chan []byte, 1)
		running.Go(func() {
			defer e.leader.crash.guard()
			made <- patch.Make(ctx, from, to, limit)
		})
		return made
	}
	m := &changing{elector: e, ctx: ctx, base: base}
	if len(json) > wire.MaxInlineBytes { // a message carries shorter content itself
		m.patch = start(base.JSON, json, wire.MaxPatchesBytes)
	}
	if e.keepsHistory() {
		m.back = start(json, base.JSON, min(e.maxBack(), len(base.Payload)))
	}
	return m
}

// wait returns the change, whose content is c. There is no patch if it takes too long or saves too
// little. m may be nil; then there is no change.
func (m *changing) wait(c *script.Content) *change {
	if m == nil {
		return nil
	}
	made := &change{from: m.base.Hash, size: len(m.base.JSON)}
	if p := m.receive(m.patch); len(c.Payload) > wire.MaxInlineBytes && len(p) < len(c.Payload)/2 {
		made.patch = p
	}
	if m.back != nil {
		made.back = m.elector.backTo(m.base, m.receive(m.back))
	}
	return made
}

// receive returns a patch, or nil if it takes too long. made may be nil.
func (m *changing) receive(made chan []byte) []byte {
	if made == nil {
		return nil
	}
	select {
	case p := <-made:
		return p
	case <-m.ctx.Done(): // it ends soon, or has ended in time, since checks may take longer
	}
	select {
	case p := <-made:
		return p
	default:
		return nil
	}
}

// rebase returns c with the change from the content that is current now. Other content may have been current
// when c was fetched: the reply to a commit was lost, or Redis lost data. Without that change,
// the history would not lead back beyond c.
func (t *term) rebase(ctx context.Context, c *content) *content {
	e := t.elector
	known := c.change != nil && c.change.from == t.hash && (c.change.back != nil || !e.keepsHistory())
	if known || t.hash == "" || c.Hash == t.hash {
		return c
	}
	base := t.loadBase(ctx)
	if base == nil {
		return c
	}
	var running sync.WaitGroup
	defer running.Wait()
	ctx, cancel := context.WithTimeout(ctx, patchBudget)
	defer cancel()
	rebased := *c
	rebased.change = e.startChange(ctx, base, c.JSON, &running).wait(c.Content)
	return &rebased
}

// loadBase returns the current content, from Redis if this process does not hold it, together with the
// patches that lead to it. It returns nil if Redis does not have it either.
func (t *term) loadBase(ctx context.Context) *content {
	if t.content != nil {
		return t.content
	}
	loading, cancel := t.withDeadline(ctx, t.elector.timings.RenewInterval)
	defer cancel()
	stored, err := t.elector.store.Load(loading, t.hash, t.etag)
	if err != nil {
		return nil
	}
	base := &content{Content: stored}
	t.loadPatches(ctx, base)
	return base
}
