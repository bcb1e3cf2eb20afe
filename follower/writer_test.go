package follower

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/internal/patch"
	"github.com/catbridge/catbridge/internal/wire"
)

// configJSON returns a config whose flag "version" has the given value.
func configJSON(version int) []byte {
	return fmt.Appendf(nil, `{"p":{"s":"salt"},"f":{`+
		`"version":{"t":2,"v":{"i":%d},"i":"v%d"},`+
		`"isOn":{"t":0,"v":{"b":true},"i":"on"},`+
		`"ratio":{"t":3,"v":{"d":0.5}},`+
		`"text":{"t":1,"r":[{"c":[{"u":{"a":"Email","c":2,"l":["@example.com"]}}],"s":{"v":{"s":"ours"},"i":"ours"}}],"v":{"s":"theirs"},"i":"theirs"}`+
		`}}`, version, version)
}

// writer simulates a leader: it writes to Redis what a leader's scripts write, each step in one
// transaction.
type writer struct {
	t      testing.TB
	redis  redis.Cmdable
	keys   cachekeys.Keys
	poll   time.Duration
	spread time.Duration
	inline bool
	// patching: a change writes patches, and its message has one. window is that of the patches.
	patching bool
	window   time.Duration
	mute     bool          // publish nothing, as if messages were lost
	renew    time.Duration // sent in messages
	skew     time.Duration // of Redis's clock against the local one
	control  int64         // the seq of the control that the content is made with; 0: none is in force
	// older: it is a leader of a version that knows of no controls and leaves their field in meta as it was.
	older bool
	// undated: messages lack the time of publication, like those of earlier versions.
	undated bool

	mu              sync.Mutex // locked by each step, and by with
	epoch, rev, cdn int64
	json            []byte
	etag            string
	patches         wire.Patches
}

func newWriter(t testing.TB, client redis.Cmdable) *writer {
	w := &writer{t: t, redis: client, keys: cachekeys.For(testSDKKey, "", 0), poll: 55 * time.Second}
	w.acquire()
	return w
}

// with changes the writer while beat runs.
func (w *writer) with(change func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change()
}

func (w *writer) now() int64 { return time.Now().Add(w.skew).UnixMilli() }

// acquire starts a term.
func (w *writer) acquire() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.epoch = max(w.epoch+1, w.now())
	w.exec(func(p redis.Pipeliner) {
		p.Set(context.Background(), w.keys.Lock, wire.LockValue("leader", w.epoch), 15*time.Second)
		p.HSet(context.Background(), w.keys.Meta, "epoch", w.epoch)
		w.stamp(p)
	})
}

// commit writes new content after an answer of the CDN and announces it.
func (w *writer) commit(json []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	was := w.json
	w.json = json
	w.rev = max(w.now(), w.rev+1)
	w.cdn = w.now()
	w.patches = w.patchesFrom(was)
	w.etag = "W/" + strconv.Quote(wire.ContentHash(json)[:8])
	w.store(wire.Change)
}

// order makes content current after an operator's command. The CDN has not answered.
func (w *writer) order(control int64, json []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.control, w.json, w.patches = control, json, nil
	w.rev++
	w.etag = strconv.Quote("cb-" + wire.ContentHash(json)[:32])
	w.store(wire.Change)
}

// stamp writes the fields of meta that an older leader does not know.
func (w *writer) stamp(p redis.Pipeliner) {
	if w.older {
		return
	}
	control := ""
	if w.control != 0 {
		control = strconv.FormatInt(w.control, 10)
	}
	p.HSet(context.Background(), w.keys.Meta, "proto", fmt.Sprintf("1 %d", w.epoch), "control", control)
}

// confirm simulates the CDN's 304: the same content at a newer rev.
func (w *writer) confirm() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rev = max(w.now(), w.rev+1)
	w.cdn = w.now()
	w.store(wire.Heartbeat)
}

// patchesFrom returns the patches after a change from that content.
func (w *writer) patchesFrom(was []byte) wire.Patches {
	if !w.patching || was == nil {
		return nil
	}
	return w.patches.With(wire.PatchStep{
		From: wire.ShortHash(wire.ContentHash(was)), To: wire.ContentHash(w.json), Rev: w.rev, Len: len(w.json),
		Patch: patch.Make(context.Background(), was, w.json, wire.MaxPatchesBytes),
	})
}

func (w *writer) store(announce wire.MessageType) {
	codec, payload := wire.Encode(w.json)
	hash := wire.ContentHash(w.json)
	blob := wire.Blob{Rev: w.rev, Hash: hash, Codec: codec, Payload: payload}
	entry := cachekeys.Entry{FetchTime: w.rev, ETag: w.etag, JSON: w.json}
	w.exec(func(p redis.Pipeliner) {
		ctx := context.Background()
		p.Set(ctx, w.keys.Entry, entry.Append(nil), 0)
		p.Set(ctx, w.keys.Blob, blob.Append(nil), 0)
		p.Set(ctx, w.keys.Patches, w.patches.Append(nil), 0)
		p.HSet(ctx, w.keys.Meta, "epoch", w.epoch, "rev", w.rev, "hash", hash, "len", len(w.json),
			"etag", w.etag, "cdn", w.cdn, "poll", w.poll.Milliseconds())
		w.stamp(p)
		p.PExpire(ctx, w.keys.Lock, 15*time.Second)
		if !w.mute {
			p.Publish(ctx, w.keys.Events, w.message(announce))
		}
	})
}

// heartbeat renews the lock and publishes the current state.
func (w *writer) heartbeat() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.exec(func(p redis.Pipeliner) {
		p.PExpire(context.Background(), w.keys.Lock, 15*time.Second)
		if !w.mute {
			p.Publish(context.Background(), w.keys.Events, w.message(wire.Heartbeat))
		}
	})
}

func (w *writer) describe(kind wire.MessageType) wire.Message {
	m := wire.Message{Type: kind, Epoch: w.epoch, Poll: w.poll, Renew: w.renew}
	if !w.undated {
		m.Now = w.now()
	}
	if w.rev == 0 {
		return m
	}
	m.Rev, m.CDN, m.Hash, m.Len, m.ETag = w.rev, w.cdn, wire.ContentHash(w.json), len(w.json), wire.MessageETag(w.etag)
	m.Spread = w.spread
	if !w.older {
		m.Control = w.control
	}
	if kind == wire.Change && w.inline {
		m.Codec, m.Content = wire.Encode(w.json)
	}
	if len(w.patches) > 0 {
		m.Patches = max(w.window, time.Millisecond)
		if last := w.patches[len(w.patches)-1]; kind == wire.Change {
			m.Base = last.From
			if len(last.Patch) <= wire.MaxInlineBytes {
				m.Codec, m.Content = wire.Patch, last.Patch
			}
		}
	}
	return m
}

func (w *writer) message(kind wire.MessageType) string {
	return string(w.describe(kind).Append(nil))
}

// publish sends any text to the channel.
func (w *writer) publish(text string) {
	w.t.Helper()
	if err := w.redis.Publish(context.Background(), w.keys.Events, text).Err(); err != nil {
		w.t.Fatal(err)
	}
}

// beat sends heartbeats every 3 s and confirms at every poll interval, until stop is called.
func (w *writer) beat() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		ticker := time.NewTicker(3 * time.Second)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
			var due bool
			w.with(func() { due = w.rev != 0 && time.Duration(w.now()-w.cdn)*time.Millisecond >= w.poll })
			if due {
				w.confirm()
			} else {
				w.heartbeat()
			}
		}
	}()
	stop = func() { cancel(); <-done }
	w.t.Cleanup(stop)
	return stop
}

func (w *writer) exec(commands func(redis.Pipeliner)) {
	w.t.Helper()
	_, err := w.redis.TxPipelined(context.Background(), func(p redis.Pipeliner) error {
		commands(p)
		return nil
	})
	if err != nil {
		w.t.Errorf("the test's leader: %v", err)
	}
}

func version(c *Client) int { return c.GetIntValue("version", -1, nil) }
