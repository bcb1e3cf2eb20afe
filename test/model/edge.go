package model

// edgeLag is for how long an edge of the CDN may serve what was replaced, in ms.
const edgeLag = 100_000

// lag lets an edge answer with what was current a while ago, unless this is the second
// look at it. The process must know that it was replaced: of what came and went between two
// polls, or of what only a Redis knew that lost its data, nobody knows here.
func (w *World) lag(p *process, arg int) {
	if w.down || p.term == nil || p.term.suspect != none {
		return
	}
	at := len(w.cdn) - 1 - arg%min(len(w.cdn), 16)
	if at == len(w.cdn)-1 {
		p.answer(w.current())
		return
	}
	from := w.cdn[at].content
	pending := p.term.pending != none && from == p.term.hash
	if (pending || p.known[from] >= w.cdn[at+1].at) && w.now-w.cdn[at+1].at < edgeLag && from != w.current() {
		p.answer(from)
	}
}
