package doctor

import (
	"context"
	"time"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/inspect"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/redisurl"
	"github.com/catbridge/catbridge/internal/subscription"
)

// laggards is how many followers that are behind are named.
const laggards = 3

// state looks at what stands in Redis.
func (d *Doctor) state(ctx context.Context, i int) {
	k := d.Settings.SDKKeys[i]
	view, err := inspect.Redis{Client: d.client, Most: laggards}.Look(ctx, k.Label(), d.Settings.RedisOptions.Keys(k.Key))
	if err != nil {
		d.fault("", "what stands in Redis cannot be read: %v", redisurl.Explain(err))
		return
	}
	d.views[i] = &view
	for _, fault := range view.Faults {
		d.fault("", "%s", fault)
	}
	if view.Leader != nil {
		d.good("%s leads since %s", view.Leader.ID, view.Leader.Since.Format(time.RFC3339))
	}
	if whole(view.Entry) && whole(view.Blob) && view.Content != nil && view.Content.Rev != 0 {
		d.good("entry and blob are the content that meta names, rev %d", view.Content.Rev)
	}
	if f := view.Fleet; f != nil {
		for _, l := range f.Laggards {
			d.fault("see its log", "the follower %s has rev %d, as it reported %v s ago", l.ID, l.Rev, l.Heard)
		}
		if f.Following > 0 {
			d.good("%d followers report, %d of them have the current content", f.Following, f.Current)
		}
	}
	for _, remark := range view.Remarks {
		d.unknown("%s", remark)
	}
}

func whole(p *inspect.Part) bool { return p != nil && p.State == inspect.Matches }

// messages subscribes, and waits for a sign of life of the leader. Where nobody leads,
// a leader sends a message itself, of a type that all others ignore.
func (d *Doctor) messages(ctx context.Context, i int) {
	keys := d.Settings.RedisOptions.Keys(d.Settings.SDKKeys[i].Key)
	sub, err := subscription.Open(ctx, d.client, d.subscription(keys.Events))
	if err != nil {
		advice := "without a subscription followers poll Redis, which takes longer and costs more"
		if isRefused(err) {
			advice = "grant +subscribe and &" + keys.Events + ": " + advice
		}
		d.fault(advice, "no subscription: %v", redisurl.Explain(err))
		return
	}
	defer sub.Close()
	view := d.views[i]
	if view == nil || view.Leader == nil {
		d.echo(ctx, sub, keys)
		return
	}
	began := time.Now()
	message, err := hear(ctx, sub, func(m cachekeys.Message) bool { return m.Epoch >= view.Leader.Epoch })
	if err != nil {
		d.fault("messages are published on the primary: see that this node is connected to it, and the leader's log",
			"a leader holds the lock, but within %v no message came: %v", time.Since(began).Round(time.Second), err)
		return
	}
	d.heard[i] = true
	d.good("a %s of the leader came after %v", message.Type, rounded(time.Since(began)))
}

// probeType is a type of message that nobody acts on.
const probeType cachekeys.MessageType = "probe"

func (d *Doctor) echo(ctx context.Context, sub *subscription.Subscription, keys cachekeys.Keys) {
	if d.As != Leader {
		d.good("subscribed; nobody leads, so that no message comes")
		return
	}
	text := cachekeys.Message{Type: probeType}.Append(nil)
	if err := d.client.Publish(ctx, keys.Events, text).Err(); err != nil {
		d.fault("grant +publish and &"+keys.Events, "nothing can be published: %v", redisurl.Explain(err))
		return
	}
	began := time.Now()
	if _, err := hear(ctx, sub, func(m cachekeys.Message) bool { return m.Type == probeType }); err != nil {
		d.fault("see that this node is connected to the primary", "what was published did not come back: %v", err)
		return
	}
	d.good("a message that was published came back after %v", rounded(time.Since(began)))
}

// hear waits for a message.
func hear(ctx context.Context, sub *subscription.Subscription, wanted func(cachekeys.Message) bool) (cachekeys.Message, error) {
	defer context.AfterFunc(ctx, sub.Close)()
	for {
		raw, err := sub.Receive()
		if err != nil {
			if ctx.Err() != nil {
				err = context.Cause(ctx)
			}
			return cachekeys.Message{}, err
		}
		if m, err := cachekeys.ParseMessage([]byte(raw.Payload)); err == nil && wanted(m) {
			return m, nil
		}
	}
}
