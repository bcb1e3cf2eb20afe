package model

// edgeLag is how long an edge of the CDN may serve replaced content, in ms.
const edgeLag = 100_000

// lag makes an edge answer with former content, unless the process is asking for the second
// time. The process must know that the content was replaced; see the limits in the package
// documentation.
func (sys *System) lag(p *process, arg int) {
	if sys.down || p.term == nil || p.term.suspect != none {
		return
	}
	at := len(sys.cdn) - 1 - arg%min(len(sys.cdn), 16)
	if at == len(sys.cdn)-1 {
		p.answer(sys.current())
		return
	}
	from := sys.cdn[at].content
	pending := p.term.pending != none && from == p.term.hash
	if (pending || p.known[from] >= sys.cdn[at+1].at) && sys.now-sys.cdn[at+1].at < edgeLag && from != sys.current() {
		p.answer(from)
	}
}
