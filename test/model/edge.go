package model

// edgeLag is for how long an edge of the CDN may serve what was replaced, in ms.
const edgeLag = 100_000

// lag lets an edge answer with what was current a while ago, unless this is the second
// look at it. The process must have been told that it was replaced: of what came and went
// between two polls, or of what only a Redis knew that lost its data, nobody knows here. And
// once data was lost nobody else may have led since, whose memory replaced its own. Nor
// may Redis's clock have jumped ahead, for then what was replaced a moment ago seems to have
// been so long ago.
func (w *World) lag(p *process, arg int) {
	if w.down || p.term == nil || p.term.doubted != none || w.forward {
		return
	}
	if w.losses > 0 && w.since != 0 && w.since != p.id {
		return
	}
	from := w.cdn[len(w.cdn)-1-arg%min(len(w.cdn), 4)].content
	pending := p.term.pending != none && from == p.term.hash
	if pending || p.known[from] && w.now-w.replaced[from] < edgeLag {
		p.answer(from)
	}
}
