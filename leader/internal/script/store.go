package script

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

// Outcome says what a script did.
type Outcome string

const (
	OK          Outcome = "OK"          // everything was written
	Acquired    Outcome = "ACQUIRED"    // this process holds the lock
	Held        Outcome = "HELD"        // another process holds the lock
	Fenced      Outcome = "FENCED"      // this process does not hold the lock; nothing was written
	Stale       Outcome = "STALE"       // meta is not at the base rev; nothing was written
	Regressed   Outcome = "REGRESSED"   // meta does not have what this process wrote
	Overwritten Outcome = "OVERWRITTEN" // entry, blob, source or a field of meta is missing or was overwritten
	Control     Outcome = "CONTROL"     // another control is in force; nothing was written
	Released    Outcome = "RELEASED"    // the lock is free
	Proto       Outcome = "PROTO"       // the latest leader does not know of controls; nothing was written
)

// Store runs the scripts for one SDK key. It has no state and is safe for concurrent use.
type Store struct {
	keys     cachekeys.Keys
	leaderID string
	lease    time.Duration
	client   redis.UniversalClient
	scripts  *Batcher // shared by all SDK keys
}

// NewStore returns a Store that uses the keys, on behalf of the leader with that ID. lease is the
// lock's time to live.
func (b *Batcher) NewStore(keys cachekeys.Keys, leaderID string, lease time.Duration) *Store {
	return &Store{keys: keys, leaderID: leaderID, lease: lease, client: b.client, scripts: b}
}

// Keys returns the names of the keys and the channel.
func (s *Store) Keys() cachekeys.Keys { return s.keys }

// AcquireReply is the reply to [Store.Acquire].
type AcquireReply struct {
	Outcome Outcome       // Acquired or Held
	Lock    string        // the lock's value
	Left    time.Duration // the lock's remaining time to live
	Now     int64         // Redis's clock, Unix ms
	Former  int64         // Acquired: the epoch of the term before; 0: unknown
	Control int64         // the seq of the stored control; 0: there is none
	Meta    wire.Meta
}

// Acquire takes the lock if it is free, or extends it under a new epoch if this process holds it.
// highest is the highest epoch or rev that this process has seen.
func (s *Store) Acquire(ctx context.Context, highest int64) (AcquireReply, error) {
	reply, err := s.scripts.run(ctx, acquireScript, []string{s.keys.Lock, s.keys.Meta, s.keys.Control},
		s.leaderID, s.lease.Milliseconds(), highest)
	if err != nil {
		return AcquireReply{}, fmt.Errorf("acquire: %w", err)
	}
	r := replyReader{reply: reply}
	g := AcquireReply{Outcome: Outcome(r.text()), Lock: r.text(), Left: time.Duration(r.number()) * time.Millisecond, Now: r.number(), Former: r.number(), Control: r.number()}
	g.Meta = r.meta()
	if r.err != nil {
		return AcquireReply{}, fmt.Errorf("acquire: %w", r.err)
	}
	return g, nil
}

// WriteReply is the reply to [Store.Commit] and [Store.Renew].
type WriteReply struct {
	Outcome   Outcome
	Rev       int64
	CDN       int64 // time of the last CDN answer, Unix ms by Redis's clock
	Now       int64 // Redis's clock, Unix ms; Fenced: 0
	Receivers int64 // of the message
	Refresh   int64 // the count of refresh requests
	// Control is the seq of the stored control; 0: there is none, or it is damaged. OK and Control only.
	Control int64
	// History is the error of Redis if a commit could not be added to the history; empty: it was added,
	// or did not need to be.
	History string

	Found int64     // Regressed, Overwritten: the entry's fetch time
	Meta  wire.Meta // Stale, Regressed, Overwritten, Control: what is current in Redis
}

// Assertion holds the arguments that commit and renew share: the state that this process
// considers current, and the time of the CDN's answer.
type Assertion struct {
	Lock    string // the lock's value as this process wrote it
	Base    int64  // the rev that this process considers current
	Above   int64  // the new rev must be above this one; 0: no further bound
	Age     int64  // age of the CDN's answer in ms, from its request on; -1: not an answer
	Latest  int64  // upper bound for the answer's time, by Redis's clock: a write may be late
	CDN     int64  // time of the CDN's last answer, used if Age is -1
	Message wire.Message
	ETag    string // as stored
	Waits   int64  // see [wire.Meta]; 0: the leader does not wait
	// InForce is the seq of the control in force; 0: there is none.
	InForce int64
	Source  *Content // what the CDN serves; nil: unknown, or no control is in force

	// Of a renewal:
	Pin string // hash of the pinned content; empty: there is no pin

	// Of a commit:
	OverwriteUpTo int64  // an entry fetched up to this time may be overwritten
	Replaced      string // lines "<age in ms> <etag>": the ETags that were replaced last
	// Patches are what Redis has afterwards if it names the content with the hash From now. Their
	// last step leads from that to the new content; its rev is not known yet.
	Patches wire.Patches
	From    string
	History Record
	Seq     int64 // of the control from which the content was made; 0: there was none
	// SourceETag is that of the CDN's content, as stored, FormerETag that of the content that this one
	// replaces; empty: unknown.
	SourceETag, FormerETag string
}

// Record is what a commit adds to the history. The scripts add it if the content is new.
type Record struct {
	Entries  int // the history's greatest number of entries; 0: there is no history
	Cause    wire.Cause
	Back     []byte // see [wire.Back], in its stored form; empty: there is none
	BackTo   string // hash of the content that Back makes
	BackSize int    // of that config JSON
}

// Commit makes c current. It is never batched: content must not wait, and large content would
// delay others.
func (s *Store) Commit(ctx context.Context, a Assertion, c *Content) (WriteReply, error) {
	blob := wire.Blob{Hash: c.Hash, Codec: c.Codec, Payload: c.Payload}
	var inline []byte
	if len(c.Payload) <= wire.MaxInlineBytes {
		inline = append([]byte("\n"+string(c.Codec)+"\n"), c.Payload...)
	}
	source := storedSource{a.Source}
	var older, step []byte
	if last := len(a.Patches) - 1; last >= 0 {
		older, step = a.Patches[:last].Append(nil), a.Patches[last].Tail()
		if patch := a.Patches[last].Patch; inline == nil && len(patch) <= wire.MaxInlineBytes {
			inline = append([]byte("\n"+string(wire.Patch)+"\n"), patch...)
		}
	}
	reply, err := commitScript.Run(ctx, s.client, []string{s.keys.Entry, s.keys.Lock, s.keys.Meta, s.keys.Blob, s.keys.Patches, s.keys.History, s.keys.Control, s.keys.Source},
		a.Lock, s.lease.Milliseconds(), a.Base, a.Above, a.Age, a.CDN,
		s.keys.Events, a.Message.Head(), a.Message.Tail(), inline,
		a.ETag, c.Hash, len(c.JSON), a.Message.Poll.Milliseconds(),
		c.JSON, blob.Tail(), c.Payload, a.OverwriteUpTo, a.Latest, a.Replaced, revText(a.Waits),
		a.From, older, step, a.History.Entries, string(a.History.Cause), a.History.BackTo, a.History.BackSize, a.History.Back,
		a.Seq, revText(a.InForce), source.tail(), source.payload(), a.SourceETag, a.FormerETag).Slice()
	if err != nil {
		return WriteReply{}, fmt.Errorf("commit: %w", err)
	}
	w, err := parseWriteReply(reply)
	if err != nil {
		return WriteReply{}, fmt.Errorf("commit: %w", err)
	}
	return w, nil
}

// Renew extends the lock, checks that Redis has what this process wrote, and publishes the
// heartbeat. With an answer of the CDN it also raises rev.
func (s *Store) Renew(ctx context.Context, a Assertion) (WriteReply, error) {
	reply, err := s.scripts.run(ctx, renewScript, []string{s.keys.Entry, s.keys.Lock, s.keys.Meta, s.keys.Blob, s.keys.Control, s.keys.Pinned, s.keys.Source},
		a.Lock, s.lease.Milliseconds(), a.Base, a.Message.Hash, a.ETag, a.Above, a.Age,
		s.keys.Events, a.Message.Head(), a.Message.Tail(), a.Message.Poll.Milliseconds(), a.Message.Len, a.Latest, revText(a.Waits),
		revText(a.InForce), a.Pin, storedSource{a.Source}.head())
	if err != nil {
		return WriteReply{}, fmt.Errorf("renew: %w", err)
	}
	w, err := parseWriteReply(reply)
	if err != nil {
		return WriteReply{}, fmt.Errorf("renew: %w", err)
	}
	return w, nil
}

// Release releases the lock and publishes m. The outcome is Released or Fenced.
func (s *Store) Release(ctx context.Context, lock string, m wire.Message) (Outcome, error) {
	reply, err := s.scripts.run(ctx, releaseScript, []string{s.keys.Lock}, lock, s.keys.Events, m.Append(nil))
	if err != nil {
		return "", fmt.Errorf("release: %w", err)
	}
	r := replyReader{reply: reply}
	return Outcome(r.text()), r.err
}

// HistoryState is what the history has.
type HistoryState struct {
	Entries int64
	Bytes   int64  // of IDs, and of the names and values of all fields, and one for each
	Newest  string // hash of the newest content; empty: there is none
}

// Trim removes the oldest entries of the history until it has at most that many bytes, and returns
// what it has then. The newest entry always stays. The outcome is OK or Fenced.
func (s *Store) Trim(ctx context.Context, lock string, bytes int) (Outcome, HistoryState, error) {
	reply, err := s.scripts.run(ctx, trimScript, []string{s.keys.Lock, s.keys.History}, lock, bytes)
	if err != nil {
		return "", HistoryState{}, fmt.Errorf("trim the history: %w", err)
	}
	r := replyReader{reply: reply}
	outcome := Outcome(r.text())
	if outcome != OK {
		return outcome, HistoryState{}, r.err
	}
	return outcome, HistoryState{Entries: r.number(), Bytes: r.number(), Newest: r.text()}, r.err
}

// RefreshRequest is a request to the leader to poll now.
type RefreshRequest struct {
	Publish   bool          // false: the leader itself asks
	WebhookID string        // empty: this is not a webhook
	Remember  time.Duration // how long Redis remembers the webhook's ID
}

// RefreshReply is the reply to a [RefreshRequest].
type RefreshReply struct {
	Accepted bool  // false: the webhook's ID was already known
	Seq      int64 // the count of refresh requests; 0: unknown
}

// RequestRefresh counts the request in meta, unless the webhook's ID is known. It tries twice: a
// connection may have died unnoticed. If the first try succeeded after all, the second finds the
// webhook's ID known, and the request counts as accepted.
func (s *Store) RequestRefresh(ctx context.Context, request RefreshRequest) (RefreshReply, error) {
	keys, channel := []string{s.keys.Meta}, ""
	if request.WebhookID != "" {
		keys = append(keys, s.keys.Hook(request.WebhookID))
	}
	if request.Publish {
		channel = s.keys.Events
	}
	message := wire.Message{Type: wire.Refresh}
	if request.WebhookID != "" {
		message.Cause = wire.CauseWebhook
	}
	var err error
	for _, again := range []bool{false, true} {
		var reply []any
		reply, err = refreshScript.Run(ctx, s.client, keys, channel, message.Head(), request.Remember.Milliseconds(), message.Tail()).Slice()
		if err == nil {
			r := replyReader{reply: reply}
			if Outcome(r.text()) != OK {
				return RefreshReply{Accepted: again}, r.err
			}
			return RefreshReply{Accepted: true, Seq: r.number()}, r.err
		}
		if ctx.Err() != nil {
			break
		}
		redisnode.Reload(ctx, s.client)
	}
	return RefreshReply{}, fmt.Errorf("refresh request: %w", err)
}

// revText returns rev as the scripts expect it: 0 is the empty string.
func revText(rev int64) string {
	if rev == 0 {
		return ""
	}
	return strconv.FormatInt(rev, 10)
}
