package model

// Kind is what may happen.
type Kind uint8

// What may happen. Who and Arg of an [Event] say to whom, and how.
const (
	Wait      Kind = iota // time passes
	Campaign              // a candidate tries
	Renew                 // a leader renews
	Poll                  // a leader asks the CDN
	Answer                // the CDN answers: as it is, or an error
	Lag                   // an edge of the CDN answers that lags
	Take                  // a leader takes up the answer
	Lead                  // a candidate gets the lock and polls, or a leader polls, without faults
	Ask                   // a leader polls and takes up the answer; what it writes is on its way
	Mislead               // the same with an edge that lags
	Resign                // a process shuts down; another starts
	Crash                 // a process is killed; another starts
	Exchange              // what comes of a leader's request to Redis
	Late                  // a request that was given up arrives
	Hear                  // a follower gets its next message
	Reorder               // a follower gets a message out of turn
	Repeat                // a message is doubled
	Lose                  // a message is lost
	Garble                // a message is changed on its way
	Cut                   // a follower's connection ends
	Connect               // a follower subscribes
	Reread                // a follower reads meta
	Read                  // a follower's alarm to read content goes off
	Advance               // a follower's read makes a step
	Restart               // a follower starts anew, with nothing
	Publish               // the CDN gets new content
	RollBack              // the CDN gets an earlier content again
	Outage                // the CDN goes down, or up
	Flush                 // Redis loses all
	Delete                // Redis loses a key
	Spoil                 // content in Redis is changed
	Step                  // the clock of Redis steps
	Replicate             // the replica catches up by some writes
	Failover              // the replica takes over
	Split                 // it takes over for some only
	Heal                  // all agree on one primary
	SDK                   // an official SDK writes the entry
	kinds                 // how many there are
)

// Event is one thing that happens. Every event is possible in every world: what makes
// no sense does nothing, so that any part of a trace is a trace.
type Event struct {
	Kind     Kind
	Who, Arg uint8
}

// Classes of faults, of which a run has some.
type Classes uint16

const (
	ProcessFaults Classes = 1 << iota // crashes, shutdowns
	ExchangeFaults
	MessageFaults
	FollowerFaults
	CDNFaults // outages
	LaggingEdges
	RollBacks
	DataLoss // FLUSHALL, single keys, spoiled ones
	ClockSteps
	Failovers
	Splits
	SDKWrites
	AllFaults Classes = 1<<iota - 1
)

// usual is what happens without any fault, and how often.
var usual = []struct {
	kind   Kind
	weight int
}{
	{Wait, 10}, {Campaign, 4}, {Renew, 10}, {Poll, 4}, {Answer, 6}, {Take, 6}, {Lead, 8}, {Ask, 6},
	{Hear, 14}, {Connect, 3}, {Reread, 3}, {Read, 4}, {Advance, 6}, {Publish, 5}, {Replicate, 4},
}

var faults = map[Classes][]Kind{
	ProcessFaults:  {Resign, Crash, Crash},
	ExchangeFaults: {Exchange, Exchange, Exchange, Exchange, Late, Late},
	MessageFaults:  {Reorder, Repeat, Lose, Lose, Garble},
	FollowerFaults: {Cut, Restart},
	CDNFaults:      {Outage},
	LaggingEdges:   {Lag, Mislead, Mislead},
	RollBacks:      {RollBack},
	DataLoss:       {Flush, Delete, Delete, Spoil},
	ClockSteps:     {Step},
	Failovers:      {Failover, Failover},
	Splits:         {Split, Heal},
	SDKWrites:      {SDK, SDK},
}

// KindsOf gives the kinds of events of a run with some classes of faults, each as often
// as it is to be drawn.
func KindsOf(c Classes) []Kind {
	var kinds []Kind
	for _, u := range usual {
		for range u.weight {
			kinds = append(kinds, u.kind)
		}
	}
	for class := Classes(1); class < AllFaults; class <<= 1 {
		if c&class != 0 {
			for range 2 {
				kinds = append(kinds, faults[class]...)
			}
		}
	}
	return kinds
}

// waits and steps are what Arg means for Wait and Step, in ms.
var (
	waits = []int64{1, 100, 1000, 1000, 3000, 3000, 5000, 10_000, 16_000, 31_000, 56_000, 130_000}
	steps = []int64{3_600_000, -3_600_000, 60_000, -60_000, 2000, -2000, -5, 0}
	skews = []int64{0, 0, -1000, 1000, -3_600_000, 3_600_000, 30_000, -30_000}
)

// Do lets an event happen.
func (w *World) Do(e Event) {
	p, f := w.leaders[int(e.Who)%processes], w.followers[int(e.Who)%readers]
	arg := int(e.Arg)
	w.now++ // that two things happen in one millisecond is left out
	switch e.Kind {
	case Wait:
		w.now += waits[arg%len(waits)]
	case Campaign:
		p.wake(toCampaign)
	case Renew:
		p.wake(toRenew)
	case Poll:
		p.wake(toPoll)
	case Answer:
		w.answer(p, arg%8 == 7)
	case Lag:
		w.lag(p, arg)
	case Take:
		p.wake(toTake)
	case Lead:
		w.lead(p)
	case Ask:
		p.wake(toPoll)
		w.answer(p, false)
		p.wake(toTake)
	case Mislead:
		p.wake(toPoll)
		w.lag(p, arg)
		p.wake(toTake)
	case Resign, Crash, Exchange, Late:
		w.disturb(e, p, arg)
	case Hear, Reorder, Repeat, Lose, Garble:
		w.message(e, f, arg)
	case Cut, Connect, Reread, Read, Advance, Restart:
		w.follow(e, f, arg)
	case Publish:
		w.publish()
	case RollBack:
		w.cdn = append(w.cdn, publication{w.cdn[arg%len(w.cdn)].content, w.now})
	case Outage:
		w.down = !w.down
	default:
		w.spoil(e, arg)
	}
	w.checkTerms()
}

func (w *World) answer(p *process, fail bool) {
	if w.down || fail {
		p.fail()
		return
	}
	p.answer(w.current())
}

// lead lets one process be elected and poll without any fault.
func (w *World) lead(p *process) {
	p.wake(toCampaign)
	p.wake(toPoll)
	w.answer(p, false)
	p.wake(toTake)
	for p.call != nil {
		p.settle(good)
	}
}

func (w *World) disturb(e Event, p *process, arg int) {
	i := int(e.Who) % processes
	switch e.Kind {
	case Resign:
		p.wake(toStop)
		for p.call != nil {
			p.settle(good)
		}
		p.end()
		w.leaders[i] = w.start(w.primary)
	case Crash:
		if p.call != nil && arg%2 == 1 {
			p.settle(delayed)
		}
		p.end()
		w.leaders[i] = w.start(w.primary)
	case Exchange:
		p.settle(exchange(arg) % exchangeEnd)
	case Late:
		if len(w.late) > 0 {
			at := arg % len(w.late)
			r := w.late[at]
			w.late = append(w.late[:at:at], w.late[at+1:]...)
			_, _ = w.execute(r)
		}
	}
}

func (w *World) message(e Event, f *reader, arg int) {
	if len(f.queue) == 0 {
		return
	}
	at := arg % len(f.queue)
	switch e.Kind {
	case Hear:
		f.deliver(0)
	case Reorder:
		f.deliver(at)
	case Repeat:
		f.hear(f.queue[at], f.queue[at].at)
	case Lose:
		f.queue = append(f.queue[:at:at], f.queue[at+1:]...)
	case Garble:
		f.queue[at].body = garbage
		if arg > 7 {
			f.queue[at].body = w.cdn[arg%len(w.cdn)].content
		}
	}
}

func (w *World) follow(e Event, f *reader, arg int) {
	if e.Kind != Restart {
		f.replica = arg%4 == 3
	}
	switch e.Kind {
	case Cut:
		f.cut()
	case Connect:
		if !f.subscribed {
			f.connect()
		}
	case Reread:
		f.start(onReread)
	case Read:
		if f.content {
			f.start(onContent)
		}
	case Advance:
		if f.reading {
			f.failed = arg%16 == 15
			f.resume()
			f.failed = false
		}
	case Restart:
		f.end()
		w.followers[int(e.Who)%readers] = newReader(w, w.primary)
	}
}
