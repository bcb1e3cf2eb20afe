package model

import "slices"

// maxPatches is smaller than in the product, so that followers come back too late.
const maxPatches = 3

func (t *term) currentPatches() []step {
	if n := len(t.patches); n == 0 || t.patches[n-1].to != t.hash {
		return nil
	}
	return t.patches
}

func (p *process) currentPatches() []step { return p.term.currentPatches() }

func (p *process) nextPatches(c content) []step {
	t := p.term
	switch {
	case c == t.hash:
		return t.currentPatches()
	case !p.sys.patched(c) || t.hash == none || t.patch.from != t.hash || t.patch.to != c:
		return nil
	}
	all := append(slices.Clone(t.currentPatches()), t.patch)
	return all[max(0, len(all)-maxPatches):]
}

// loadPatches is the function of the same name. Here it does not wait for Redis.
func (p *process) loadPatches() {
	t := p.term
	if t.content == none || p.sys.inline(t.content) {
		return
	}
	t.patches = p.sys.servers[p.side].patches
}
