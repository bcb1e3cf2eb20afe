package model

import "slices"

// begin is the true time at which a world begins, in Unix ms.
const begin = 1_700_000_000_000

const (
	processes  = 3
	readers    = 3
	queueLimit = 12 // messages on their way to one follower
	lateLimit  = 4  // commands that their sender has given up
	savedLimit = 4  // copies of Redis
	lagLimit   = 6  // writes that a replica may be behind
)

// server is one Redis, with a replica that is some writes behind.
type server struct {
	store
	offset  int64   // of its clock
	history []store // the replica's state, and those that follow up to the present
}

// publication is content that the CDN served from a moment on.
type publication struct {
	content content
	at      int64
}

// World is all there is. It is deterministic: the same events make the same of it.
type World struct {
	without Guard
	now     int64

	servers [2]server
	primary int
	split   bool

	leaders   [processes]*process
	followers [readers]*reader
	started   int32
	late      []*request

	saved []store // copies of Redis
	full  bool    // commits fail

	cdn    []publication
	down   bool
	spread bool
	// ahead: an SDK stamped an entry with a time ahead of Redis's clock. Should Redis lose
	// that entry and find it again, it would outrank what has been written meanwhile: such
	// losses are left out.
	ahead, wrote, stepped, forward bool
	version                        content

	stranger stranger

	oracle
}

// New makes a world in which content has been published and nobody has done anything
// yet. [World.Close] must be called.
func New(without Guard) *World {
	w := &World{without: without, now: begin, oracle: newOracle()}
	w.publish()
	for i := range w.leaders {
		w.leaders[i] = w.start(0)
	}
	for i := range w.followers {
		w.followers[i] = newReader(w, 0)
	}
	return w
}

// Close ends all coroutines.
func (w *World) Close() {
	for _, p := range w.leaders {
		p.end()
	}
	for _, f := range w.followers {
		f.end()
	}
}

func (w *World) start(side int) *process {
	w.started++
	return newProcess(w, w.started, side)
}

func (w *World) publish() {
	w.version++
	w.cdn = append(w.cdn, publication{w.version, w.now})
}

func (w *World) current() content { return w.cdn[len(w.cdn)-1].content }

// inline tells whether content is small enough to go within a message.
func (w *World) inline(c content) bool { return c%2 == 0 }

// read gives what a follower's read finds.
func (w *World) read(f *reader) *store {
	s := &w.servers[f.side]
	s.expire(w.now + s.offset)
	if f.replica && len(s.history) > 0 {
		return &s.history[0]
	}
	return &s.store
}

// execute lets Redis run a request.
func (w *World) execute(r *request) (reply, bool) {
	if r.side != w.primary && !w.split {
		return reply{}, false // that node is no primary any more
	}
	if w.full && r.op == opCommit {
		return reply{}, false
	}
	s := &w.servers[r.side]
	now := w.now + s.offset
	s.expire(now)
	before := s.store
	answer := s.run(now, r, w.without)
	w.onWrite(&before, s, r, &answer, now)
	if changed(&before, &s.store) {
		if len(s.history) == 0 {
			s.history = append(s.history, before)
		}
		s.history = append(s.history, s.store)
		if len(s.history) > lagLimit {
			s.history = s.history[1:]
		}
	}
	if m := answer.message; m.kind != noMessage && r.side == w.primary || m.kind != noMessage && w.split {
		if r.op == opCommit && w.without.has(OneScript) {
			w.late = append(w.late, &request{op: opPublish, side: r.side, publish: &m})
			return answer, true
		}
		if m.kind == heartbeat && w.without.has(Heartbeats) {
			return answer, true
		}
		m.now = now
		w.onPublish(s, m)
		for _, f := range w.followers {
			if f.subscribed && f.side == r.side {
				f.hear(m, w.now)
			}
		}
	}
	return answer, true
}

func (f *reader) hear(m message, at int64) {
	if len(f.queue) == queueLimit {
		f.queue = slices.Delete(f.queue, 0, 1)
	}
	m.at = at
	f.queue = append(f.queue, m)
}

func changed(a, b *store) bool {
	return a.entry != b.entry || a.blob != b.blob || a.lock != b.lock || a.meta.epoch != b.meta.epoch ||
		a.meta.rev != b.meta.rev || a.meta.cdn != b.meta.cdn || a.meta.hash != b.meta.hash
}
