package model

func (f *reader) observe(epoch, rev, cdn int64, hash content, asked, received int64, primary bool) {
	f.rebase.add(epoch, rev, cdn, hash, f.held.rev, f.held.hash, received, f.sys.without)
	if f.answer(epoch, cdn, asked, received, primary) {
		f.fresh.hash = hash
	}
}

// answer is freshness.observe with a useless local clock.
func (f *reader) answer(epoch, cdn, asked, received int64, primary bool) bool {
	if cdn == 0 {
		return false
	}
	r := &f.fresh
	switch {
	case r.cdn == 0:
		r.answered = received - recentFor // unknown: some time ago
	case epoch < r.epoch && !primary:
		return false
	case epoch < r.epoch, epoch > r.epoch && cdn < r.cdn:
	case cdn > r.cdn:
		r.answered = r.seen // some time after that
	case cdn < r.cdn:
		return false
	}
	r.epoch, r.cdn, r.seen = epoch, cdn, asked
	return true
}

func (f *reader) confirm() {
	if f.own.outrun {
		f.offerAgain()
	}
	if f.held.rev == 0 || f.fresh.cdn == 0 || f.held.hash != f.fresh.hash && !f.sys.without.has(AnswerIsAboutHeld) {
		return
	}
	f.confirmed.hash, f.confirmed.at = f.held.hash, f.fresh.answered
	f.sys.onConfirmed(f)
}
