package leader

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/cachekeys"
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

// store runs the scripts for one SDK key. It holds no state and is safe for
// concurrent use; every call is bounded by its context.
type store struct {
	client   redis.UniversalClient
	scripts  *pipeline // of all SDK keys
	keys     cachekeys.Keys
	leaderID string
	expiry   time.Duration // of the lock
}

// reload lets a cluster client find out which node is which, after a command failed:
// by itself it looks once a minute, and a primary that died would be asked until then.
func (s *store) reload(ctx context.Context) {
	if cluster, ok := s.client.(*redis.ClusterClient); ok {
		cluster.ReloadState(ctx)
	}
}

// grant is the answer to acquire.
type grant struct {
	outcome outcome // ACQUIRED or HELD
	lock    string  // the lock's value
	left    time.Duration
	now     int64 // Redis's clock, Unix ms
	meta    cachekeys.Meta
}

func (s *store) acquire(ctx context.Context, highest int64) (grant, error) {
	reply, err := s.scripts.run(ctx, acquireScript, []string{s.keys.Lock, s.keys.Meta},
		s.leaderID, s.expiry.Milliseconds(), highest)
	if err != nil {
		return grant{}, fmt.Errorf("acquire: %w", err)
	}
	r := reader{reply: reply}
	g := grant{outcome: outcome(r.text()), lock: r.text(), left: time.Duration(r.number()) * time.Millisecond, now: r.number()}
	g.meta = r.meta()
	if r.err != nil {
		return grant{}, fmt.Errorf("acquire: %w", r.err)
	}
	return g, nil
}

// written is the answer to commit and touch.
type written struct {
	outcome   outcome
	rev       int64 // now current
	cdn       int64 // time of the last CDN answer, Unix ms by Redis's clock
	now       int64 // Redis's clock, Unix ms; FENCED: 0
	receivers int64 // of the message
	refresh   int64 // how often a refresh was asked for

	found int64          // REGRESSED, OVERWRITTEN: fetch time of the entry found
	meta  cachekeys.Meta // STALE, REGRESSED, OVERWRITTEN: what is current in Redis
}

// assertion is what both writes say of the writer and of what it takes for current.
type assertion struct {
	lock    string
	base    int64 // the rev last known as current
	above   int64 // a rev that the new one is to be above; 0: none but what the script finds
	age     int64 // ms since the request that the CDN answered was sent; -1: this write is no answer
	latest  int64 // what age may come to by Redis's clock at most: a write may be late
	cdn     int64 // time of the last CDN answer
	message cachekeys.Message
	etag    string // as stored
	over    int64  // an entry of somebody else up to this fetch time may be written over, even if it is later
	// replaced are lines of ETags that were replaced, see [replacedMemory.lines].
	replaced string
	waits    int64 // see [cachekeys.Meta]; 0: nothing
}

// commit goes by itself at once: content is not to wait, and a large one would hold up others.
func (s *store) commit(ctx context.Context, c assertion, content *content) (written, error) {
	blob := cachekeys.Blob{Hash: content.hash, Codec: content.codec, Payload: content.payload}
	var inline []byte
	if len(content.payload) <= cachekeys.MaxInlineBytes {
		inline = append([]byte("\n"+string(content.codec)+"\n"), content.payload...)
	}
	reply, err := commitScript.Run(ctx, s.client, []string{s.keys.Entry, s.keys.Lock, s.keys.Meta, s.keys.Blob},
		c.lock, s.expiry.Milliseconds(), c.base, c.above, c.age, c.cdn,
		s.keys.Events, c.message.Head(), c.message.Tail(), inline,
		c.etag, content.hash, len(content.json), c.message.Poll.Milliseconds(),
		content.json, blob.Tail(), content.payload, c.over, c.latest, c.replaced, revText(c.waits)).Slice()
	if err != nil {
		return written{}, fmt.Errorf("commit: %w", err)
	}
	w, err := parseWritten(reply)
	if err != nil {
		return written{}, fmt.Errorf("commit: %w", err)
	}
	return w, nil
}

func (s *store) renew(ctx context.Context, c assertion) (written, error) {
	reply, err := s.scripts.run(ctx, renewScript, []string{s.keys.Entry, s.keys.Lock, s.keys.Meta, s.keys.Blob},
		c.lock, s.expiry.Milliseconds(), c.base, c.message.Hash, c.etag, c.above, c.age,
		s.keys.Events, c.message.Head(), c.message.Tail(), c.message.Poll.Milliseconds(), c.message.Len, c.latest, revText(c.waits))
	if err != nil {
		return written{}, fmt.Errorf("touch: %w", err)
	}
	w, err := parseWritten(reply)
	if err != nil {
		return written{}, fmt.Errorf("touch: %w", err)
	}
	return w, nil
}

func (s *store) release(ctx context.Context, lock string, m cachekeys.Message) (outcome, error) {
	reply, err := s.scripts.run(ctx, releaseScript, []string{s.keys.Lock}, lock, s.keys.Events, m.Append(nil))
	if err != nil {
		return "", fmt.Errorf("release: %w", err)
	}
	r := reader{reply: reply}
	return outcome(r.text()), r.err
}

// request is the answer to a refresh request.
type request struct {
	accepted bool
	seq      int64 // how many there were; 0: not known
}

// requestRefresh asks for a refresh, by the message, too, if there is a channel.
func (s *store) requestRefresh(ctx context.Context, channel string) (request, error) {
	return s.ask(ctx, channel, s.keys.Meta)
}

// hook requests a refresh for a webhook, if its ID is new.
func (s *store) hook(ctx context.Context, channel, id string) (request, error) {
	return s.ask(ctx, channel, s.keys.Meta, s.keys.Hook(id))
}

// ask tries twice: a connection may have died unnoticed. If the first try came through
// after all, the second finds its ID known.
func (s *store) ask(ctx context.Context, channel string, keys ...string) (request, error) {
	head := cachekeys.Message{Type: cachekeys.Refresh}.Head()
	var err error
	for _, again := range []bool{false, true} {
		var reply []any
		reply, err = refreshScript.Run(ctx, s.client, keys, channel, head, hookMemory.Milliseconds()).Slice()
		if err == nil {
			r := reader{reply: reply}
			if outcome(r.text()) != outcomeOK {
				return request{accepted: again}, r.err
			}
			return request{accepted: true, seq: r.number()}, r.err
		}
		if ctx.Err() != nil {
			break
		}
		s.reload(ctx)
	}
	return request{}, fmt.Errorf("refresh request: %w", err)
}

// load reads the current content, so that a new leader can ask the CDN for a
// difference only, and can heal Redis while the CDN does not answer.
func (s *store) load(ctx context.Context, meta cachekeys.Meta) (*content, error) {
	data, err := s.bounded(ctx, s.keys.Blob, cachekeys.MaxBlobBytes)
	if err != nil {
		return nil, fmt.Errorf("read blob: %w", err)
	}
	blob, err := cachekeys.ParseBlob(data)
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

// blob reads the blob, whatever meta names; nil: it is missing, or it is not intact.
func (s *store) blob(ctx context.Context) (c *content, rev int64, err error) {
	data, err := s.bounded(ctx, s.keys.Blob, cachekeys.MaxBlobBytes)
	switch {
	case redis.HasErrorPrefix(err, "WRONGTYPE"):
		return nil, 0, nil
	case err != nil:
		return nil, 0, fmt.Errorf("read blob: %w", err)
	}
	blob, err := cachekeys.ParseBlob(data)
	if err != nil {
		return nil, 0, nil //nolint:nilerr // it is written over
	}
	json, err := blob.JSON()
	if err != nil {
		return nil, 0, nil //nolint:nilerr // it is written over
	}
	return &content{json: json, hash: blob.Hash, codec: blob.Codec, payload: blob.Payload}, blob.Rev, nil
}

// entry reads the official entry; one that is missing or malformed gives the zero Entry.
func (s *store) entry(ctx context.Context) (cachekeys.Entry, error) {
	data, err := s.bounded(ctx, s.keys.Entry, cachekeys.MaxEntryBytes)
	if err != nil && !redis.HasErrorPrefix(err, "WRONGTYPE") {
		return cachekeys.Entry{}, fmt.Errorf("read entry: %w", err)
	}
	entry, err := cachekeys.ParseEntry(data)
	if err != nil {
		return cachekeys.Entry{}, nil //nolint:nilerr // it is written over
	}
	return entry, nil
}

// bounded reads no more of a value than its limit and one byte, which tells that there are
// too many: anybody may have written it. It is empty where there is none.
func (s *store) bounded(ctx context.Context, key string, limit int) ([]byte, error) {
	return s.client.GetRange(ctx, key, 0, int64(limit)).Bytes()
}

// revText is a rev as the scripts take it; 0: nothing.
func revText(rev int64) string {
	if rev == 0 {
		return ""
	}
	return strconv.FormatInt(rev, 10)
}
