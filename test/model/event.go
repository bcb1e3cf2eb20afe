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
	Corrupt               // content in Redis is changed
	Step                  // the clock of Redis steps
	Replicate             // the replica catches up by some writes
	Failover              // the replica takes over
	Split                 // it takes over for some only
	Heal                  // all agree on one primary
	SDK                   // an official SDK writes the entry
	Save                  // a copy of Redis is saved
	Restore               // Redis restarts from a saved copy, of any age
	Full                  // Redis has no memory for a commit, or has it again
	Burst                 // the CDN gets new content several times in a row, and a leader polls each
	Withhold              // a leader fetches new content while Redis has no memory for it
	Fetch                 // a follower asks the CDN itself
	Stray                 // the same with an edge that lags
	Stranger              // another fleet commits, renews, resigns or asks for a poll
	kinds                 // how many there are
)

// Event is one thing that happens. Every event is possible in every world: what makes
// no sense does nothing, so that any part of a trace is a trace.
type Event struct {
	Kind     Kind
	Who, Arg uint8
}

// Classes of faults, of which a run has some.
type Classes uint32

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
	Copies // Redis restarts from a copy
	MemoryFull
	Bursts
	OnlineFollowers         // that ask the CDN themselves
	Strangers               // another fleet with the same SDK key, on the same Redis
	AllFaults       Classes = 1<<iota - 1
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
	DataLoss:       {Flush, Delete, Delete, Corrupt},
	ClockSteps:     {Step},
	Failovers:      {Failover, Failover},
	Splits:         {Split, Heal},
	SDKWrites:      {SDK, SDK},
	Copies:         {Save, Restore},
	MemoryFull:     {Full, Withhold},
	Bursts:         {Burst},

	OnlineFollowers: {Fetch, Fetch, Stray},
	Strangers:       {Stranger, Stranger},
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

var kindNames = [...]string{"Wait", "Campaign", "Renew", "Poll", "Answer", "Lag", "Take", "Lead", "Ask", "Mislead", "Resign", "Crash", "Exchange", "Late",
	"Hear", "Reorder", "Repeat", "Lose", "Garble", "Cut", "Connect", "Reread", "Read", "Advance", "Restart", "Publish", "RollBack",
	"Outage", "Flush", "Delete", "Corrupt", "Step", "Replicate", "Failover", "Split", "Heal", "SDK", "Save", "Restore", "Full", "Burst", "Withhold", "Fetch", "Stray", "Stranger"}

func (k Kind) String() string { return kindNames[k] }
