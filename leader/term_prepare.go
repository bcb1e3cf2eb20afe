package leader

import (
	"context"
	"sync"

	"github.com/catbridge/catbridge/internal/patch"
	"github.com/catbridge/catbridge/internal/wire"
	"github.com/catbridge/catbridge/leader/internal/script"
)

// preparation is what a commit needs of a config JSON, which goroutines of their own make: its
// hash, the blob, a patch, and what leads back. It may be of JSON that is not a valid config. It is not safe for
// concurrent use.
type preparation struct {
	ctx     context.Context // nolint:containedctx // of the fetch
	budget  context.Context // of the patches
	cancel  context.CancelFunc
	base    *content // the current content, or nil
	content chan *script.Content
	patch   chan []byte    // nil: there is no patch
	back    func() *backTo // waits for what leads back to base
}

// prepare starts to prepare a config JSON, which it does not modify. running counts its goroutines.
func (e *elector) prepare(ctx context.Context, base *content, json []byte, running *sync.WaitGroup) *preparation {
	p := &preparation{ctx: ctx, base: base, content: make(chan *script.Content, 1)}
	p.budget, p.cancel = context.WithTimeout(ctx, patchBudget)
	running.Go(func() {
		defer e.leader.crash.guard()
		p.content <- script.NewContent(json, "")
	})
	p.back = e.startBack(p.budget, base, json, running)
	if base == nil || len(json) <= wire.MaxInlineBytes { // a message carries the content itself
		return p
	}
	p.patch = make(chan []byte, 1)
	running.Go(func() {
		defer e.leader.crash.guard()
		p.patch <- patch.Make(p.budget, base.JSON, json, wire.MaxPatchesBytes)
	})
	return p
}

// wait returns the content without its ETag, and the patch. The patch is nil if there is none, if
// it takes longer than patchBudget, or if it saves too little. The content is nil if the fetch's
// context is done.
func (p *preparation) wait() (*script.Content, *patchFrom) {
	var c *script.Content
	select {
	case c = <-p.content:
	case <-p.ctx.Done():
		return nil, nil
	}
	if p.patch == nil {
		return c, nil
	}
	var made []byte
	select {
	case made = <-p.patch:
	case <-p.budget.Done(): // it ends soon, or has ended in time, since checks may take longer
		select {
		case made = <-p.patch:
		default:
		}
	}
	if made == nil || len(c.Payload) <= wire.MaxInlineBytes || len(made) >= len(c.Payload)/2 {
		return c, nil
	}
	return c, &patchFrom{p.base.Hash, made}
}

// stop ends the work on patches. p may be nil. It is idempotent.
func (p *preparation) stop() {
	if p != nil {
		p.cancel()
	}
}
