package leader

import "time"

const (
	// minFetchGap keeps fetches apart, however many webhooks arrive.
	minFetchGap = time.Second
	// confirmAfter is the pause before an ETag that was replaced a moment ago is
	// fetched again: edges of the CDN may lag behind each other.
	confirmAfter = time.Second
	// recentFor is how long a replaced ETag is doubted.
	recentFor = 2 * time.Minute
	// firstRetry is the pause after a failed poll while there is no content at all.
	firstRetry = 5 * time.Second
)

// lateAfter are the pauses after which the CDN is asked again where a refresh was asked
// for and it had nothing new: an edge may not have yet what the dashboard has.
var lateAfter = []time.Duration{2 * time.Second, 3 * time.Second, 5 * time.Second}

// pollPlan says when to poll next.
type pollPlan struct {
	asked     bool      // poll as soon as the gap allows
	at        time.Time // the next poll otherwise; zero: now
	suspect   string    // an ETag that was replaced a moment ago and that the CDN served again
	repairing bool      // the CDN is asked before a later entry of somebody else is written over
	seen      int64     // the fetch time of that entry
	over      int64     // an entry of somebody else up to that fetch time may be written over

	late []time.Duration // pauses that are left until what was asked for is given up
}

func (p *pollPlan) ask() { p.asked = true }

// await polls now, and again a few times until there is something new.
func (p *pollPlan) await() {
	p.asked, p.late = true, lateAfter
}

// again plans the next of the polls that await wants.
func (p *pollPlan) again() {
	if len(p.late) == 0 {
		return
	}
	if at := time.Now().Add(p.late[0]); at.Before(p.at) {
		p.at = at
	}
	p.late = p.late[1:]
}

const never = 24 * time.Hour

// nextPoll tells in how long to start a fetch. While one runs there is no next.
func (t *term) nextPoll() time.Duration {
	if t.fetch.running {
		return never
	}
	at := t.polls.at
	if t.polls.asked {
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
