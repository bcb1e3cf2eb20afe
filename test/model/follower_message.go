package model

func (f *reader) onMessage(m message) {
	if m.rev == 0 {
		return
	}
	f.stated, f.stored = true, m.stored
	f.named(meta{epoch: m.epoch, rev: m.rev, cdn: m.cdn, hash: m.hash}, m.now, true)
	f.observe(m.epoch, m.rev, m.cdn, m.hash, f.sys.now, f.sys.now, false)
	switch {
	case m.rev > f.held.rev && m.hash == f.held.hash:
		f.put(held{m.rev, f.held.hash, f.held.body}, false)
	case m.rev > f.held.rev:
		f.onAnnounced(m)
	case m.rev < f.held.rev && f.sys.without.has(NeverLower):
		f.onAnnounced(m)
	case m.rev == f.held.rev && m.hash != f.held.hash:
	case f.rebase.due(f.sys.without):
		f.content = true
	}
	f.confirm()
}

func (f *reader) onAnnounced(m message) {
	if m.inline {
		if next, ok := f.prepare(m.rev, m.hash, m.body, false); ok && next.rev != 0 {
			f.put(next, false)
			return
		}
	}
	if f.takePatch(m) {
		return
	}
	if f.want.hash != m.hash {
		f.want.rev, f.want.hash, f.want.tries = m.rev, m.hash, 0
	}
	f.want.rev = max(f.want.rev, m.rev)
	if !f.content && f.want.tries < lagTries {
		f.content = true
	}
}
