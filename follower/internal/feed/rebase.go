package feed

import "time"

const (
	// rebaseItems and rebaseSpan are how many messages or reads the rule requires, and over
	// which time.
	rebaseItems = 3
	rebaseSpan  = 30 * time.Second
	// rebaseUnderWay: an answer that is reported within this time of the first item may have
	// been requested before it. A leader that takes longer to report has lost its lock.
	rebaseUnderWay = 20 * time.Second
)

// assertion is what a message or a read of meta says about which content is current.
type assertion struct {
	epoch, rev, cdn int64
	hash            string
}

// rebase collects evidence for the rebase rule, which docs/glossary.md defines: that Redis lost
// its data and its clock went back, so that the current content has a lower rev. A single old
// message or a leader that was cut off must not suffice.
type rebase struct {
	epoch    int64
	items    int
	first    time.Time
	last     time.Time
	cdn      int64 // the last CDN answer that may have been requested before the first item
	answered bool  // an item reported a later one
}

// add adds one item. rev and hash are those of the follower's content.
func (r *rebase) add(a assertion, rev int64, hash string, at time.Time) {
	switch {
	case a.rev == 0:
		return // the leader has no content
	case a.rev >= rev:
		*r = rebase{}
		return
	case r.items > 0 && a.epoch != r.epoch:
		*r = rebase{}
	}
	if a.hash == hash || a.epoch == 0 {
		return
	}
	if r.items == 0 || a.cdn < r.cdn { // lower: the clock was set back again
		*r = rebase{epoch: a.epoch, first: at}
	}
	r.items++
	r.last = at
	if at.Sub(r.first) < rebaseUnderWay {
		r.cdn = a.cdn
	}
	r.answered = r.answered || a.cdn > r.cdn
}

// due reports whether a read may lower the rev now.
func (r *rebase) due() bool {
	return r.items >= rebaseItems && r.last.Sub(r.first) >= rebaseSpan && r.answered
}
