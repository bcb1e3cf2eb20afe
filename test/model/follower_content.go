package model

// fromBlob is the function of the same name. It returns false if the blob is missing or
// refused.
func (f *reader) fromBlob(b blob, m meta, lower bool) (held, bool) {
	if b.rev == 0 || b.rev > m.rev {
		return held{}, false
	}
	hash := m.hash
	if b.hash != m.hash {
		if !f.sys.without.has(MetaNamesContent) {
			return held{}, false
		}
		hash = b.hash
	}
	return f.prepare(m.rev, hash, b.body, lower)
}

// fromEntry is the function of the same name. It returns false if the read failed.
func (f *reader) fromEntry(metaRev int64) (held, bool) {
	s := f.redis()
	if s == nil {
		return held{}, false
	}
	e := s.entry
	if e.rev == 0 {
		return held{}, true
	}
	if e.rev != metaRev && e.body != garbage {
		if s.meta.epoch == 0 && s.lock.owner == 0 && s.blob.rev == 0 && f.sys.revs[e.rev] == e.body && !f.own.led {
			f.own.unsure = true // the entry is all that is left of a leader
		}
		f.own.led = f.own.led || s.meta.epoch != 0 || s.lock.owner != 0 || s.blob.rev != 0 && !f.sys.without.has(BlobIsALeaders)
		f.sawEntry(e, s.meta.rev == 0 && !f.sys.without.has(LostMetaProvesNothing))
	}
	next, _ := f.prepare(e.rev, e.body, e.body, false)
	return next, true
}

func (f *reader) prepare(rev int64, hash, body content, lower bool) (held, bool) {
	switch {
	case f.held.rev != 0 && hash == f.held.hash:
		if rev > f.held.rev {
			return held{rev, hash, f.held.body}, true
		}
		return held{}, true
	case f.held.rev != 0 && rev == f.held.rev:
		return held{}, true
	case f.held.rev != 0 && rev < f.held.rev && !lower && !f.sys.without.has(NeverLower):
		return held{}, true
	}
	if body != hash && !f.sys.without.has(HashChecked) || body == garbage {
		return held{}, false
	}
	return held{rev, hash, body}, true
}

func (f *reader) apply(next held) { f.apply2(next, false) }

func (f *reader) apply2(next held, lower bool) {
	if next.rev != 0 {
		f.put(next, lower)
	}
}

// put puts content in force and lets the oracle check it.
func (f *reader) put(next held, lower bool) {
	f.sys.onPut(f, next, lower)
	f.held = next
	f.offer(next)
	if f.want.rev <= next.rev {
		f.want.rev = 0
	}
}
