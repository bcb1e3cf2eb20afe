package follower

import "time"

const (
	// rebaseItems and rebaseSpan are what rule 6 asks for: this many messages or reads
	// over this long.
	rebaseItems = 3
	rebaseSpan  = 30 * time.Second
	// rebaseUnderWay is for how long after the first item an answer of the CDN may have been
	// asked for before it: a leader that takes longer to tell it has lost its lock.
	rebaseUnderWay = 20 * time.Second
)

// assertion is what one message or one read of meta says about which content is current.
type assertion struct {
	epoch, rev, cdn int64
	hash            string
}

// rebase collects the evidence of rule 6: that Redis lost its data, that the clock
// behind the new revs is behind the old ones, and that therefore a lower rev is the
// current one. One old message must not suffice, nor a leader that was cut off: it
// takes several items of one epoch, over a while, and an answer from the CDN that was
// asked for within that while.
type rebase struct {
	epoch    int64
	items    int
	first    time.Time
	last     time.Time
	cdn      int64 // the last answer from the CDN that may have been asked for before the first item
	answered bool  // an item told a later one
}

// add takes in one item. rev and hash are what the follower holds.
func (r *rebase) add(a assertion, rev int64, hash string, at time.Time) {
	switch {
	case a.rev == 0:
		return // a leader without content says nothing about any
	case a.rev >= rev:
		*r = rebase{}
		return
	case r.items > 0 && a.epoch != r.epoch:
		*r = rebase{}
	}
	if a.hash == hash || a.epoch == 0 {
		return
	}
	if r.items == 0 || a.cdn < r.cdn { // lower: the clock was set back once more
		*r = rebase{epoch: a.epoch, first: at}
	}
	r.items++
	r.last = at
	if at.Sub(r.first) < rebaseUnderWay {
		r.cdn = a.cdn
	}
	r.answered = r.answered || a.cdn > r.cdn
}

// due tells whether a read may lower the rev now.
func (r *rebase) due() bool {
	return r.items >= rebaseItems && r.last.Sub(r.first) >= rebaseSpan && r.answered
}
