package inspect

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/internal/limited"
	"github.com/catbridge/catbridge/internal/redisnode"
	"github.com/catbridge/catbridge/internal/wire"
)

// readsAtOnce is how often everything is read if the parts do not match: the leader may have
// written between two reads.
const readsAtOnce = 3

// Redis reads the state of SDK keys.
type Redis struct {
	Client redis.UniversalClient
	Most   int // maximum number of Laggards
}

// Whole is the state of one SDK key with the reports of all its followers.
type Whole struct {
	Key
	Reports []Report  // in no order
	Now     time.Time // by Redis's clock, or by this host's if the user has no right to TIME
}

// Look reads the state of the SDK key whose names in Redis are keys. It returns the errors of
// Redis and of the connection. A missing right is not an error, but a remark.
func (r Redis) Look(ctx context.Context, name string, keys cachekeys.Keys) (Key, error) {
	whole, err := r.LookAtAll(ctx, name, keys)
	return whole.Key, err
}

// LookAtAll is like Look, and returns the reports of all followers, too.
func (r Redis) LookAtAll(ctx context.Context, name string, keys cachekeys.Keys) (Whole, error) {
	for try := 1; ; try++ {
		key, now, err := r.read(ctx, name, keys)
		if err != nil {
			return Whole{}, fmt.Errorf("%s: %w", name, err)
		}
		if try < readsAtOnce && !key.fits() {
			continue
		}
		if !key.Patches.lead(key.Content) {
			key.Patches = nil
			key.Remarks = append(key.Remarks, "the patches do not lead to the current config, and followers read the blob instead; the leader writes them again with the next change")
		}
		if key.History, err = r.history(ctx, &key, keys.History); err != nil {
			return Whole{}, fmt.Errorf("%s: %w", name, err)
		}
		key.Content.came(key.History)
		if key.Subscribers, err = r.subscribers(ctx, &key, keys.Events); err != nil {
			return Whole{}, fmt.Errorf("%s: %w", name, err)
		}
		fleet, reports, err := r.fleet(ctx, &key, keys.Fleet, now)
		if err != nil {
			return Whole{}, fmt.Errorf("%s: %w", name, err)
		}
		key.Fleet = fleet
		key.judge(now)
		return Whole{key, reports, now}, nil
	}
}

// fits reports whether all parts can be from the same time.
func (k *Key) fits() bool {
	is := func(p *Part) bool { return p == nil || p.State == Matches }
	return is(k.Entry) && is(k.Blob) && !k.lostControl && k.Patches.lead(k.Content) && (k.Leader == nil || k.Content == nil || k.Leader.Epoch == k.Content.Epoch)
}

// read reads the entry, the blob, the patches and the control, then meta and the lock, and then the clock. In
// this order, meta is never older than the others.
func (r Redis) read(ctx context.Context, name string, keys cachekeys.Keys) (Key, time.Time, error) {
	key := Key{Name: name}
	reader := limited.Reader{Warn: func(refusal error) {
		key.Remarks = append(key.Remarks, fmt.Sprintf("values of any size are read as a whole: grant +getrange (%v)", refusal))
	}}
	var entry, blob, patches, control, pinned, lock *redis.StringCmd
	var meta *limited.Reply
	var left *redis.DurationCmd
	var failed error
	reader.Do(ctx, func(get limited.Get) {
		pipe := r.Client.Pipeline()
		entry = get(pipe, keys.Entry, cachekeys.MaxEntryBytes)
		blob = get(pipe, keys.Blob, wire.MaxBlobBytes)
		patches = get(pipe, keys.Patches, wire.MaxPatchesBytes)
		control = get(pipe, keys.Control, maxControlBytes)
		pinned = get(pipe, keys.Pinned, pinnedHead)
		meta = limited.HMGet(ctx, pipe, wire.MaxMetaFieldBytes, keys.Meta, append(wire.MetaFields(), wire.OverwritesField)...)
		lock = get(pipe, keys.Lock, wire.MaxLockBytes)
		left = pipe.PTTL(ctx, keys.Lock)
		failed = limited.Exec(ctx, pipe)
	})
	if failed == nil && redis.IsAuthError(entry.Err()) {
		failed = entry.Err() // to the long HMGET, Redis answers with a protocol error
	}
	switch {
	case redis.IsAuthError(failed):
		return key, time.Time{}, fmt.Errorf("Redis refuses the login: %w", failed)
	case failed != nil:
		return key, time.Time{}, failed
	}

	now, err := r.clock(ctx, &key, keys)
	if err != nil {
		return key, now, err
	}
	current, err := key.readMeta(meta, now)
	if err != nil {
		return key, now, err
	}
	if err := key.readLock(lock, left, now); err != nil {
		return key, now, err
	}
	if key.Entry, err = key.readPart("entry", entry, current, compareEntry); err != nil {
		return key, now, err
	}
	if key.Blob, err = key.readPart("blob", blob, current, compareBlob); err != nil {
		return key, now, err
	}
	if err := key.readControl(control, pinned, current, now); err != nil {
		return key, now, err
	}
	return key, now, key.readPatches(patches)
}

// readPatches reads the patches. Without them, or if they are invalid, followers read the blob:
// that is not a fault.
func (k *Key) readPatches(cmd *redis.StringCmd) error {
	data, err := limited.Bytes(cmd)
	switch {
	case k.refused(err, "the patches"):
		return nil
	case isWrongType(err):
		err = errors.New("not a string")
	case err != nil:
		return fmt.Errorf("read the patches: %w", err)
	}
	var patches wire.Patches
	if err == nil {
		patches, err = wire.ParsePatches(data)
	}
	switch {
	case err != nil:
		k.Remarks = append(k.Remarks, fmt.Sprintf("the patches are invalid, and followers read the blob instead; the leader writes them again with the next change: %v", err))
	case len(patches) > 0:
		k.Patches = &Patches{len(patches), len(data), patches.To()}
	}
	return nil
}

// lead reports whether patches, if there are any, lead to the content.
func (p *Patches) lead(c *Content) bool { return p == nil || c == nil || p.to == c.Hash }

// came notes when the content came into force, if that is the newest entry of the history: meta does not
// say when a pin or a force began or ended.
func (c *Content) came(newest *History) {
	if c != nil && newest != nil && newest.Hash == c.Hash {
		c.changed = max(c.changed, newest.Time.UnixMilli())
	}
}

// history reads the newest entry of the history, without what leads back from it.
func (r Redis) history(ctx context.Context, key *Key, name string) (*History, error) {
	values, err := limited.Send(ctx, r.Client, limited.Limits{Value: wire.MaxETagBytes, Total: 64 << 10}, "xrevrange", name, "+", "-", "COUNT", 1).Values()
	switch {
	case key.refused(err, "the history"), isWrongType(err):
		return nil, nil
	case errors.Is(err, limited.ErrTotal):
		key.Remarks = append(key.Remarks, "the newest entry of the history is malformed: it is too large")
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("read the history: %w", err)
	case len(values) == 0:
		return nil, nil
	}
	id, _ := values[0].(string)
	fields := map[string]string{}
	for i := 1; i+1 < len(values); i += 2 {
		field, _ := values[i].(string)
		fields[field], _ = values[i+1].(string)
	}
	delete(fields, "back")
	entry, err := wire.ParseHistoryEntry(id, fields)
	if err != nil {
		key.Remarks = append(key.Remarks, fmt.Sprintf("the newest entry of the history is malformed: %v", err))
		return nil, nil
	}
	h := &History{Rev: entry.Rev, Hash: entry.Hash, Time: time.UnixMilli(entry.Time).UTC(), Cause: string(entry.Cause)}
	if c := key.Content; c != nil && c.Rev > h.Rev && c.Hash != "" && c.Hash != h.Hash {
		key.Remarks = append(key.Remarks, "the history does not have the current config: see the leader's log (event 6119), or the leader keeps no history")
	}
	return h, nil
}

// clock returns the time by Redis's clock, or by this host's if Redis refuses TIME.
func (r Redis) clock(ctx context.Context, key *Key, keys cachekeys.Keys) (time.Time, error) {
	node, err := redisnode.Primary(ctx, r.Client, keys.Meta)
	if err != nil {
		return time.Now(), err
	}
	now, err := node.Time(ctx).Result()
	if key.refused(err, "Redis's clock; ages are by this host's") {
		return time.Now(), nil
	}
	if err != nil {
		return time.Now(), fmt.Errorf("read the clock: %w", err)
	}
	return now, nil
}

func (k *Key) readMeta(reply *limited.Reply, now time.Time) (wire.Meta, error) {
	fields, err := reply.Values()
	switch {
	case k.denied(err, "the current config"):
		return wire.Meta{}, nil
	case isWrongType(err):
		k.fault("meta is not a hash: delete it, and the leader writes it again")
		return wire.Meta{}, nil
	case err != nil:
		return wire.Meta{}, fmt.Errorf("read meta: %w", err)
	}
	if last := len(fields) - 1; last >= 0 {
		text, _ := fields[last].(string)
		k.noteOverwrites(wire.ParseOverwrites(text), now)
		fields = fields[:last]
	}
	meta, err := wire.ParseMeta(fields)
	if err != nil {
		k.fault("meta is corrupt; the leader repairs it with its next poll: %v", err)
		return wire.Meta{}, nil
	}
	c := &Content{
		Rev: meta.Rev, Hash: meta.Hash, ETag: meta.ETag, Bytes: meta.Len, Epoch: meta.Epoch,
		Poll: meta.Poll.Seconds(), Waits: meta.Waits, changed: meta.Rev,
	}
	if meta.Epoch != 0 && !meta.HasProto() {
		k.Remarks = append(k.Remarks, "the latest leader process has an earlier version, and adds nothing to the history: upgrade all leader processes")
	}
	if len(meta.Recent) > 0 {
		c.changed = meta.Recent[0].Until
	}
	if meta.CDN != 0 {
		answer := time.UnixMilli(meta.CDN).UTC()
		c.LastAnswer, c.Age = &answer, new(seconds(now.Sub(answer)))
	}
	k.Content = c
	return meta, nil
}

// noKey is the reply of PTTL for a missing key.
const noKey = -2

func (k *Key) readLock(lock *redis.StringCmd, left *redis.DurationCmd, now time.Time) error {
	value, err := lock.Result()
	switch {
	case k.denied(err, "the leader"):
		return nil
	case errors.Is(err, redis.Nil), err == nil && value == "" && !(left.Err() == nil && left.Val() != noKey):
		k.fault("no leader: start a leader, or see its log")
		return nil
	case isWrongType(err):
		k.fault("the lock is not a string: delete it, and a leader takes over")
		return nil
	case err != nil:
		return fmt.Errorf("read the lock: %w", err)
	}
	id, epoch, err := wire.ParseLock(value)
	if err != nil {
		k.fault("the lock is invalid; if it stays, delete it, and a leader takes over: %v", err)
		return nil
	}
	since := time.UnixMilli(epoch).UTC()
	k.Leader = &Leader{ID: id, Host: wire.LeaderHost(id), Epoch: epoch, Since: since, Leads: seconds(max(0, now.Sub(since)))}
	rest, err := left.Result()
	switch {
	case k.refused(err, "the expiry of the lock"):
	case err != nil:
		return fmt.Errorf("read the lock's expiry: %w", err)
	case rest == -1:
		k.fault("the lock never expires, and no other leader can take over: delete it")
	case rest >= 0:
		k.Leader.Left = new(seconds(rest))
	}
	return nil
}

func (k *Key) readPart(what string, cmd *redis.StringCmd, current wire.Meta, compare func([]byte, wire.Meta) Part) (*Part, error) {
	data, err := limited.Bytes(cmd)
	switch {
	case k.denied(err, "the "+what):
		return nil, nil
	case err == nil && data == nil:
		return &Part{State: Missing}, nil
	case isWrongType(err):
		return &Part{State: Malformed, Why: "it is not a string"}, nil
	case err != nil:
		return nil, fmt.Errorf("read the %s: %w", what, err)
	}
	part := compare(data, current)
	part.Bytes = len(data)
	return &part, nil
}

func compareEntry(data []byte, current wire.Meta) Part {
	entry, err := cachekeys.ParseEntry(data)
	if err != nil {
		return Part{State: Malformed, Why: err.Error()}
	}
	part := Part{State: Matches, Rev: entry.FetchTime}
	switch {
	case wire.ContentHash(entry.JSON) != current.Hash:
		part.State, part.Why = Differs, "its content differs"
	case entry.FetchTime != current.Rev:
		part.State, part.Why = Differs, "its fetch time is not the rev"
	case entry.ETag != current.ETag:
		part.State, part.Why = Differs, "its ETag differs"
	}
	return part
}

func compareBlob(data []byte, current wire.Meta) Part {
	blob, err := wire.ParseBlob(data)
	if err == nil {
		_, err = blob.JSON()
	}
	if err != nil {
		return Part{State: Malformed, Why: err.Error()}
	}
	part := Part{State: Matches, Rev: blob.Rev}
	switch {
	case blob.Hash != current.Hash:
		part.State, part.Why = Differs, "its content differs"
	case blob.Rev != current.Rev:
		part.State, part.Why = Differs, "its rev differs"
	}
	return part
}

// denied adds a remark, and returns true, if the user lacks a right.
func (k *Key) denied(err error, what string) bool {
	if !redis.IsPermissionError(err) {
		return false
	}
	k.Remarks = append(k.Remarks, fmt.Sprintf("unknown: %s (%v)", what, err))
	return true
}

// refused adds a remark, and returns true, if Redis or a proxy in front of it refuses a command
// for any reason except a failed login. The rest of the state can be judged without its reply.
func (k *Key) refused(err error, what string) bool {
	if _, ok := errors.AsType[redis.Error](err); !ok || errors.Is(err, redis.Nil) || isWrongType(err) || redis.IsAuthError(err) {
		return false
	}
	k.Remarks = append(k.Remarks, fmt.Sprintf("unknown: %s (%v)", what, err))
	return true
}

func (k *Key) fault(format string, args ...any) {
	k.Faults = append(k.Faults, fmt.Sprintf(format, args...))
}

func isWrongType(err error) bool {
	reply, ok := errors.AsType[redis.Error](err)
	return ok && strings.HasPrefix(reply.Error(), "WRONGTYPE ")
}

func seconds(d time.Duration) float64 { return d.Round(time.Millisecond).Seconds() }
