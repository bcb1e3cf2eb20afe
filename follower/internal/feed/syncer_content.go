package feed

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/follower/internal/eventid"
	"github.com/catbridge/catbridge/follower/internal/snapshot"
	"github.com/catbridge/catbridge/internal/eventlog"
	"github.com/catbridge/catbridge/internal/wire"
)

var (
	errNoContent = errors.New("no content")
	errMismatch  = errors.New("its hash is not the one in meta")
	errAhead     = errors.New("its rev is above meta's")
	errNoConfig  = errors.New("not a valid config")
)

// fromBlob returns nil if the blob is not newer.
func (s *syncer) fromBlob(r reading, lower bool) (*snapshot.Snapshot, error) {
	err := r.blobErr
	switch {
	case err != nil:
	case r.blob.Rev == 0:
		return nil, errNoContent
	case r.blob.Rev > r.meta.Rev:
		err = errAhead
	case r.blob.Hash != r.meta.Hash:
		err = errMismatch
	}
	if err != nil {
		s.inc(&s.n.RefusedBlobs)
		s.onRefused("The blob in Redis was rejected.", err)
		return nil, err
	}
	return s.prepare(snapshot.Candidate{
		Rev: r.meta.Rev, Hash: r.meta.Hash, ETag: r.meta.ETag, Source: snapshot.SourceBlob, Stored: r.blob, JSON: r.blob.JSON,
	}, lower)
}

// fromEntry makes a snapshot of the official entry; nil if the entry is not newer or not
// usable, or if a control is in force, see [statedControl]. metaRev is meta's rev: an entry with that
// fetch time was written by a leader. If the read failed, fromEntry sets the alarm named again and
// returns an error.
func (s *syncer) fromEntry(ctx context.Context, from node, metaRev int64, again *alarm) (*snapshot.Snapshot, error) {
	if s.inForce(s.control.seq) != 0 {
		return nil, nil
	}
	s.inc(&s.n.EntryReads)
	r, err := s.store.readEntry(s.readContext(ctx), from)
	if err != nil {
		return nil, s.readFailed(ctx, err, again)
	}
	s.entryRead = r.received
	s.observeControl(assertion{epoch: r.meta.Epoch, rev: r.meta.Rev}, r.meta.Control, r.received, r.primary && r.locked)
	if r.entry == nil || s.inForce(max(r.meta.Control, s.control.seq)) != 0 { // a control may have begun since the last read
		return nil, nil
	}
	entry, err := cachekeys.ParseEntry(r.entry)
	if err != nil {
		s.inc(&s.n.RefusedEntries)
		s.onRefused("The official entry in Redis was rejected.", err)
		return nil, nil
	}
	hash := wire.ContentHash(entry.JSON)
	if entry.FetchTime != metaRev && entry.FetchTime != r.meta.Rev {
		s.byLeader = s.byLeader || r.byLeader || r.metaErr != nil || s.status.Load().Epoch != 0
		s.outrun = s.note(item{
			assertion: assertion{epoch: 1, rev: entry.FetchTime, cdn: entry.FetchTime, hash: hash}, at: s.entryRead, entry: true, counts: true,
			alone: !s.byLeader, unnamed: metaRev == 0 || r.meta.Rev == 0,
		}) || s.outrun
	}
	next, _ := s.prepare(snapshot.Candidate{
		Rev: entry.FetchTime, Hash: hash, ETag: entry.ETag, Source: snapshot.SourceEntry,
		Stored: wire.Blob{Codec: wire.Raw, Payload: entry.JSON},
		JSON:   func() ([]byte, error) { return entry.JSON, nil },
	}, false)
	return next, nil
}

// prepare makes a snapshot of a candidate that is newer than the content in force, or, if lower
// is set, of any other content. Otherwise it returns nil. A rejected candidate is an error, and
// changes nothing.
func (s *syncer) prepare(c snapshot.Candidate, lower bool) (*snapshot.Snapshot, error) {
	held := s.current.Load()
	rev, hash := held.RevAndHash()
	switch {
	case held != nil && c.Hash == hash:
		if c.Rev > rev || c.Rev == rev && held.Source == snapshot.SourceFile {
			return held.At(c.Rev, c.ETag), nil
		}
		return nil, nil
	case held != nil && c.Rev == rev:
		s.onAnomaly(c.Rev, c.Hash)
		return nil, nil
	case held != nil && c.Rev < rev && !lower:
		return nil, nil
	case s.noConfig.has(c.Hash):
		return nil, errNoConfig
	}
	next, err := snapshot.Compile(c, held)
	if invalid, ok := errors.AsType[*snapshot.InvalidConfigError](err); ok {
		s.inc(&s.n.RefusedConfigs)
		s.noConfig.add(c.Hash)
		s.log.Error(eventid.RefusedConfig, "The config in Redis is invalid; the config in force stays.",
			slog.String("source", string(c.Source)), slog.Int64("rev", c.Rev), slog.String("hash", c.Hash), eventlog.Err(invalid.Err))
		return nil, invalid.Err
	}
	if err != nil {
		switch {
		case c.Stored.Codec == wire.Patch:
			s.inc(&s.n.RefusedPatches)
		case c.Source == snapshot.SourceMessage:
			s.inc(&s.n.BadMessages)
		default:
			s.inc(&s.n.RefusedBlobs)
		}
		s.onRefused("A config was rejected: its content does not match its hash.", err)
		return nil, err
	}
	return next, nil
}

// apply puts a snapshot in force, unless it is nil.
func (s *syncer) apply(next *snapshot.Snapshot) {
	if next == nil {
		return
	}
	held, announced := s.current.Load(), s.want.since
	s.publish(next, held != nil && next.Rev < held.Rev)
	if s.want.rev <= next.Rev {
		s.want = want{}
	}
	if held != nil && held.Hash == next.Hash {
		return
	}
	s.inc(&s.n.Applied)
	if !announced.IsZero() {
		s.add(&s.n.ApplyTimes, time.Since(announced))
	}
	s.noteLag(held, next)
	select {
	case s.changed <- struct{}{}:
	default:
	}
	s.log.Debug(eventid.Applied, "A config was put in force.", slog.Int64("rev", next.Rev),
		slog.String("hash", next.Hash), slog.String("source", string(next.Source)))
}

// noteLag records how long a change took from the leader's request to the CDN, whose time is
// the rev.
func (s *syncer) noteLag(held, next *snapshot.Snapshot) {
	lag := time.Duration(0)
	controlled := s.control.seq != s.appliedSeq // the operator caused the change, not an answer of the CDN
	s.appliedSeq = s.control.seq
	if !controlled && held != nil && held.Source != snapshot.SourceFile && next.Source != snapshot.SourceEntry && s.fresh.cdn != 0 {
		since := time.Duration(s.fresh.cdn-next.Rev) * time.Millisecond
		lag = max(time.Since(s.fresh.answered)+since, time.Millisecond).Truncate(time.Millisecond)
		s.add(&s.n.PublishToApply, lag)
	}
	s.lag.Store(int64(lag))
}

// move adopts a higher rev for the content in force.
func (s *syncer) move(rev int64, etag string) { s.apply(s.current.Load().At(rev, etag)) }

// refusal is a rejection that was logged.
type refusal struct {
	why string
	at  time.Time
}

// refusalPause is the least time between two events of one kind: what others write to Redis may
// be wrong in a different way each time.
const refusalPause = time.Minute

// onRefused logs a rejection if the last one of its kind, which is the text, had another reason
// and was a while ago.
func (s *syncer) onRefused(text string, err error) {
	last, known := s.refusals[text]
	if known && (last.why == err.Error() || time.Since(last.at) < refusalPause) {
		return
	}
	if s.refusals == nil {
		s.refusals = map[string]refusal{}
	}
	s.refusals[text] = refusal{err.Error(), time.Now()}
	s.log.Warn(eventid.RefusedContent, text, eventlog.Err(err))
}

// onAnomaly records that Redis names other content at the rev in force. No leader writes that.
func (s *syncer) onAnomaly(rev int64, hash string) {
	s.inc(&s.n.Anomalies)
	if s.anomaly == hash {
		return
	}
	s.anomaly = hash
	s.log.Warn(eventid.Anomaly, "Redis names another config with the same rev; the config in force stays.",
		slog.Int64("rev", rev), slog.String("hash", hash))
}

// noConfigs contains hashes of content that is not a valid config. Such content is not read
// or logged repeatedly.
type noConfigs map[string]struct{}

func (n noConfigs) has(hash string) bool {
	_, ok := n[hash]
	return ok
}

func (n *noConfigs) add(hash string) {
	const most = 16
	if *n == nil || len(*n) >= most {
		*n = make(noConfigs, most)
	}
	(*n)[hash] = struct{}{}
}
