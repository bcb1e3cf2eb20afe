package model

// takePatch is the function of the same name.
func (f *reader) takePatch(m message) bool {
	if m.base == none || m.inline || f.held.rev == 0 || f.held.hash != m.base && !f.sys.without.has(PatchBase) {
		return false
	}
	next, ok := f.fromPatches([]step{{m.base, m.hash, m.body}}, m.rev, m.hash)
	if !ok || next.rev == 0 {
		return false
	}
	f.put(next, false)
	return true
}

// fromPatches is the function of the same name. A patch of other content than its base makes
// that content again, unless the guard PatchResult notices.
func (f *reader) fromPatches(steps []step, rev int64, hash content) (held, bool) {
	body := f.held.body
	for _, s := range steps {
		made := s.makes
		if s.from != body {
			made = body
		}
		if made != s.to && !f.sys.without.has(PatchResult) {
			return held{}, false
		}
		body = made
	}
	if f.sys.without.has(PatchResult) && body > none {
		if rev <= f.held.rev || hash == f.held.hash {
			return held{}, true
		}
		return held{rev, hash, body}, true
	}
	return f.prepare(rev, hash, body, false)
}

func (f *reader) mayPatch() bool {
	return f.held.rev != 0 && !(f.stated && !f.stored) && !f.whole && !f.rebase.due(f.sys.without)
}

func (f *reader) readNewer() {
	if !f.mayPatch() {
		f.readAll()
		return
	}
	f.content = false
	if f.readPatches() {
		return
	}
	if f.sys.spread {
		f.content, f.whole = true, true
		return
	}
	f.readAll()
}

// readPatches is the function of the same name. It reports whether reading the blob would bring
// nothing more.
func (f *reader) readPatches() bool {
	if f.want.tries >= primaryAfter {
		f.replica = false
	}
	asked, primary := f.sys.now, !f.replica
	s := f.redis()
	if s == nil {
		return true
	}
	steps := s.patches
	if s = f.redis(); s == nil {
		return true
	}
	m, locked := s.meta, s.lock.owner != 0
	f.onHead(m, asked, primary)
	switch {
	case f.rebase.due(f.sys.without), !locked, m.rev == 0:
		return false
	case m.rev > f.held.rev && m.hash == f.held.hash:
		f.put(held{m.rev, f.held.hash, f.held.body}, false)
	case m.rev > f.held.rev:
		chain := f.chain(steps, m.hash)
		if chain == nil {
			return false
		}
		next, ok := f.fromPatches(chain, m.rev, m.hash)
		if !ok || next.rev == 0 {
			return false
		}
		f.put(next, false)
	}
	f.confirm()
	f.onStaleRead(m)
	return true
}

func (f *reader) chain(steps []step, to content) []step {
	n := len(steps)
	if n == 0 || steps[n-1].to != to && !f.sys.without.has(PatchBase) {
		return nil
	}
	for i := n - 1; i >= 0; i-- {
		if steps[i].from == f.held.hash || f.sys.without.has(PatchBase) {
			return steps[i:]
		}
		if i > 0 && steps[i-1].to != steps[i].from {
			return nil
		}
	}
	return nil
}
