package leader

import (
	"context"
	"sync"

	"github.com/catbridge/catbridge/leader/internal/script"
)

// preparation is what a commit needs of a config JSON, which goroutines of their own make: its
// hash, the blob, and the change from the current content. It may be of JSON that is not a valid config. It is not
// safe for concurrent use.
type preparation struct {
	ctx     context.Context // of the fetch
	cancel  context.CancelFunc
	content chan *script.Content
	change  *changing // nil: there was no content before
}

// prepare starts to prepare a config JSON, which it does not modify. base is the current content, or
// nil. running counts its goroutines.
func (e *elector) prepare(ctx context.Context, base *content, json []byte, running *sync.WaitGroup) *preparation {
	p := &preparation{ctx: ctx, content: make(chan *script.Content, 1)}
	budget, cancel := context.WithTimeout(ctx, patchBudget)
	p.cancel = cancel
	running.Go(func() {
		defer e.leader.crash.guard()
		p.content <- script.NewContent(json, "")
	})
	p.change = e.startChange(budget, base, json, running)
	return p
}

// wait returns the content without its ETag, and the change. The content is nil if the fetch's context is
// done.
func (p *preparation) wait() (*script.Content, *change) {
	select {
	case c := <-p.content:
		return c, p.change.wait(c)
	case <-p.ctx.Done():
		return nil, nil
	}
}

// stop ends the work on patches. p may be nil. It is idempotent.
func (p *preparation) stop() {
	if p != nil {
		p.cancel()
	}
}
