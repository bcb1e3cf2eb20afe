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
)

// readsAtOnce is how often all is read again where the parts do not fit together: the
// leader may have written in between.
const readsAtOnce = 3

// Redis is where an SDK key is looked at.
type Redis struct {
	Client redis.UniversalClient
	Most   int // laggards to name
}

// Look reads what there is for the SDK key whose names in Redis are keys. The errors are those of Redis or of the
// connection to it; what a right is missing for is none of them.
func (r Redis) Look(ctx context.Context, name string, keys cachekeys.Keys) (Key, error) {
	for try := 1; ; try++ {
		key, now, err := r.read(ctx, name, keys)
		if err != nil {
			return Key{}, fmt.Errorf("%s: %w", name, err)
		}
		if try < readsAtOnce && !key.fits() {
			continue
		}
		if key.Subscribers, err = r.subscribers(ctx, &key, keys.Events); err != nil {
			return Key{}, fmt.Errorf("%s: %w", name, err)
		}
		if key.Fleet, err = r.fleet(ctx, &key, keys.Fleet, now); err != nil {
			return Key{}, fmt.Errorf("%s: %w", name, err)
		}
		key.judge(now)
		return key, nil
	}
}

// fits tells whether all that was read can be of one moment.
func (k *Key) fits() bool {
	is := func(p *Part) bool { return p == nil || p.State == Matches }
	return is(k.Entry) && is(k.Blob) && (k.Leader == nil || k.Content == nil || k.Leader.Epoch == k.Content.Epoch)
}

// read reads entry and blob, then what is current and who leads, so that the latter is
// never the older, and then the clock.
func (r Redis) read(ctx context.Context, name string, keys cachekeys.Keys) (Key, time.Time, error) {
	key := Key{Name: name}
	reader := limited.Reader{Warn: func(refusal error) {
		key.Remarks = append(key.Remarks, fmt.Sprintf("values are read whole, whatever their size: grant +getrange (%v)", refusal))
	}}
	var entry, blob, lock *redis.StringCmd
	var meta *limited.Reply
	var left *redis.DurationCmd
	reader.Do(ctx, func(get limited.Get) {
		pipe := r.Client.Pipeline()
		entry = get(pipe, keys.Entry, cachekeys.MaxEntryBytes)
		blob = get(pipe, keys.Blob, cachekeys.MaxBlobBytes)
		meta = limited.HMGet(ctx, pipe, cachekeys.MaxMetaFieldBytes, keys.Meta, cachekeys.MetaFields()...)
		lock = get(pipe, keys.Lock, cachekeys.MaxLockBytes)
		left = pipe.PTTL(ctx, keys.Lock)
		_, _ = pipe.Exec(ctx) // each command holds its own error
	})

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
	key.Blob, err = key.readPart("blob", blob, current, compareBlob)
	return key, now, err
}

// clock is the time by Redis's clock.
func (r Redis) clock(ctx context.Context, key *Key, keys cachekeys.Keys) (time.Time, error) {
	var node redis.Cmdable = r.Client
	if cluster, ok := r.Client.(*redis.ClusterClient); ok {
		primary, err := cluster.MasterForKey(ctx, keys.Meta)
		if err != nil {
			return time.Now(), fmt.Errorf("find the node: %w", err)
		}
		node = primary
	}
	now, err := node.Time(ctx).Result()
	if key.refused(err, "Redis's clock: ages are by this host's") {
		return time.Now(), nil
	}
	if err != nil {
		return time.Now(), fmt.Errorf("read the clock: %w", err)
	}
	return now, nil
}

func (k *Key) readMeta(reply *limited.Reply, now time.Time) (cachekeys.Meta, error) {
	fields, err := reply.Values()
	switch {
	case k.denied(err, "what is current"):
		return cachekeys.Meta{}, nil
	case isWrongType(err):
		k.fault("meta is no hash: delete it, and the leader writes it again")
		return cachekeys.Meta{}, nil
	case err != nil:
		return cachekeys.Meta{}, fmt.Errorf("read meta: %w", err)
	}
	meta, err := cachekeys.ParseMeta(fields)
	if err != nil {
		k.fault("meta is spoilt, which the leader mends with its next poll: %v", err)
		return cachekeys.Meta{}, nil
	}
	c := &Content{
		Rev: meta.Rev, Hash: meta.Hash, ETag: meta.ETag, Bytes: meta.Len, Epoch: meta.Epoch,
		Poll: meta.Poll.Seconds(), Waits: meta.Waits, changed: meta.Rev,
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

// noKey is what PTTL tells of a key that is not there.
const noKey = -2

func (k *Key) readLock(lock *redis.StringCmd, left *redis.DurationCmd, now time.Time) error {
	value, err := lock.Result()
	switch {
	case k.denied(err, "who leads"):
		return nil
	case errors.Is(err, redis.Nil), err == nil && value == "" && !(left.Err() == nil && left.Val() != noKey):
		k.fault("nobody leads: start a leader, or see its log")
		return nil
	case isWrongType(err):
		k.fault("the lock is no text: delete it, and a leader takes over")
		return nil
	case err != nil:
		return fmt.Errorf("read the lock: %w", err)
	}
	id, epoch, err := cachekeys.ParseLock(value)
	if err != nil {
		k.fault("the lock is no leader's: %v", err)
		return nil
	}
	since := time.UnixMilli(epoch).UTC()
	k.Leader = &Leader{ID: id, Host: cachekeys.LeaderHost(id), Epoch: epoch, Since: since, Leads: seconds(max(0, now.Sub(since)))}
	rest, err := left.Result()
	switch {
	case k.refused(err, "how long the lock lasts"):
	case err != nil:
		return fmt.Errorf("read the lock's expiry: %w", err)
	case rest == -1:
		k.fault("the lock never expires, so that nobody can take over: delete it")
	case rest >= 0:
		k.Leader.Left = new(seconds(rest))
	}
	return nil
}

func (k *Key) readPart(what string, cmd *redis.StringCmd, current cachekeys.Meta, compare func([]byte, cachekeys.Meta) Part) (*Part, error) {
	data, err := limited.Bytes(cmd)
	switch {
	case k.denied(err, "the "+what):
		return nil, nil
	case err == nil && data == nil:
		return &Part{State: Missing}, nil
	case isWrongType(err):
		return &Part{State: Malformed, Why: "it is no text"}, nil
	case err != nil:
		return nil, fmt.Errorf("read the %s: %w", what, err)
	}
	part := compare(data, current)
	part.Bytes = len(data)
	return &part, nil
}

func compareEntry(data []byte, current cachekeys.Meta) Part {
	entry, err := cachekeys.ParseEntry(data)
	if err != nil {
		return Part{State: Malformed, Why: err.Error()}
	}
	part := Part{State: Matches, Rev: entry.FetchTime}
	switch {
	case cachekeys.ContentHash(entry.JSON) != current.Hash:
		part.State, part.Why = Differs, "it holds other content"
	case entry.FetchTime != current.Rev:
		part.State, part.Why = Differs, "its fetch time is not the rev"
	case entry.ETag != current.ETag:
		part.State, part.Why = Differs, "its ETag is another"
	}
	return part
}

func compareBlob(data []byte, current cachekeys.Meta) Part {
	blob, err := cachekeys.ParseBlob(data)
	if err == nil {
		_, err = blob.JSON()
	}
	if err != nil {
		return Part{State: Malformed, Why: err.Error()}
	}
	part := Part{State: Matches, Rev: blob.Rev}
	switch {
	case blob.Hash != current.Hash:
		part.State, part.Why = Differs, "it holds other content"
	case blob.Rev != current.Rev:
		part.State, part.Why = Differs, "its rev is another"
	}
	return part
}

// denied notes what a right is missing for.
func (k *Key) denied(err error, what string) bool {
	if !redis.IsPermissionError(err) {
		return false
	}
	k.Remarks = append(k.Remarks, fmt.Sprintf("not known: %s (%v)", what, err))
	return true
}

// refused notes what Redis, or a proxy before it, does not tell, for whatever reason, and
// that the rest can be judged without.
func (k *Key) refused(err error, what string) bool {
	if _, ok := errors.AsType[redis.Error](err); !ok || errors.Is(err, redis.Nil) || isWrongType(err) {
		return false
	}
	k.Remarks = append(k.Remarks, fmt.Sprintf("not known: %s (%v)", what, err))
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
