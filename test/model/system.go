package model

import "slices"

// begin is the true time at the start of a run, in Unix ms.
const begin = 1_700_000_000_000

const (
	processes  = 3
	readers    = 3
	queueLimit = 12 // messages in flight to one follower
	lateLimit  = 4  // commands in flight that their sender has given up
	savedLimit = 4  // copies of Redis
	lagLimit   = 6  // writes that a replica may be behind
)

// server is a Redis server with a replica that may be some writes behind.
type server struct {
	store
	offset  int64   // of its clock from true time
	history []store // the states from the replica's to the present one; empty: the replica is in sync
}

// publication is content and the time since when the CDN serves it.
type publication struct {
	content content
	at      int64
}

// System is the state of the model. It is deterministic: the same events lead to the same state.
type System struct {
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
	// ahead means that an SDK wrote an entry with a time ahead of Redis's clock. If Redis lost
	// and recovered it, the entry would outrank what was written meanwhile: these losses are
	// left out. wrote: an SDK wrote. stepped, forward: Redis's clock jumped back, ahead.
	ahead, wrote, stepped, forward bool
	version                        content

	stranger stranger

	oracle
}

// New returns a System in which the CDN serves content and no process has acted yet. The caller
// must call [System.Close].
func New(without Guard) *System {
	sys := &System{without: without, now: begin, oracle: newOracle()}
	sys.publish()
	for i := range sys.leaders {
		sys.leaders[i] = sys.start(0)
	}
	for i := range sys.followers {
		sys.followers[i] = newReader(sys, 0)
	}
	return sys
}

// Close ends all coroutines.
func (sys *System) Close() {
	for _, p := range sys.leaders {
		p.end()
	}
	for _, f := range sys.followers {
		f.end()
	}
}

func (sys *System) start(side int) *process {
	sys.started++
	return newProcess(sys, sys.started, side)
}

func (sys *System) publish() {
	sys.version++
	sys.cdn = append(sys.cdn, publication{sys.version, sys.now})
}

func (sys *System) current() content { return sys.cdn[len(sys.cdn)-1].content }

// inline reports whether messages carry c.
func (sys *System) inline(c content) bool { return c%2 == 0 }

// patched reports whether there are patches to c. Few contents have them: the traces of the other
// rules are shorter without.
func (sys *System) patched(c content) bool { return c > 4 && !sys.inline(c) }

// read returns the store that a follower reads.
func (sys *System) read(f *reader) *store {
	s := &sys.servers[f.side]
	s.expire(sys.now + s.offset)
	if f.replica && len(s.history) > 0 {
		return &s.history[0]
	}
	return &s.store
}

// execute runs a request in Redis. It returns false on an error.
func (sys *System) execute(r *request) (reply, bool) {
	if r.side != sys.primary && !sys.split {
		return reply{}, false // that node is no longer the primary
	}
	if sys.full && r.op == opCommit {
		return reply{}, false
	}
	s := &sys.servers[r.side]
	now := sys.now + s.offset
	s.expire(now)
	before := s.store
	answer := s.run(now, r, sys.without)
	sys.onWrite(&before, s, r, &answer, now)
	if changed(&before, &s.store) {
		if len(s.history) == 0 {
			s.history = append(s.history, before)
		}
		s.history = append(s.history, s.store)
		if len(s.history) > lagLimit {
			s.history = s.history[1:]
		}
	}
	if m := answer.message; m.kind != noMessage && r.side == sys.primary || m.kind != noMessage && sys.split {
		if r.op == opCommit && sys.without.has(OneScript) {
			sys.late = append(sys.late, &request{op: opPublish, side: r.side, publish: &m})
			return answer, true
		}
		if m.kind == heartbeat && sys.without.has(Heartbeats) {
			return answer, true
		}
		m.now = now
		sys.onPublish(s, m)
		for _, f := range sys.followers {
			if f.subscribed && f.side == r.side {
				f.hear(m, sys.now)
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
