package model

// rebase is the struct of the same name in rebase.go of package follower.
type rebase struct {
	epoch, firstCDN, first, last int64
	items                        int
	answered                     bool
}

func (r *rebase) add(epoch, rev, cdn int64, hash content, heldRev int64, held content, at int64, without Guard) {
	switch {
	case rev == 0:
		return
	case rev >= heldRev:
		*r = rebase{}
		return
	case r.items > 0 && epoch != r.epoch:
		*r = rebase{}
	}
	if hash == held || epoch == 0 {
		return
	}
	if r.items == 0 || cdn < r.firstCDN && !without.has(RebaseClock) {
		*r = rebase{epoch: epoch, first: at, firstCDN: cdn}
	}
	r.items++
	r.last = at
	if at-r.first < rebaseInFlight && !without.has(RebaseInFlight) {
		r.firstCDN = cdn
	}
	r.answered = r.answered || cdn > r.firstCDN
}

func (r *rebase) due(without Guard) bool {
	if without.has(Rebase) {
		return false
	}
	return (r.items >= rebaseItems || r.items > 0 && without.has(RebaseItems)) &&
		(r.last-r.first >= rebaseSpan || without.has(RebaseSpan)) && (r.answered || without.has(RebaseAnswer))
}
