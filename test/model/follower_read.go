package model

func (f *reader) readHead() {
	asked, primary := f.sys.now, !f.replica
	s := f.redis()
	if s == nil {
		return
	}
	m, locked := s.meta, s.lock.owner != 0
	f.onHead(m, asked, primary)
	switch {
	case m.rev > f.held.rev && m.hash == f.held.hash:
		f.put(held{m.rev, f.held.hash, f.held.body}, false)
	case m.rev > f.held.rev && f.held.rev != 0 && f.sys.spread:
		f.content = true
		return
	case m.rev > f.held.rev && f.sys.patched(m.hash):
		f.readNewer()
		return
	case m.rev > f.held.rev:
		f.readAll()
		return
	case m.rev != 0 && m.rev == f.held.rev && m.hash != f.held.hash:
	case f.rebase.due(f.sys.without):
		f.content = true
	}
	f.confirm()
	if !locked {
		next, ok := f.fromEntry(m.rev)
		if !ok {
			return
		}
		f.apply(next)
		f.confirm()
	}
}

func (f *reader) readAll() {
	f.content, f.whole = false, false
	if f.rebase.due(f.sys.without) || f.want.tries >= primaryAfter {
		f.replica = false
	}
	asked, primary := f.sys.now, !f.replica
	var b blob
	var m meta
	locked := false
	for range readsAtOnce {
		s := f.redis()
		if s == nil {
			return
		}
		b = s.blob
		if s = f.redis(); s == nil {
			return
		}
		m, locked = s.meta, s.lock.owner != 0
		if b.rev == 0 || b.rev > m.rev || b.hash == m.hash {
			break
		}
	}
	f.onHead(m, asked, primary)
	lower := f.rebase.due(f.sys.without) && m.rev != 0 && m.rev < f.held.rev && m.hash != f.held.hash
	next, good := f.fromBlob(b, m, lower)
	if !good || !locked {
		other, ok := f.fromEntry(m.rev)
		if !ok {
			return
		}
		if other.rev != 0 && (next.rev == 0 || other.rev > next.rev) {
			next, lower = other, false
		}
	}
	if lower && next.rev != 0 {
		f.rebases++
		f.rebase = rebase{}
		f.want.rev = 0
		f.fresh.epoch, f.fresh.cdn, f.fresh.seen, f.fresh.hash = m.epoch, m.cdn, asked, m.hash
	}
	f.apply2(next, lower)
	f.confirm()
	f.onStaleRead(m)
}

func (f *reader) onStaleRead(m meta) {
	if f.want.rev == 0 {
		return
	}
	f.want.tries++
	if f.want.tries < lagTries {
		f.content = true
	}
}

func (f *reader) onHead(m meta, asked int64, primary bool) {
	f.named(m, 0, primary)
	f.observe(m.epoch, m.rev, m.cdn, m.hash, asked, f.sys.now, primary)
}
