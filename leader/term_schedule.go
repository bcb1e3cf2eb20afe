package leader

import (
	"time"

	"github.com/catbridge/catbridge/internal/wire"
)

const (
	// minFetchGap is the least time between two fetches, however many webhooks arrive.
	minFetchGap = time.Second
	// confirmAfter is the pause before a recently replaced ETag is fetched again.
	confirmAfter = time.Second
	// recentFor is how long a replaced ETag is suspect.
	recentFor = 2 * time.Minute
	// firstRetry is the pause after a failed poll while there is no content.
	firstRetry = 5 * time.Second
)

// recheckPauses are the pauses between further polls after a refresh request for which the CDN
// had nothing new.
var recheckPauses = []time.Duration{2 * time.Second, 3 * time.Second, 5 * time.Second}

// pollPlan schedules the next poll.
type pollPlan struct {
	soon     bool            // poll as soon as minFetchGap allows
	at       time.Time       // the next poll otherwise; zero: now
	rechecks []time.Duration // remaining pauses of recheckPauses
	cause    wire.Cause      // of soon and rechecks; empty: they are not due to a refresh request

	suspect       string // a recently replaced ETag that the CDN has served once
	repairing     bool   // the next poll decides whether a later entry is overwritten
	foundEntry    int64  // the fetch time of that entry
	overwriteUpTo int64  // an entry with other content up to this fetch time may be overwritten
}

func (p *pollPlan) pollSoon() { p.soon = true }

// expectChange plans a poll now, and further polls until the CDN has something new.
func (p *pollPlan) expectChange(cause wire.Cause) {
	p.soon, p.rechecks, p.cause = true, recheckPauses, cause
}

// planRecheck plans the next of the further polls of expectChange.
func (p *pollPlan) planRecheck() {
	if len(p.rechecks) == 0 {
		p.settle()
		return
	}
	if at := time.Now().Add(p.rechecks[0]); at.Before(p.at) {
		p.at = at
	}
	p.rechecks = p.rechecks[1:]
}

// settle ends the further polls of expectChange.
func (p *pollPlan) settle() {
	p.rechecks = nil
	if !p.soon {
		p.cause = ""
	}
}

const never = 24 * time.Hour

// nextPoll returns the time until the next fetch; never while a fetch runs.
func (t *term) nextPoll() time.Duration {
	if t.fetch.running {
		return never
	}
	at := t.polls.at
	if t.polls.soon {
		at = time.Time{}
	}
	if gap := t.elector.lastFetch.Add(minFetchGap); at.Before(gap) {
		at = gap
	}
	if at.Before(t.elector.notBefore) {
		at = t.elector.notBefore
	}
	return max(time.Until(at), 0)
}

// onRefreshCount plans a poll if there is a new refresh request. It receives each count
// twice, from the message and from the next renewal.
func (t *term) onRefreshCount(seq int64) {
	if seq > t.refreshSeen {
		t.elector.stats.update(func(s *KeyStats) { s.Refreshes++ })
		cause := wire.CauseRefresh
		if hook := t.elector.hookSeq.Load(); hook > t.refreshSeen && hook <= seq {
			cause = wire.CauseWebhook
		}
		t.refreshSeen = seq
		t.polls.expectChange(cause)
	}
}
