package leader

import (
	"context"
	"log/slog"
	"strings"
	"sync"

	"github.com/catbridge/catbridge/internal/patch"
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

// backTo is how to make the content with the hash to of the content that replaced it. It is immutable.
type backTo struct {
	to   string
	data []byte // see [wire.Back], in its stored form
}

// keepsHistory reports whether the leader adds changes to the history: unless the history is turned
// off, or the user of Redis lacks a right that it needs.
func (e *elector) keepsHistory() bool {
	cfg := &e.leader.cfg
	return cfg.HistoryEntries > 0 && cfg.HistoryBytes > 0 && !e.noHistory.Load()
}

// startBack starts to make what leads back from json to base, and returns a function that waits
// for it, at most until ctx is done. That function returns nil if there is no base. running counts the
// goroutine.
func (e *elector) startBack(ctx context.Context, base *content, json []byte, running *sync.WaitGroup) func() *backTo {
	if base == nil || !e.keepsHistory() {
		return func() *backTo { return nil }
	}
	made := make(chan []byte, 1)
	running.Go(func() {
		defer e.leader.crash.guard()
		made <- e.patchBack(ctx, base, json)
	})
	return func() *backTo {
		var p []byte
		select {
		case p = <-made:
		case <-ctx.Done(): // it ends soon, or has ended in time, since checks may take longer
			select {
			case p = <-made:
			default:
			}
		}
		return e.backTo(base, p)
	}
}

// maxBack returns the greatest size of what leads back.
func (e *elector) maxBack() int { return max(0, e.leader.cfg.HistoryBytes-historyFactsBytes) }

// patchBack makes a patch from json to base. It returns nil if base itself is smaller, if the patch
// does not fit into the history, or when ctx is done.
func (e *elector) patchBack(ctx context.Context, base *content, json []byte) []byte {
	return patch.Make(ctx, json, base.JSON, min(e.maxBack(), len(base.Payload)))
}

// backTo returns what leads back to base: the patch p, or base itself if p is nil.
func (e *elector) backTo(base *content, p []byte) *backTo {
	back := wire.Back{Codec: wire.Patch, Payload: p}
	if p == nil {
		back = wire.Back{Codec: base.Codec, Payload: base.Payload}
	}
	if len(back.Payload) > e.maxBack() {
		back = wire.Back{TooLarge: true}
	}
	return &backTo{to: base.Hash, data: back.Append(nil)}
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

// taken returns c, which may be nil, as content that an official SDK's entry had.
func taken(c *content) *content {
	if c != nil {
		c.cause = wire.CauseSDK
	}
	return c
}

// record returns what the commit of c adds to the history.
func (t *term) record(ctx context.Context, c *content) script.Record {
	e := t.elector
	if !e.keepsHistory() {
		return script.Record{}
	}
	r := script.Record{Entries: e.leader.cfg.HistoryEntries, Cause: c.cause}
	if r.Cause == "" {
		r.Cause = wire.CauseFirst // the content of a former term, which the history lost
	}
	back := c.back
	if c.Hash != t.hash && t.content != nil && t.content.Hash == t.hash && (back == nil || back.to != t.hash) {
		// c was fetched while other content was current.
		ctx, cancel := context.WithTimeout(ctx, patchBudget)
		defer cancel()
		back = e.backTo(t.content, e.patchBack(ctx, t.content, c.JSON))
	}
	if back != nil {
		r.Back, r.BackTo = back.data, back.to
	}
	return r
}

// recorded handles what became of the history's entry, and trims the history if it has a new one.
// The history is never a reason to end the term, except that the lock was lost.
func (t *term) recorded(ctx context.Context, changed bool, failure string) error {
	e := t.elector
	if failure == "" && (!changed || !e.keepsHistory()) {
		return nil
	}
	var size script.HistorySize
	if failure == "" {
		ctx, cancel := t.withDeadline(ctx, e.timings.RenewInterval)
		defer cancel()
		outcome, now, err := e.store.Trim(ctx, t.lock, e.leader.cfg.HistoryBytes)
		switch {
		case err != nil:
			failure = err.Error()
		case outcome == script.Fenced:
			return errFenced
		}
		size = now
	}
	var before string
	e.stats.update(func(s *KeyStats) {
		before = s.HistoryError
		switch {
		case failure == "":
			s.HistoryError, s.HistoryEntries, s.HistoryBytes = "", size.Entries, size.Bytes
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
