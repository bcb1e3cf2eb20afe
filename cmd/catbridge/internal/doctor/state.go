package doctor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/inspect"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/redisurl"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/words"
	"github.com/catbridge/catbridge/internal/subscription"
	"github.com/catbridge/catbridge/internal/wire"
)

// laggards is the maximum number of followers to list.
const laggards = 3

func (d *Doctor) state(ctx context.Context, i int) {
	k := d.Settings.SDKKeys[i]
	view, err := inspect.Redis{Client: d.client, Most: laggards}.Look(ctx, k.Label(), d.Settings.RedisOptions.Keys(k.Key))
	if err != nil {
		d.fault("", "the state in Redis cannot be read: %v", redisurl.Explain(err))
		return
	}
	d.views[i] = &view
	for _, fault := range view.Faults {
		d.fault("", "%s", fault)
	}
	if view.Leader != nil {
		d.good("%s has been leading since %s", view.Leader.ID, view.Leader.Since.Format(time.RFC3339))
	}
	if whole(view.Entry) && whole(view.Blob) && view.Content != nil && view.Content.Rev != 0 {
		d.good("the entry and the blob are the current config, rev %d", view.Content.Rev)
	}
	if p := view.Patches; p != nil {
		d.good("the last %d changes are there as patches, with %d bytes", p.Steps, p.Bytes)
	}
	if h := view.History; h != nil && view.Content != nil && h.Hash == view.Content.Hash {
		d.good("the history has the current config, since %s (%s)", h.Time.Format(time.RFC3339), h.Cause)
	}
	if c := view.Control; c != nil {
		what := fmt.Sprintf("%d flags are forced", len(c.Forced))
		if c.Pin != nil {
			what = fmt.Sprintf("a config is pinned until %s, and %s", c.Pin.Until.Format(time.RFC3339), what)
		}
		d.good("operators hold something against the CDN: %s; see catbridge controls", what)
	}
	if f := view.Fleet; f != nil {
		for _, l := range f.Laggards {
			d.fault(words.AdviceOnLaggard, "the follower %s is behind: it reported rev %d %v s ago", l.ID, l.Rev, l.Reported)
		}
		if f.Following > 0 {
			d.good("%d followers report, and %d of them have the current config", f.Following, f.Current)
		}
	}
	for _, remark := range view.Remarks {
		d.unknown("%s", remark)
	}
}

func whole(p *inspect.Part) bool { return p != nil && p.State == inspect.Matches }

// messages subscribes, and waits for a message of the leader. Without a leader, the role
// Leader publishes a message itself, of a type that all others ignore.
func (d *Doctor) messages(ctx context.Context, i int) {
	keys := d.Settings.RedisOptions.Keys(d.Settings.SDKKeys[i].Key)
	sub, err := subscription.Open(ctx, d.client, d.subscription(keys.Events))
	if err != nil {
		advice := "without a subscription, followers poll Redis, which is slower and costs more"
		if _, refused := errors.AsType[*subscription.RefusedError](err); refused {
			advice = "grant +subscribe and &" + keys.Events + ": " + advice
		}
		d.fault(advice, "subscribing failed: %v", redisurl.Explain(err))
		return
	}
	defer sub.Close()
	view := d.views[i]
	if view == nil || view.Leader == nil {
		d.echo(ctx, sub, keys)
		return
	}
	began := time.Now()
	message, err := receive(ctx, sub, func(m wire.Message) bool { return m.Epoch >= view.Leader.Epoch })
	if err != nil {
		d.fault("check that this node is connected to the primary, and see the leader's log",
			"a leader holds the lock, but no message arrived within %v: %v", time.Since(began).Round(time.Second), err)
		return
	}
	d.alive[i] = true
	d.good("a message of the leader (%s) arrived after %v", message.Type, rounded(time.Since(began)))
}

const probeType wire.MessageType = "probe"

func (d *Doctor) echo(ctx context.Context, sub *subscription.Subscription, keys cachekeys.Keys) {
	if d.As != Leader {
		d.good("subscribed; no messages, because there is no leader")
		return
	}
	text := wire.Message{Type: probeType}.Append(nil)
	if err := d.client.Publish(ctx, keys.Events, text).Err(); err != nil {
		d.fault("grant +publish and &"+keys.Events, "publishing failed: %v", redisurl.Explain(err))
		return
	}
	began := time.Now()
	if _, err := receive(ctx, sub, func(m wire.Message) bool { return m.Type == probeType }); err != nil {
		d.fault("check that this node is connected to the primary", "the published test message did not arrive: %v", err)
		return
	}
	d.good("a published test message arrived after %v", rounded(time.Since(began)))
}

func receive(ctx context.Context, sub *subscription.Subscription, wanted func(wire.Message) bool) (wire.Message, error) {
	defer context.AfterFunc(ctx, sub.Close)()
	for {
		raw, err := sub.Receive()
		if err != nil {
			if ctx.Err() != nil {
				err = context.Cause(ctx)
			}
			return wire.Message{}, err
		}
		if m, err := wire.ParseMessage([]byte(raw.Payload)); err == nil && wanted(m) {
			return m, nil
		}
	}
}
