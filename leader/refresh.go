package leader

import (
	"context"
	"fmt"

	"github.com/catbridge/catbridge/leader/internal/hook"
	"github.com/catbridge/catbridge/leader/internal/script"
)

// RequestRefresh asks the leader for the SDK key with that name, in this or another process,
// to poll the CDN now. The leader polls at most once per second, however often it is asked.
// The request survives a lost message and a change of the leader. If no SDK key has that
// name, RequestRefresh returns [ErrUnknownName]. Any other error is Redis's, or the cause of
// ctx's end; then the request may have been made or not.
func (l *Leader) RequestRefresh(ctx context.Context, name string) error {
	e := l.set.Load().byName[name]
	if e == nil {
		return fmt.Errorf("%w: %q", ErrUnknownName, name)
	}
	_, err := e.requestRefresh(ctx, "")
	return err
}

// requestRefresh requests a poll, for a webhook unless webhookID is empty. If this process leads, it
// notifies its own term and publishes no message, see doc.go. If it has lost the lock unseen, the
// new leader finds the request in meta at its next renewal.
func (e *elector) requestRefresh(ctx context.Context, webhookID string) (script.RefreshReply, error) {
	leading := e.leading.Load()
	r, err := e.store.RequestRefresh(ctx, script.RefreshRequest{Publish: !leading, WebhookID: webhookID, Remember: hook.Remember})
	if leading && r.Seq != 0 {
		e.onRefresh(r.Seq, webhookID != "")
	}
	return r, err
}

// onRefresh wakes the term, which polls if seq is new to it. hook reports whether a webhook
// requested the poll.
func (e *elector) onRefresh(seq int64, hook bool) {
	if hook {
		e.hookSeq.Store(seq)
	}
	e.refreshSeq.Store(seq)
	signal(e.refresh)
}
