package model

// order is a control as a number: what operators have put in force with one command; none: nothing is.
// Each command makes another. What is current is a function of the CDN's content and of an order.
type order int32

// control is what the key control has. It has no seq if the key is missing.
type control struct {
	seq   int64
	order order
}

// controlGuard is a set of the rules about controls.
type controlGuard uint32

const (
	seqCompared       controlGuard = 1 << iota // commit: content is written only under the control of which it was made
	expectedCompared                           // write_control: a control that somebody else wrote is not overwritten
	seqIsTime                                  // write_control: a new seq is at least Redis's time, so that none comes twice
	repairKeepsSeq                             // write_control: a control that is written again keeps its seq
	leaderRestores                             // leader: what Redis loses is written again
	candidateRestores                          // candidate: the same
	restoresLately                             // candidate: only a control that was seen lately
	forgets                                    // leader: not the one of a process that was cut off while another led
	endIsWritten                               // leader: a control is written without what has ended
)

func (g controlGuard) has(one controlGuard) bool { return g&one != 0 }

// controlStore is the part of Redis that matters for controls.
type controlStore struct {
	epoch   int64
	holder  int32 // of the lock; 0: it is free
	term    int64 // the epoch in the lock
	until   int64
	control control

	rev    int64 // of meta
	source content
	made   control // of which the current content was made
}

// ControlSystem is a Redis with a replica, leader processes, a CDN and operators. It is a model of its own:
// revs, answers and followers are those of [System], which has no controls.
//
// A replaced control may come back without a new order in these cases, in the product, too. Redis loses
// everything, or a failover loses the later control, and the process that acted on it is gone. Redis loses the control
// before any leader acted on the later one, or within half a minute after that. Or a process was paused while the
// leader acted on a later control, in the term in which the process saw the former one; then Redis loses the
// control, the leader dies, and that process leads.
//
// Orders are whole numbers here: an order that is written after a loss replaces what was lost, and so does the end of an earlier
// one that a failover brought back. The product merges what was lost into it.
type ControlSystem struct {
	without controlGuard
	now     int64
	store   controlStore
	replica []controlStore // the states from the replica's to the present one

	processes [processes]*controlProcess
	started   int32
	source    content

	violated *Violation
	orders   order           // the last one
	ends     map[order]int64 // of those that end
	written  map[int64]order // by seq
	replaced map[order]int64 // when a leader first acted on a later one
	lost     int64           // the last loss after which a replaced control may come back
	floor    *controlFloor
}

// controlFloor is what must be in force again after a loss: the leader has acted on it, and is alive.
type controlFloor struct {
	control control
	from    *controlProcess
	newer   order // the first order after it
	until   int64
}

// controlProcess follows elector_control.go, term_control.go and term_commit.go of package leader.
type controlProcess struct {
	id    int32
	epoch int64
	led   int64 // the epoch of its last term
	acted *acted
	term  *controlTerm

	found control // a candidate writes its own control instead, if this one is still stored
	fixes bool
	until int64 // the deadline of that
}

type acted struct {
	control
	epoch, seen int64
}

// controlStage is what a leader does next. Between two stages anything can happen.
type controlStage uint8

const (
	idle controlStage = iota
	writes
	commits
)

type controlTerm struct {
	epoch, rev, renewedAt int64
	source                content // what the CDN served last; none: unknown
	stage                 controlStage
	stored                control // what it read, at writes
	next                  control // what it writes
	repaired              bool
	made                  control // of which the content was made, at commits
}

// lately is LeaseDuration and two times RetryPeriod.
const lately = leaseDuration + 2*retryPeriod

func newControlSystem(without controlGuard) *ControlSystem {
	sys := &ControlSystem{without: without, now: begin, source: 1, ends: map[order]int64{}, written: map[int64]order{}, replaced: map[order]int64{}}
	for i := range sys.processes {
		sys.processes[i] = sys.start()
	}
	return sys
}

func (sys *ControlSystem) start() *controlProcess {
	sys.started++
	return &controlProcess{id: sys.started}
}

func (sys *ControlSystem) fail(invariant, what string) {
	if sys.violated == nil {
		sys.violated = &Violation{invariant, what}
	}
}

// wrote records a state for the replica.
func (sys *ControlSystem) wrote() {
	if sys.replica = append(sys.replica, sys.store); len(sys.replica) > lagLimit {
		sys.replica = sys.replica[1:]
	}
}

// ended reports whether an order has reached its end.
func (sys *ControlSystem) ended(o order) bool {
	end, ends := sys.ends[o]
	return ends && end <= sys.now
}

// writeControl is control_write.lua. repaired is the seq of a control that Redis had lost; 0: it is new.
func (sys *ControlSystem) writeControl(expected int64, above int64, o order, repaired int64) (control, bool) {
	stored := sys.store.control
	if stored.seq != expected && !sys.without.has(expectedCompared) {
		return control{}, false
	}
	if repaired > 0 && stored.seq > repaired {
		sys.fail("overwritten", "a control that was lost replaces a later one")
	}
	seq := max(stored.seq+1, above+1)
	if !sys.without.has(seqIsTime) {
		seq = max(seq, sys.now)
	}
	if repaired > 0 && repaired >= stored.seq && !sys.without.has(repairKeepsSeq) {
		seq = repaired
	}
	next := control{seq, o}
	before, used := sys.written[seq]
	if used && before != o {
		sys.fail("one seq", "a seq has two controls")
	}
	sys.written[seq] = o
	if at, replaced := sys.replaced[o]; repaired > 0 && o != 0 && replaced && sys.now-at > lately+renewDeadline && sys.lost < at {
		sys.fail("withdrawn", "a control is written again that was replaced long ago")
	}
	sys.store.control = next
	sys.wrote()
	// An order is new, and so is the end of one. A later one that was lost before may be written again.
	if f := sys.floor; f != nil && (repaired == 0 || used && seq >= f.control.seq || o >= f.newer) {
		sys.floor = nil
	}
	return next, true
}

// operate replaces what is in force, as an operator does who read it just before.
func (sys *ControlSystem) operate(withdraw bool, lasts int64) {
	var next order
	if !withdraw {
		sys.orders++
		if next = sys.orders; lasts > 0 {
			sys.ends[next] = sys.now + lasts
		}
	} else if sys.store.control.order == 0 {
		return
	}
	sys.writeControl(sys.store.control.seq, 0, next, 0)
}

// campaign is acquire.lua, and what the elector does with the reply.
func (sys *ControlSystem) campaign(p *controlProcess) {
	if p.term != nil || p.fixes {
		return
	}
	s := &sys.store
	former := s.epoch
	acquired := s.holder == 0 || s.until <= sys.now || s.holder == p.id
	if acquired {
		s.epoch = max(s.epoch+1, sys.now, p.epoch+1)
		s.holder, s.term, s.until = p.id, s.epoch, sys.now+leaseDuration
		sys.wrote()
	}
	switch {
	case !acquired || p.acted == nil || sys.without.has(forgets):
	case max(p.epoch, former) > p.acted.epoch:
		p.acted = nil
	case p.acted.epoch != p.led && sys.now-p.acted.seen >= lately:
		sys.lost = sys.now // see the limits
	}
	p.epoch = max(p.epoch, s.epoch)
	if acquired {
		p.led = s.epoch
		if p.acted != nil {
			p.acted = &acted{p.acted.control, s.epoch, p.acted.seen}
		}
		p.term = &controlTerm{epoch: s.epoch, rev: s.rev, source: s.source, renewedAt: sys.now}
		return
	}
	sys.confirm(p, s.epoch)
	switch own := p.acted; {
	case s.control.seq > seqOf(own):
		p.acted = &acted{s.control, s.epoch, sys.now}
	case own != nil && s.control.seq < own.seq && (sys.now-own.seen < lately || sys.without.has(restoresLately)) && !sys.without.has(candidateRestores):
		p.fixes, p.found, p.until = true, s.control, sys.now+renewDeadline/2
	}
}

func seqOf(a *acted) int64 {
	if a == nil {
		return 0
	}
	return a.seq
}

func (sys *ControlSystem) confirm(p *controlProcess, epoch int64) {
	if p.acted != nil && p.acted.seq == sys.store.control.seq {
		p.acted = &acted{p.acted.control, epoch, sys.now}
	}
}

// holds ends the term if the lock is lost.
func (sys *ControlSystem) holds(p *controlProcess) bool {
	s := &sys.store
	if p.term == nil {
		return false
	}
	if s.holder != p.id || s.term != p.term.epoch || s.until <= sys.now || sys.now-p.term.renewedAt >= renewDeadline {
		p.term = nil
		return false
	}
	return true
}

func (sys *ControlSystem) renew(p *controlProcess) {
	if p.term == nil || p.term.stage != idle || !sys.holds(p) {
		return
	}
	t, s := p.term, &sys.store
	s.until, t.renewedAt = sys.now+leaseDuration, sys.now
	sys.confirm(p, t.epoch)
	switch {
	case s.control.seq != seqOf(p.acted), p.acted != nil && sys.ended(p.acted.order):
		sys.read(p)
	case s.rev != t.rev || s.made.seq != t.made.seq:
		t.rev = s.rev // repaired
		sys.make(p)
	}
}

// read is the first part of readControl.
func (sys *ControlSystem) read(p *controlProcess) {
	t, stored := p.term, sys.store.control
	next, fault := stored, false
	switch {
	case stored.seq != 0 && stored.seq >= seqOf(p.acted):
	case p.acted == nil:
		sys.make(p)
		return
	default:
		next, fault = p.acted.control, !sys.without.has(leaderRestores)
		if sys.without.has(leaderRestores) {
			p.acted = nil
			sys.make(p)
			return
		}
	}
	expired := sys.ended(next.order) && !sys.without.has(endIsWritten)
	if !fault && !expired {
		p.acted = &acted{next, t.epoch, sys.now}
		sys.make(p)
		return
	}
	t.repaired = !expired && next.seq >= stored.seq
	if expired {
		next.order = 0
	}
	t.stage, t.stored, t.next = writes, stored, next
}

// make makes content of the source and the control.
func (sys *ControlSystem) make(p *controlProcess) {
	if p.term.stage = idle; p.term.source == none {
		return
	}
	p.term.stage, p.term.made = commits, control{}
	if p.acted != nil {
		p.term.made = p.acted.control
	}
}

// proceed does the next command of a process.
func (sys *ControlSystem) proceed(p *controlProcess) {
	if p.fixes {
		p.fixes = false
		if p.acted != nil && sys.now < p.until {
			sys.writeControl(p.found.seq, 0, p.acted.order, p.acted.seq)
		}
		return
	}
	if p.term == nil || p.term.stage == idle || !sys.holds(p) {
		return
	}
	t := p.term
	if t.stage == writes {
		repaired := int64(0)
		if t.repaired {
			repaired = t.next.seq
		}
		next, ok := sys.writeControl(t.stored.seq, seqOf(p.acted), t.next.order, repaired)
		if !ok {
			sys.read(p)
			return
		}
		p.acted = &acted{next, t.epoch, sys.now}
		sys.make(p)
		return
	}
	s := &sys.store
	switch {
	case s.rev != t.rev:
		t.rev = s.rev
	case s.control.seq != t.made.seq && !sys.without.has(seqCompared):
		sys.read(p)
	default:
		t.stage = idle
		s.rev++
		s.source, s.made, t.rev = t.source, t.made, s.rev
		sys.onCommit(s.made)
		sys.wrote()
	}
}

// poll asks the CDN.
func (sys *ControlSystem) poll(p *controlProcess) {
	if p.term == nil || p.term.stage != idle || !sys.holds(p) {
		return
	}
	if p.term.source = sys.source; sys.store.source != sys.source || sys.store.made.seq != seqOf(p.acted) {
		sys.make(p)
	}
}

// onCommit checks content when it becomes current.
func (sys *ControlSystem) onCommit(made control) {
	if made != sys.store.control {
		sys.fail("latest", "content is current that was made of another control than the stored one")
	}
	for seq, former := range sys.written {
		if _, known := sys.replaced[former]; seq < made.seq && former != made.order && !known {
			sys.replaced[former] = sys.now
		}
	}
}

// lose records that the stored control may be lost.
func (sys *ControlSystem) lose() {
	for _, p := range sys.processes {
		if p.term != nil && sys.holds(p) && p.acted != nil && p.acted.control == sys.store.control && sys.now-p.acted.seen < renewDeadline {
			newer := order(1)
			for seq, o := range sys.written {
				if seq <= p.acted.seq {
					newer = max(newer, o+1)
				}
			}
			sys.floor = &controlFloor{p.acted.control, p, newer, sys.now + renewDeadline/2}
		}
	}
}

// ControlKind is the kind of an event of a [ControlSystem].
type ControlKind uint8

const (
	Operate ControlKind = iota // an operator puts something in force, with or without an end
	Withdraw
	Edit // the CDN's content changes
	TryLock
	RenewLock
	AskCDN
	Proceed // a process sends its next command
	Kill
	Pass // time passes
	LoseControl
	LoseAll
	Copy // the replica receives some writes
	Promote
	controlKinds
)

// ControlEvent is one step of a run. Every event is possible in every state.
type ControlEvent struct {
	Kind     ControlKind
	Who, Arg uint8
}

// Do executes an event.
func (sys *ControlSystem) Do(e ControlEvent) {
	sys.now++
	at := int(e.Who) % processes
	p, arg := sys.processes[at], int(e.Arg)
	if sys.floor != nil && sys.now > sys.floor.until {
		sys.floor = nil
	}
	switch e.Kind {
	case Operate:
		sys.operate(false, []int64{0, 0, 20_000}[arg%3])
	case Withdraw:
		sys.operate(true, 0)
	case Edit:
		sys.source++
	case TryLock:
		sys.campaign(p)
	case RenewLock:
		sys.renew(p)
	case AskCDN:
		sys.poll(p)
	case Proceed:
		sys.proceed(p)
	case Kill:
		if sys.floor != nil && sys.floor.from == p {
			sys.floor = nil
		}
		sys.processes[at] = sys.start()
	case Pass:
		sys.now += []int64{1000, 3000, 9000, 16_000, 30_000}[arg%5]
	case LoseControl:
		sys.lose()
		sys.store.control = control{}
		sys.wrote()
	case LoseAll:
		sys.lose()
		sys.lost = sys.now
		sys.store, sys.replica = controlStore{}, nil
	case Copy:
		sys.replica = sys.replica[min(1+arg%lagLimit, len(sys.replica)):]
	case Promote:
		if len(sys.replica) == 0 {
			return
		}
		sys.lose()
		if sys.replica[0].control != sys.store.control {
			sys.lost = sys.now
		}
		sys.store, sys.replica = sys.replica[0], nil
		if sys.floor != nil && sys.store.control.seq >= sys.floor.control.seq {
			sys.floor = nil // the replica has it, or a later one that the old primary had lost
		}
	}
}

// converge ends all faults, lets time pass, and checks what is current.
func (sys *ControlSystem) converge() {
	for i := range 60 {
		sys.now += 1000
		for _, p := range sys.processes {
			for range 8 {
				sys.proceed(p)
			}
			switch {
			case p.term == nil && i%2 == 0:
				sys.campaign(p)
			case i%20 == 10:
				sys.poll(p)
			case i%3 == 0:
				sys.renew(p)
			}
			for range 8 {
				sys.proceed(p)
			}
		}
	}
	s := &sys.store
	if s.source != sys.source || s.made != s.control || sys.ended(s.made.order) {
		sys.fail("quiet", "what is current is not made of the CDN's content and the latest control")
	}
	if sys.floor != nil {
		sys.fail("restored", "the leader is alive, and what it acted on is not in force again")
	}
}
