package feed

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/internal/limited"
	"github.com/catbridge/catbridge/internal/redisnode"
	"github.com/catbridge/catbridge/internal/wire"
)

// readTimeout bounds a read with its retries, and a single reply if the caller's client has no
// ReadTimeout.
const readTimeout = 3 * time.Second

// node selects the node of a cluster for a read.
type node int

const (
	anyNode node = iota // the node that the caller's client chooses
	primary             // the primary, which is not behind other nodes
)

// store reads the keys of one SDK key, which share one cluster slot.
type store struct {
	client redis.UniversalClient
	keys   cachekeys.Keys
	reader limited.Reader
	reads  sync.WaitGroup
}

// promptly calls read and returns when ctx ends. go-redis itself would wait for the reply or
// its own timeout; the read therefore continues in the background, and close waits for it.
func promptly[T any](ctx context.Context, s *store, read func(ctx context.Context) (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	s.reads.Go(func() {
		value, err := read(ctx)
		done <- result{value, err}
	})
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		return *new(T), ctx.Err()
	}
}

func (s *store) close() { s.reads.Wait() }

func newStore(client redis.UniversalClient, keys cachekeys.Keys) *store {
	if single := redisnode.Single(client); single != nil && single.Options().ReadTimeout <= 0 {
		client = single.WithTimeout(readTimeout)
	}
	return &store{client: client, keys: keys}
}

// head says which content is current and whether a leader is alive.
type head struct {
	meta     wire.Meta
	metaErr  error // not nil if meta is malformed; then meta is zero
	locked   bool  // a leader holds the lock
	epoch    int64 // the greater of the lock's and meta's
	asked    time.Time
	received time.Time
	primary  bool
}

// reading is a head and what was read before it.
type reading struct {
	head
	blob       wire.Blob
	blobErr    error        // not nil if the blob is malformed; if there is no blob, its Rev is 0
	entry      []byte       // nil: there is none
	patches    wire.Patches // nil: there are none
	patchesErr error        // not nil if the patches are malformed, or must not be read
	byLeader   bool         // with theEntry: Redis has a blob, which only leaders write
}

// part is what is read together with a head.
type part int

const (
	nothing part = iota
	theBlob
	thePatches
	theEntry
)

func (s *store) readHead(ctx context.Context, from node) (head, error) {
	r, err := promptly(ctx, s, func(ctx context.Context) (reading, error) { return s.read(ctx, from, nothing) })
	return r.head, err
}

// readAll reads the blob, then meta and lock, so meta is never older than the blob.
func (s *store) readAll(ctx context.Context, from node) (reading, error) {
	return promptly(ctx, s, func(ctx context.Context) (reading, error) { return s.read(ctx, from, theBlob) })
}

// readPatches reads the patches, then meta and lock.
func (s *store) readPatches(ctx context.Context, from node) (reading, error) {
	return promptly(ctx, s, func(ctx context.Context) (reading, error) { return s.read(ctx, from, thePatches) })
}

// readEntry reads the official entry, then meta and lock: if an SDK wrote the entry while a control
// was in force, meta names that control, or the end of it has already replaced the entry. One byte
// of the blob shows whether there is one.
func (s *store) readEntry(ctx context.Context, from node) (reading, error) {
	return promptly(ctx, s, func(ctx context.Context) (reading, error) { return s.read(ctx, from, theEntry) })
}

// read uses one pipeline, also for the entry: go-redis has a separate pool for pipelines, so a
// follower needs only one connection besides its subscription.
func (s *store) read(ctx context.Context, from node, with part) (r reading, err error) {
	ctx, cancel := context.WithTimeout(ctx, readTimeout)
	defer cancel()
	client, isPrimary, err := s.on(ctx, from)
	if err != nil {
		return r, err
	}
	var blob, patches, entry, trace, lock *redis.StringCmd
	var meta *limited.Reply
	r.primary = isPrimary
	s.reader.Do(ctx, func(get limited.Get) {
		pipe := client.Pipeline()
		switch with {
		case theBlob:
			blob = get(pipe, s.keys.Blob, wire.MaxBlobBytes)
		case thePatches:
			patches = get(pipe, s.keys.Patches, wire.MaxPatchesBytes)
		case theEntry:
			entry = get(pipe, s.keys.Entry, cachekeys.MaxEntryBytes)
			trace = get(pipe, s.keys.Blob, 0)
		}
		meta = limited.HMGet(ctx, pipe, wire.MaxMetaFieldBytes, s.keys.Meta, wire.MetaFields()...)
		lock = get(pipe, s.keys.Lock, wire.MaxLockBytes)
		r.asked = time.Now()
		err = limited.Exec(ctx, pipe)
		r.received = time.Now()
	})
	if err != nil {
		return r, fmt.Errorf("read: %w", s.reloadIfMoved(ctx, err))
	}

	if blob != nil {
		var data []byte
		if data, err = limited.Bytes(blob); err == nil && data != nil {
			r.blob, r.blobErr = wire.ParseBlob(data)
		} else if isWrongType(err) {
			r.blobErr, err = err, nil
		}
		if err != nil {
			return r, fmt.Errorf("read the blob: %w", s.reloadIfMoved(ctx, err))
		}
	}
	if patches != nil {
		switch data, err := limited.Bytes(patches); {
		case err == nil:
			r.patches, r.patchesErr = wire.ParsePatches(data)
		case isWrongType(err), redis.IsPermissionError(err): // the blob remains
			r.patchesErr = err
		default:
			return r, fmt.Errorf("read the patches: %w", s.reloadIfMoved(ctx, err))
		}
	}
	if entry != nil {
		if r.entry, err = limited.Bytes(entry); err != nil && !isWrongType(err) {
			return r, fmt.Errorf("read the entry: %w", s.reloadIfMoved(ctx, err))
		}
		switch data, err := limited.Bytes(trace); {
		case err == nil:
			r.byLeader = data != nil
		case isWrongType(err):
			r.byLeader = true
		default:
			return r, fmt.Errorf("read the blob: %w", s.reloadIfMoved(ctx, err))
		}
	}
	switch fields, err := meta.Values(); {
	case isWrongType(err):
		r.metaErr = err
	case err != nil:
		return r, fmt.Errorf("read meta: %w", s.reloadIfMoved(ctx, err))
	default:
		r.meta, r.metaErr = wire.ParseMeta(fields)
	}
	if r.metaErr != nil {
		r.meta = wire.Meta{}
	}
	r.epoch = r.meta.Epoch
	switch value, err := lock.Result(); {
	case err == nil:
		if _, epoch, err := wire.ParseLock(value); err == nil {
			r.locked, r.epoch = true, max(r.epoch, epoch)
		}
	case !errors.Is(err, redis.Nil) && !isWrongType(err):
		return r, fmt.Errorf("read the lock: %w", err)
	}
	return r, nil
}

// on returns the client for a node, and whether it is certainly the primary. If a cluster is
// read from replicas, on returns the client of one replica for the whole read: the pipeline of
// the cluster client would use another one for each command.
func (s *store) on(ctx context.Context, from node) (redis.Cmdable, bool, error) {
	if from == anyNode && !redisnode.ReadsReplicas(s.client) {
		return s.client, true, nil
	}
	find := redisnode.Primary
	if from == anyNode {
		find = redisnode.Replica
	}
	single, err := find(ctx, s.client, s.keys.Meta)
	return single, from == primary, err
}

// reloadIfMoved makes the cluster client reload its slots after a node replied that it no
// longer serves the keys' slot. It returns err.
func (s *store) reloadIfMoved(ctx context.Context, err error) error {
	if hasPrefix(err, "MOVED ") {
		redisnode.Reload(ctx, s.client)
	}
	return err
}

// isWrongType reports whether a key has the wrong type. That is invalid content, not a failed
// read.
func isWrongType(err error) bool { return hasPrefix(err, "WRONGTYPE ") }

func hasPrefix(err error, prefix string) bool {
	reply, ok := errors.AsType[redis.Error](err)
	return ok && strings.HasPrefix(reply.Error(), prefix)
}
