package leader

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/internal/redisnode"
	"github.com/catbridge/catbridge/internal/wire"
)

// outcome is the first element of a script's reply.
type outcome string

const (
	outcomeOK          outcome = "OK"
	outcomeAcquired    outcome = "ACQUIRED"
	outcomeHeld        outcome = "HELD"
	outcomeFenced      outcome = "FENCED"
	outcomeStale       outcome = "STALE"
	outcomeRegressed   outcome = "REGRESSED"
	outcomeOverwritten outcome = "OVERWRITTEN"
	outcomeReleased    outcome = "RELEASED"
)

// store runs the scripts for one SDK key. It has no state and is safe for concurrent use.
type store struct {
	client   redis.UniversalClient
	scripts  *pipeline // shared by all SDK keys
	keys     cachekeys.Keys
	leaderID string
	lease    time.Duration // the lock's time to live
}

type acquireReply struct {
	outcome outcome // ACQUIRED or HELD
	lock    string
	left    time.Duration // remaining time to live
	now     int64         // Redis's clock, Unix ms
	meta    wire.Meta
}

func (s *store) acquire(ctx context.Context, highest int64) (acquireReply, error) {
	reply, err := s.scripts.run(ctx, acquireScript, []string{s.keys.Lock, s.keys.Meta},
		s.leaderID, s.lease.Milliseconds(), highest)
	if err != nil {
		return acquireReply{}, fmt.Errorf("acquire: %w", err)
	}
	r := replyReader{reply: reply}
	g := acquireReply{outcome: outcome(r.text()), lock: r.text(), left: time.Duration(r.number()) * time.Millisecond, now: r.number()}
	g.meta = r.meta()
	if r.err != nil {
		return acquireReply{}, fmt.Errorf("acquire: %w", r.err)
	}
	return g, nil
}

// writeReply is the reply to commit and renew.
type writeReply struct {
	outcome   outcome
	rev       int64
	cdn       int64 // time of the last CDN answer, Unix ms by Redis's clock
	now       int64 // Redis's clock, Unix ms; FENCED: 0
	receivers int64 // of the message
	refresh   int64 // the count of refresh requests

	found int64     // REGRESSED, OVERWRITTEN: the entry's fetch time
	meta  wire.Meta // STALE, REGRESSED, OVERWRITTEN: what is current in Redis
}

// assertion holds the arguments that commit and renew share: the state that this process
// considers current, and the time of the CDN's answer.
type assertion struct {
	lock    string // the lock's value as this process wrote it
	base    int64  // the rev that this process considers current
	above   int64  // the new rev must be above this one; 0: no further bound
	age     int64  // age of the CDN's answer in ms, from its request on; -1: not an answer
	latest  int64  // upper bound for the answer's time, by Redis's clock: a write may be late
	cdn     int64  // time of the CDN's last answer, used if age is -1
	message wire.Message
	etag    string // as stored

	overwriteUpTo int64  // an entry fetched up to this time may be overwritten
	replaced      string // see [replacedMemory.lines]
	waits         int64  // see [wire.Meta]; 0: the leader does not wait
}

// commit bypasses the pipeline: content must not wait, and large content would delay others.
func (s *store) commit(ctx context.Context, a assertion, content *content) (writeReply, error) {
	blob := wire.Blob{Hash: content.hash, Codec: content.codec, Payload: content.payload}
	var inline []byte
	if len(content.payload) <= wire.MaxInlineBytes {
		inline = append([]byte("\n"+string(content.codec)+"\n"), content.payload...)
	}
	reply, err := commitScript.Run(ctx, s.client, []string{s.keys.Entry, s.keys.Lock, s.keys.Meta, s.keys.Blob},
		a.lock, s.lease.Milliseconds(), a.base, a.above, a.age, a.cdn,
		s.keys.Events, a.message.Head(), a.message.Tail(), inline,
		a.etag, content.hash, len(content.json), a.message.Poll.Milliseconds(),
		content.json, blob.Tail(), content.payload, a.overwriteUpTo, a.latest, a.replaced, revText(a.waits)).Slice()
	if err != nil {
		return writeReply{}, fmt.Errorf("commit: %w", err)
	}
	w, err := parseWriteReply(reply)
	if err != nil {
		return writeReply{}, fmt.Errorf("commit: %w", err)
	}
	return w, nil
}

func (s *store) renew(ctx context.Context, a assertion) (writeReply, error) {
	reply, err := s.scripts.run(ctx, renewScript, []string{s.keys.Entry, s.keys.Lock, s.keys.Meta, s.keys.Blob},
		a.lock, s.lease.Milliseconds(), a.base, a.message.Hash, a.etag, a.above, a.age,
		s.keys.Events, a.message.Head(), a.message.Tail(), a.message.Poll.Milliseconds(), a.message.Len, a.latest, revText(a.waits))
	if err != nil {
		return writeReply{}, fmt.Errorf("renew: %w", err)
	}
	w, err := parseWriteReply(reply)
	if err != nil {
		return writeReply{}, fmt.Errorf("renew: %w", err)
	}
	return w, nil
}

func (s *store) release(ctx context.Context, lock string, m wire.Message) (outcome, error) {
	reply, err := s.scripts.run(ctx, releaseScript, []string{s.keys.Lock}, lock, s.keys.Events, m.Append(nil))
	if err != nil {
		return "", fmt.Errorf("release: %w", err)
	}
	r := replyReader{reply: reply}
	return outcome(r.text()), r.err
}

type refreshReply struct {
	accepted bool  // false: the webhook's ID was already known
	seq      int64 // the count of refresh requests; 0: unknown
}

// requestRefresh publishes no message if channel is empty.
func (s *store) requestRefresh(ctx context.Context, channel string) (refreshReply, error) {
	return s.sendRefresh(ctx, channel, s.keys.Meta)
}

// hook requests a refresh for a webhook, if its ID is new.
func (s *store) hook(ctx context.Context, channel, id string) (refreshReply, error) {
	return s.sendRefresh(ctx, channel, s.keys.Meta, s.keys.Hook(id))
}

// sendRefresh tries twice: a connection may have died unnoticed. If the first try succeeded
// after all, the second finds the webhook's ID known, and the request counts as accepted.
func (s *store) sendRefresh(ctx context.Context, channel string, keys ...string) (refreshReply, error) {
	head := wire.Message{Type: wire.Refresh}.Head()
	var err error
	for _, again := range []bool{false, true} {
		var reply []any
		reply, err = refreshScript.Run(ctx, s.client, keys, channel, head, hookMemory.Milliseconds()).Slice()
		if err == nil {
			r := replyReader{reply: reply}
			if outcome(r.text()) != outcomeOK {
				return refreshReply{accepted: again}, r.err
			}
			return refreshReply{accepted: true, seq: r.number()}, r.err
		}
		if ctx.Err() != nil {
			break
		}
		redisnode.Reload(ctx, s.client)
	}
	return refreshReply{}, fmt.Errorf("refresh request: %w", err)
}

// load reads the current content. With it a new leader can send If-None-Match to the CDN, and
// can repair Redis while the CDN does not answer.
func (s *store) load(ctx context.Context, meta wire.Meta) (*content, error) {
	data, err := s.getAtMost(ctx, s.keys.Blob, wire.MaxBlobBytes)
	if err != nil {
		return nil, fmt.Errorf("read blob: %w", err)
	}
	blob, err := wire.ParseBlob(data)
	if err != nil {
		return nil, err
	}
	if blob.Hash != meta.Hash {
		return nil, fmt.Errorf("read blob: %w: not the current content", errReply)
	}
	json, err := blob.JSON()
	if err != nil {
		return nil, err
	}
	return &content{json: json, hash: blob.Hash, etag: meta.ETag, codec: blob.Codec, payload: blob.Payload}, nil
}

// blob reads the blob, regardless of meta. c is nil if the blob is missing or invalid.
func (s *store) blob(ctx context.Context) (c *content, rev int64, err error) {
	data, err := s.getAtMost(ctx, s.keys.Blob, wire.MaxBlobBytes)
	switch {
	case redis.HasErrorPrefix(err, "WRONGTYPE"):
		return nil, 0, nil
	case err != nil:
		return nil, 0, fmt.Errorf("read blob: %w", err)
	}
	blob, err := wire.ParseBlob(data)
	if err != nil {
		return nil, 0, nil //nolint:nilerr // it will be overwritten
	}
	json, err := blob.JSON()
	if err != nil {
		return nil, 0, nil //nolint:nilerr // it will be overwritten
	}
	return &content{json: json, hash: blob.Hash, codec: blob.Codec, payload: blob.Payload}, blob.Rev, nil
}

// entry reads the official entry. It returns the zero Entry if the entry is missing or
// malformed.
func (s *store) entry(ctx context.Context) (cachekeys.Entry, error) {
	data, err := s.getAtMost(ctx, s.keys.Entry, cachekeys.MaxEntryBytes)
	if err != nil && !redis.HasErrorPrefix(err, "WRONGTYPE") {
		return cachekeys.Entry{}, fmt.Errorf("read entry: %w", err)
	}
	entry, err := cachekeys.ParseEntry(data)
	if err != nil {
		return cachekeys.Entry{}, nil //nolint:nilerr // it will be overwritten
	}
	return entry, nil
}

// getAtMost reads at most limit bytes of a value and one more, which shows that the value is
// too long: any client may have written it. A missing value is empty.
func (s *store) getAtMost(ctx context.Context, key string, limit int) ([]byte, error) {
	return s.client.GetRange(ctx, key, 0, int64(limit)).Bytes()
}

// revText returns rev as the scripts expect it: 0 is the empty string.
func revText(rev int64) string {
	if rev == 0 {
		return ""
	}
	return strconv.FormatInt(rev, 10)
}
