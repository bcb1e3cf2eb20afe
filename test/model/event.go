package model

// Kind is the kind of an event.
type Kind uint8

// The kinds of events. Who and Arg of an [Event] say to which process, and how.
const (
	Wait      Kind = iota // time passes
	Campaign              // a candidate tries to acquire the lock
	Renew                 // a leader renews
	Poll                  // a leader asks the CDN
	Answer                // the CDN answers, with the current content or an error
	Lag                   // a lagging edge of the CDN answers
	Take                  // a leader handles the answer
	Lead                  // a candidate acquires the lock and polls, or a leader polls, without faults
	Ask                   // a leader polls and handles the answer; its write is in flight
	Mislead               // the same with a lagging edge
	Resign                // a process shuts down; another starts
	Crash                 // a process is killed; another starts
	Exchange              // a leader's request to Redis has an outcome
	Late                  // a request arrives after its sender has given it up
	Hear                  // a follower gets its next message
	Reorder               // a follower gets a message out of order
	Repeat                // a message is duplicated
	Lose                  // a message is lost
	Garble                // a message is corrupted in flight
	Cut                   // a follower's connection ends
	Connect               // a follower subscribes
	Reread                // a follower reads meta
	Read                  // a follower's timer for reading content fires
	Advance               // a follower's read proceeds by one step
	Restart               // a follower restarts without content
	Publish               // the CDN gets new content
	RollBack              // the CDN gets an earlier content again
	Outage                // the CDN fails, or recovers
	Flush                 // Redis loses everything
	Delete                // Redis loses a key
	Corrupt               // content in Redis is changed
	Step                  // Redis's clock jumps
	Replicate             // the replica receives some writes
	Failover              // the replica takes over
	Split                 // the replica takes over, but for some processes only
	Rejoin                // all processes use one primary again
	SDK                   // an official SDK writes the entry
	Save                  // a copy of Redis is saved
	Restore               // Redis restarts from a saved copy, of any age
	Full                  // Redis refuses commits for lack of memory, or accepts them again
	Burst                 // the CDN gets new content several times in a row, and a leader polls each
	Withhold              // a leader fetches new content while Redis refuses commits
	Fetch                 // a follower asks the CDN itself
	Stray                 // the same with a lagging edge
	Stranger              // another fleet commits, renews, resigns or requests a poll
	kinds                 // the number of kinds
)

// Event is one step of a run. Every event is possible in every state: an event that does not
// apply does nothing, so every part of a trace is a valid trace.
type Event struct {
	Kind     Kind
	Who, Arg uint8
}

// Classes is a set of classes of faults. Each run draws some.
type Classes uint32

const (
	ProcessFaults Classes = 1 << iota // crashes, shutdowns
	ExchangeFaults
	MessageFaults
	FollowerFaults
	CDNFaults // outages
	LaggingEdges
	RollBacks
	DataLoss // FLUSHALL, lost keys, corrupt content
	ClockSteps
	Failovers
	Splits
	SDKWrites
	Copies // Redis restarts from a copy
	MemoryFull
	Bursts
	OnlineFollowers         // followers that ask the CDN themselves
	Strangers               // another fleet with the same SDK key, on the same Redis
	AllFaults       Classes = 1<<iota - 1
)

// usual holds the events without faults and their weights.
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
	Splits:         {Split, Rejoin},
	SDKWrites:      {SDK, SDK},
	Copies:         {Save, Restore},
	MemoryFull:     {Full, Withhold},
	Bursts:         {Burst},

	OnlineFollowers: {Fetch, Fetch, Stray},
	Strangers:       {Stranger, Stranger},
}

// KindsOf returns the kinds of events of a run with these classes of faults, each repeated by
// its weight.
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
	"Outage", "Flush", "Delete", "Corrupt", "Step", "Replicate", "Failover", "Split", "Rejoin", "SDK", "Save", "Restore", "Full", "Burst", "Withhold", "Fetch", "Stray", "Stranger"}

func (k Kind) String() string { return kindNames[k] }
