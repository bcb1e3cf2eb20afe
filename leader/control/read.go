package control

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/evaluate"
	state "github.com/catbridge/catbridge/internal/control"
	"github.com/catbridge/catbridge/internal/limited"
	"github.com/catbridge/catbridge/internal/redisnode"
	"github.com/catbridge/catbridge/internal/wire"
	"github.com/catbridge/catbridge/leader/internal/script"
)

// readsAtOnce is how often everything is read if the parts do not match: the leader may have
// written between two reads.
const readsAtOnce = 3

// Read reads what is in force for an SDK key in a namespace; an empty namespace means none. The
// client is a *redis.Client or a *redis.ClusterClient. The errors are Redis's.
func Read(ctx context.Context, client redis.UniversalClient, sdkKey, namespace string) (*Controls, error) {
	if err := redisnode.Check(client); err != nil {
		return nil, fmt.Errorf("control: %w", err)
	}
	if err := cachekeys.CheckNamespace(namespace); err != nil {
		return nil, fmt.Errorf("control: %w", err)
	}
	r := reader{client: client, keys: cachekeys.For(sdkKey, namespace, redisnode.OptionsOf(client).DB)}
	for try := 1; ; try++ {
		v, err := r.read(ctx)
		if err != nil {
			return nil, fmt.Errorf("control: %w", err)
		}
		if try == readsAtOnce || v.fits() {
			return newControls(r, v), nil
		}
	}
}

// reader reads the keys of one SDK key.
type reader struct {
	client redis.UniversalClient
	keys   cachekeys.Keys
}

// values are what Redis has, of about the same time.
type values struct {
	control script.StoredControl
	meta    wire.Meta
	// overwrites of the entry by official SDKs
	overwrites wire.Overwrites
	current    []byte // of meta's hash; nil: Redis does not have it
	source     []byte // of meta's rev; nil: Redis does not have it
	now        time.Time
	read       time.Time
}

// fits reports whether everything is there that the leader writes.
func (v *values) fits() bool {
	return (v.meta.Hash == "" || v.current != nil) && (v.meta.Control == 0 || v.source != nil) &&
		v.control.PinnedErr == nil && v.control.Seq >= v.meta.Control
}

// read reads meta last, so it is never older than the others.
func (r reader) read(ctx context.Context) (*values, error) {
	var control, pinned, blob, source *redis.StringCmd
	var meta *limited.Reply
	var failed error
	var reads limited.Reader
	reads.Do(ctx, func(get limited.Get) {
		pipe := r.client.Pipeline()
		control = get(pipe, r.keys.Control, state.MaxBytes)
		pinned = get(pipe, r.keys.Pinned, wire.MaxBlobBytes)
		blob = get(pipe, r.keys.Blob, wire.MaxBlobBytes)
		source = get(pipe, r.keys.Source, wire.MaxSourceBytes)
		meta = limited.HMGet(ctx, pipe, wire.MaxMetaFieldBytes, r.keys.Meta, append(wire.MetaFields(), wire.OverwritesField)...)
		failed = limited.Exec(ctx, pipe)
	})
	if failed != nil {
		return nil, failed
	}
	var texts [4][]byte
	for i, part := range []struct {
		name string
		*redis.StringCmd
	}{{"control", control}, {"pinned", pinned}, {"blob", blob}, {"source", source}} {
		var err error
		if texts[i], err = limited.Bytes(part.StringCmd); err != nil && !redis.HasErrorPrefix(err, "WRONGTYPE") {
			return nil, fmt.Errorf("read %s: %w", part.name, err)
		}
	}
	v := &values{control: script.ParseControl(texts[0], texts[1])}
	fields, err := meta.Values()
	if err != nil && !redis.HasErrorPrefix(err, "WRONGTYPE") {
		return nil, fmt.Errorf("read meta: %w", err)
	}
	if last := len(fields) - 1; last >= 0 {
		text, _ := fields[last].(string)
		fields, v.overwrites = fields[:last], wire.ParseOverwrites(text)
	}
	if v.meta, err = wire.ParseMeta(fields); err != nil {
		v.meta = wire.Meta{} // the leader repairs it
	}
	if b, err := wire.ParseBlob(texts[2]); err == nil && b.Hash == v.meta.Hash {
		v.current, _ = b.JSON()
	}
	if s, err := wire.ParseSource(texts[3]); err == nil && v.meta.Control != 0 && s.Rev == v.meta.Rev {
		v.source, _ = s.JSON()
	}
	v.now, v.read = time.Now().UTC(), time.Now()
	node, err := redisnode.Primary(ctx, r.client, r.keys.Meta)
	if err != nil {
		return nil, err
	}
	now, err := node.Time(ctx).Result()
	switch {
	case err == nil:
		v.now = now.UTC()
	case !redis.IsPermissionError(err):
		return nil, fmt.Errorf("read the clock: %w", err)
	}
	return v, nil
}

func newControls(r reader, v *values) *Controls {
	c := &Controls{
		Rev:     v.meta.Rev,
		Earlier: v.meta.Epoch != 0 && !v.meta.HasProto(), Lost: v.control.Malformed, PinnedLost: v.control.PinnedErr, Now: v.now,
		redis: r, stored: v.control, acted: v.meta.Control, current: v.current, source: v.source, read: v.read,
	}
	if o := v.overwrites; o.Last != 0 {
		c.Overwrites, c.Overwritten = o.Count, time.UnixMilli(o.Last).UTC()
	}
	if c.Lost == nil && c.stored.Seq < c.acted {
		c.Lost = errors.New("what Redis has is older than what the leader has acted on, or missing")
	}
	if v.meta.Control == 0 {
		c.source = v.current
	}
	now := c.inForce()
	c.Applied = v.meta.Control == now.Seq || now.Empty() && v.meta.Control == 0
	if now.Pin != nil {
		c.Pinned = &Pin{Rev: now.Pin.Rev, Hash: now.Pin.Hash, InForce: inForce(now.Pin.Order)}
	} else {
		c.PinnedLost = nil
	}
	suspended := suspensions(c.current, now)
	for _, f := range now.Forced {
		c.Forced = append(c.Forced, Force{Flag: f.Flag, Value: f.Value, Suspended: suspended[f.Flag], InForce: inForce(f.Order)})
	}
	return c
}

// inForce returns what is in force.
func (c *Controls) inForce() *state.Control { return c.stored.Control.InForce(c.Now.UnixMilli()) }

// suspensions returns why flags are not forced in a config. A forced flag keeps its type.
func suspensions(json []byte, control *state.Control) map[string]string {
	if json == nil || len(control.Forced) == 0 {
		return nil
	}
	forced := state.Control{Seq: control.Seq, Forced: control.Forced}
	_, suspended, err := forced.Effective(json, nil)
	if err != nil {
		return nil
	}
	return reasons(suspended)
}

func reasons(suspended []evaluate.Suspended) map[string]string {
	all := make(map[string]string, len(suspended))
	for _, s := range suspended {
		all[s.Flag] = s.Reason
	}
	return all
}
