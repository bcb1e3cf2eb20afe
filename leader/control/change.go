package control

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/evaluate"
	state "github.com/catbridge/catbridge/internal/control"
	"github.com/catbridge/catbridge/internal/limited"
	"github.com/catbridge/catbridge/internal/wire"
	"github.com/catbridge/catbridge/leader/internal/script"
)

// Change is a change of what is in force. Nothing is written until [Change.Apply].
type Change struct {
	// Before is the JSON of the config that is in force now; nil: Redis does not have it.
	Before []byte
	// After is the JSON of the config that will be in force; nil: it is unknown, because Redis
	// does not have the CDN's config.
	After []byte
	// Suspended are forced flags that After cannot serve, see [Force].
	Suspended []evaluate.Suspended

	controls *Controls
	next     *state.Control
	pinned   *script.Content // nil: what is stored stays
	order    *state.Order    // in next, whose times Apply sets; nil: the change withdraws something
	lasts    time.Duration
	seq      int64 // after Apply
}

// Pin pins a config JSON, instead of an earlier pin. rev is the rev with which it was in force, or 0.
// Forced flags are forced in it, too.
func (c *Controls) Pin(config []byte, rev int64, o Order) (*Change, error) {
	if _, err := evaluate.Parse(config); err != nil {
		return nil, fmt.Errorf("control: %w", err)
	}
	pinned := script.NewContent(config, "")
	next := c.inForce()
	next.Pin = &state.Pin{Rev: rev, Hash: pinned.Hash, Order: c.order(o)}
	return c.change(next, pinned, &next.Pin.Order, o.For)
}

// Unpin withdraws the pin. If there is none, the error is [ErrNotInForce].
func (c *Controls) Unpin() (*Change, error) {
	next := c.inForce()
	if next.Pin == nil && !c.Earlier {
		return nil, fmt.Errorf("control: pin: %w", ErrNotInForce)
	}
	next.Pin = nil
	return c.change(next, nil, nil, 0)
}

// Force forces a flag to a value of exactly its type, instead of an earlier force of the flag.
func (c *Controls) Force(flag string, value evaluate.Value, o Order) (*Change, error) {
	next := c.inForce().With(state.Force{Flag: flag, Value: value, Order: c.order(o)})
	var order *state.Order
	for i := range next.Forced {
		if next.Forced[i].Flag == flag {
			order = &next.Forced[i].Order
		}
	}
	if len(next.Forced) > MaxForced {
		return nil, fmt.Errorf("control: at most %d flags can be forced: withdraw one first", MaxForced)
	}
	change, err := c.change(next, nil, order, o.For)
	if err != nil {
		return nil, err
	}
	if change.After == nil {
		return nil, fmt.Errorf("control: %w", ErrNoConfig)
	}
	for _, s := range change.Suspended {
		if s.Flag == flag {
			return nil, fmt.Errorf("control: flag %.64q: %s", flag, s.Reason)
		}
	}
	return change, nil
}

// Unforce withdraws the force of a flag. If there is none, the error is [ErrNotInForce].
func (c *Controls) Unforce(flag string) (*Change, error) {
	next := c.inForce()
	without := next.Without(flag)
	if len(without.Forced) == len(next.Forced) && !c.Earlier {
		return nil, fmt.Errorf("control: flag %.64q: %w", flag, ErrNotInForce)
	}
	return c.change(without, nil, nil, 0)
}

// order returns an order that begins when c was read.
func (c *Controls) order(o Order) state.Order {
	since := c.Now.UnixMilli()
	return state.Order{By: o.By, Reason: o.Reason, Since: since, Until: since + o.For.Milliseconds()}
}

// change computes what next makes of the config.
func (c *Controls) change(next *state.Control, pinned *script.Content, order *state.Order, lasts time.Duration) (*Change, error) {
	if c.Earlier {
		return nil, fmt.Errorf("control: %w", ErrEarlierLeader)
	}
	if c.Lost != nil && c.acted != 0 {
		return nil, fmt.Errorf("control: %w (%w)", ErrLost, c.Lost)
	}
	next.Seq = max(next.Seq, wire.MinRev) // Apply determines it
	if err := next.Validate(); err != nil {
		if fault, ok := errors.AsType[*wire.ParseError](err); ok {
			return nil, fmt.Errorf("control: %s: %s", fault.Part, fault.Reason)
		}
		return nil, fmt.Errorf("control: %w", err)
	}
	change := &Change{Before: c.current, controls: c, next: next, pinned: pinned, order: order, lasts: lasts}
	content := pinned
	if content == nil && next.Pin != nil {
		if content = c.stored.Pinned; content == nil {
			return nil, fmt.Errorf("control: %w", ErrPinnedLost)
		}
	}
	source, json := c.source, []byte(nil)
	switch {
	case content != nil:
		json = content.JSON
	case source == nil && c.adds(next):
		source = c.current // what is forced there already is forced again
	}
	if source == nil && json == nil {
		return change, nil
	}
	var err error
	if change.After, change.Suspended, err = next.Effective(source, json); err != nil {
		return nil, fmt.Errorf("control: %w", err)
	}
	return change, nil
}

// adds reports whether all that is in force stays in force, perhaps with other values.
func (c *Controls) adds(next *state.Control) bool {
	now := c.inForce()
	if now.Pin != nil && next.Pin == nil {
		return false
	}
	for _, f := range now.Forced {
		if len(next.Without(f.Flag).Forced) == len(next.Forced) {
			return false
		}
	}
	return true
}

// Apply writes the change. If something else was written since [Read], it writes nothing and
// returns [ErrConflict]. If the latest leader has an earlier version, the error is
// [ErrEarlierLeader]. Any other error is Redis's; then the change may have been written or not.
func (c *Change) Apply(ctx context.Context) error {
	r := c.controls.redis
	if c.order != nil {
		since := c.controls.Now.Add(time.Since(c.controls.read))
		c.order.Since, c.order.Until = since.UnixMilli(), since.Add(c.lasts).UnixMilli()
	}
	batcher := script.NewBatcher(r.client, func() {})
	defer batcher.Close()
	reply, err := batcher.NewStore(r.keys, "", 0).WriteControl(ctx, script.ControlWrite{Expected: c.controls.stored.Seq, Control: c.next, Pinned: c.pinned})
	if err != nil {
		return fmt.Errorf("control: %w", err)
	}
	switch reply.Outcome {
	case script.OK:
		c.seq = reply.Seq
		return nil
	case script.Stale:
		return fmt.Errorf("control: %w", ErrConflict)
	}
	return fmt.Errorf("control: %w", ErrEarlierLeader)
}

// Await reads meta again after awaitFirst, and then after twice as long each time, up to awaitMost.
const (
	awaitFirst = 5 * time.Millisecond
	awaitMost  = 80 * time.Millisecond
)

// Await waits until the leader has acted on the change that Apply has written: the config that
// results is in force then. Without a leader it returns [ErrNoLeader] at once. The other errors are
// ctx's, Redis's, and [ErrEarlierLeader] if a leader of an earlier version took over.
func (c *Change) Await(ctx context.Context) error {
	for pause := awaitFirst; ; pause = min(2*pause, awaitMost) {
		switch acted, err := c.acted(ctx); {
		case err != nil && ended(ctx):
			return fmt.Errorf("control: %w", cmp.Or(context.Cause(ctx), context.DeadlineExceeded))
		case err != nil:
			return fmt.Errorf("control: %w", err)
		case acted:
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("control: %w", context.Cause(ctx))
		case <-time.After(pause):
		}
	}
}

// ended reports whether ctx is done. A connection may notice its deadline before ctx does.
func ended(ctx context.Context) bool {
	deadline, ok := ctx.Deadline()
	return ctx.Err() != nil || ok && !time.Now().Before(deadline)
}

func (c *Change) acted(ctx context.Context) (bool, error) {
	r := c.controls.redis
	fields, err := limited.HMGet(ctx, r.client, wire.MaxMetaFieldBytes, r.keys.Meta, wire.MetaFields()...).Values()
	if err != nil && !redis.HasErrorPrefix(err, "WRONGTYPE") {
		return false, fmt.Errorf("read meta: %w", err)
	}
	meta, err := wire.ParseMeta(fields)
	switch {
	case err != nil: // the leader repairs it
	case meta.Epoch != 0 && !meta.HasProto():
		return false, ErrEarlierLeader
	case meta.Control >= c.seq, meta.Control == 0 && c.next.Empty():
		return true, nil
	}
	lock, err := limited.Send(ctx, r.client, limited.Limits{}, "get", r.keys.Lock).Values()
	switch {
	case redis.HasErrorPrefix(err, "WRONGTYPE"): // the next leader overwrites it
	case err != nil:
		return false, fmt.Errorf("read the lock: %w", err)
	case len(lock) == 0 || lock[0] == nil:
		return false, ErrNoLeader
	}
	return false, nil
}
