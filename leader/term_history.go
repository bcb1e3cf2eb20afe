package leader

import (
	"context"
	"log/slog"
	"strings"

	"github.com/catbridge/catbridge/internal/wire"
	"github.com/catbridge/catbridge/leader/internal/script"
)

// The defaults of the history's bounds.
const (
	defaultHistoryEntries = 100
	defaultHistoryBytes   = 256 << 10
)

// historyFactsBytes is more than an entry of the history needs for everything but the content before.
const historyFactsBytes = 1 << 10

// keepsHistory reports whether the leader adds changes to the history: unless the history is turned
// off, or the user of Redis lacks a right that it needs.
func (e *elector) keepsHistory() bool {
	cfg := &e.leader.cfg
	return cfg.HistoryEntries > 0 && cfg.HistoryBytes > 0 && !e.noHistory.Load()
}

// maxBack returns the greatest size of what leads back.
func (e *elector) maxBack() int { return max(0, e.leader.cfg.HistoryBytes-historyFactsBytes) }

// backTo returns what leads back to base, in its stored form: the patch p, or base itself if p is nil.
func (e *elector) backTo(base *content, p []byte) []byte {
	back := wire.Back{Codec: wire.Patch, Payload: p}
	if p == nil {
		back = wire.Back{Codec: base.Codec, Payload: base.Payload}
	}
	if len(back.Payload) > e.maxBack() {
		back = wire.Back{TooLarge: true}
	}
	return back.Append(nil)
}

// pollCause returns why the next poll takes place.
func (t *term) pollCause() wire.Cause {
	switch {
	case t.rev == 0 && t.elector.highest == 0:
		return wire.CauseFirst
	case t.polls.cause != "":
		return t.polls.cause
	}
	return wire.CausePoll
}

// takenOver returns c, which may be nil, as the content of an entry with that fetch time. written is the
// highest rev that a leader is known to have written; 0: none. An entry is an official SDK's only
// if it is later: leaders write entries, too.
func (t *term) takenOver(c *content, fetched, written int64) *content {
	if c != nil && written != 0 && fetched > written && c.Hash != t.hash && c.Hash != t.elector.currentHash {
		c.cause = wire.CauseSDK
	}
	return c
}

// record returns what the commit of c adds to the history.
func (t *term) record(c *content) script.Record {
	e := t.elector
	if !e.keepsHistory() {
		return script.Record{}
	}
	r := script.Record{Entries: e.leader.cfg.HistoryEntries, Cause: c.cause}
	if c.Hash != t.hash && t.controlCause != "" && t.sameSource(c) {
		r.Cause = t.controlCause // the CDN serves what it served
	}
	if c.change != nil {
		r.Back, r.BackTo, r.BackSize = c.change.back, c.change.from, c.change.size
	}
	return r
}

// notRecorded is the failure if Redis refused an entry, but the reply that says why was lost.
const notRecorded = "the newest entry is not the config that was published"

// recorded handles what became of the history's entry for c, and trims the history if it has a new one.
// failure is Redis's error; empty: there was none, or the reply was lost.
// The history is never a reason to end the term, except that the lock was lost.
func (t *term) recorded(ctx context.Context, c *content, changed bool, failure string) error {
	e := t.elector
	if failure == "" && (!changed || !e.keepsHistory()) {
		return nil
	}
	var state script.HistoryState
	if failure == "" {
		ctx, cancel := t.withDeadline(ctx, e.timings.RenewInterval)
		defer cancel()
		outcome, now, err := e.store.Trim(ctx, t.lock, e.leader.cfg.HistoryBytes)
		switch {
		case err != nil:
			failure = err.Error()
		case outcome == script.Fenced:
			return errFenced
		case now.Newest != c.Hash:
			failure = notRecorded
		}
		state = now
	}
	var before string
	e.stats.update(func(s *KeyStats) {
		before = s.HistoryError
		switch {
		case failure == "":
			s.HistoryError, s.HistoryEntries, s.HistoryBytes = "", state.Entries, state.Bytes
		case e.noHistory.Load(): // a check of rights, which ran meanwhile, said which are missing
			s.HistoryErrors++
		default:
			s.HistoryError = failure
			s.HistoryErrors++
		}
	})
	switch {
	case failure != "" && before == "":
		e.log().Warn(eventHistory, "The history could not be extended; the config was published.", slog.String("error", failure))
		signal(e.recheck)
	case failure == "" && before != "":
		e.log().Info(eventHistoryBack, "The history is extended again.")
	}
	return nil
}

// reportHistoryRights records the rights that the history needs and the Redis user lacks.
func (e *elector) reportHistoryRights(missing []string) {
	denied := len(missing) > 0 && e.leader.cfg.HistoryEntries > 0 && e.leader.cfg.HistoryBytes > 0
	if e.noHistory.Swap(denied) == denied {
		return
	}
	if !denied {
		e.stats.update(func(s *KeyStats) { s.HistoryError = "" })
		e.log().Info(eventHistoryBack, "The user of Redis has all rights for the history now.")
		return
	}
	rules := strings.Join(missing, " ")
	e.stats.update(func(s *KeyStats) { s.HistoryError = "the user of Redis lacks rights: " + rules })
	e.log().Warn(eventHistory, "The leader leads without a history: the user of Redis lacks rights; grant them by ACL SETUSER.",
		slog.String("rules", rules))
}
