package model

// effort is what it takes a random search to find a trace again.
type effort int

const (
	quick  effort = iota // some thousand to a million steps: each run of the tests searches
	slow                 // up to some ten million steps: make model searches
	hidden               // more than that: only TestModelNeedsEachRule has it
)

// caught holds traces that the model found. Each breaks an invariant without one rule, and
// none with it. Several of them are the reason for their rule.
var caught = []struct {
	name    string // the behavior without the rule
	without Guard
	breaks  string
	faults  Classes // that a search draws
	effort  effort
	trace   []Event
}{
	{"a lock that lasts too long is not cut", LockEnds, "I8", AllFaults, quick, []Event{
		{Lead, 0, 0}, {Publish, 2, 0}, {Crash, 0, 0}, {Step, 1, 1},
	}},
	{"repairing meta overwrites an SDK's entry", AskBeforeRepair, "I1", AllFaults, quick, []Event{
		{Lead, 0, 0}, {Publish, 0, 0}, {Delete, 2, 2}, {SDK, 2, 0},
	}},
	{"a commit overwrites an SDK's entry", AskBeforeRepair, "I1", AllFaults, quick, []Event{
		{Campaign, 1, 0}, {Poll, 1, 0}, {Connect, 2, 0}, {Answer, 1, 0}, {Publish, 0, 0}, {SDK, 2, 0},
		{Reread, 2, 0},
	}},
	{"a clock that is set back twice blocks the rebase rule", RebaseClock, "I8", AllFaults, slow, []Event{
		{Reread, 1, 0}, {Lead, 1, 0}, {Reread, 1, 0}, {Step, 2, 1}, {Publish, 0, 0}, {Crash, 1, 0},
		{Failover, 1, 0}, {Lead, 1, 0}, {Step, 0, 1},
	}},
	{"the rebase rule accepts an answer that was in flight", RebaseInFlight, "I1", AllFaults, slow, []Event{
		{Connect, 0, 0}, {Lead, 2, 0}, {Poll, 2, 0}, {Answer, 2, 0}, {Publish, 1, 0}, {SDK, 1, 0},
		{Delete, 0, 1}, {Hear, 0, 0}, {Delete, 2, 0},
	}},
	{"content is believed after Redis rolled back", KeepCurrent, "I1", CDNFaults | Failovers | SDKWrites, quick, []Event{
		{Lead, 0, 0}, {Failover, 2, 0}, {Lead, 0, 0}, {Lead, 0, 0}, {SDK, 0, 0}, {Lead, 0, 0},
		{Publish, 2, 0}, {Outage, 2, 0}, {Outage, 0, 0}, {Connect, 2, 0}, {Lead, 0, 0}, {Hear, 2, 0},
		{Lead, 0, 0}, {Renew, 0, 0}, {Renew, 0, 0}, {Outage, 2, 0}, {Lead, 0, 0}, {Failover, 0, 0},
		{Wait, 0, 236}, {Outage, 2, 0}, {Renew, 0, 0}, {Outage, 0, 0}, {Lead, 0, 0}, {Renew, 0, 0},
		{Lead, 0, 0},
	}},
	{"a commit is not fenced", FencedCommit, "I2", AllFaults, quick, []Event{
		{Lead, 0, 0}, {Publish, 2, 0}, {Ask, 0, 0}, {Wait, 1, 226},
	}},
	{"a renewal is not fenced", FencedRenewal, "I2", AllFaults, quick, []Event{
		{Lead, 2, 0}, {Step, 1, 0}, {Lead, 2, 0},
	}},
	{"a commit does not check the base", Base, "I1", ProcessFaults | ExchangeFaults, slow, []Event{
		{Lead, 2, 0}, {Publish, 0, 0}, {Ask, 2, 0}, {Connect, 2, 0}, {Publish, 1, 0}, {Exchange, 2, 3},
		{Lead, 2, 0}, {Hear, 2, 0},
	}},
	{"rev is the time", RevRises, "I9", AllFaults, quick, []Event{
		{SDK, 2, 85},
	}},
	{"the fetch time falls", EntryFloor, "I9", AllFaults, quick, []Event{
		{SDK, 1, 3}, {Lead, 2, 0},
	}},
	{"a repair moves rev to the present", RepairStaysBehind, "I1", CDNFaults | DataLoss | LaggingEdges, quick, []Event{
		{Lead, 1, 0}, {Wait, 1, 79}, {Publish, 0, 0}, {Mislead, 1, 0}, {Reread, 2, 0}, {Lead, 0, 0},
		{Reread, 2, 0}, {Outage, 2, 0}, {Flush, 1, 0}, {Lead, 1, 0},
	}},
	{"a repair claims an answer of the CDN", RepairConfirmsNothing, "I14", AllFaults, quick, []Event{
		{Lead, 0, 0}, {SDK, 0, 2}, {Renew, 0, 0},
	}},
	{"an answer about pending content confirms the current content", AnswerIsAboutOne, "I14", AllFaults, quick, []Event{
		{Lead, 0, 0}, {Wait, 2, 70}, {Campaign, 2, 0}, {Publish, 2, 0}, {Ask, 2, 0}, {Exchange, 2, 1},
	}},
	{"another script publishes the message", OneScript, "I3", AllFaults, quick, []Event{
		{Lead, 2, 0}, {Failover, 0, 0}, {Failover, 1, 0},
	}},
	{"a renewal does not check entry, blob and meta", RenewalChecks, "I9", AllFaults, quick, []Event{
		{Lead, 2, 0}, {SDK, 0, 3}, {Poll, 2, 0},
	}},
	{"a lagging edge is believed", SuspectReplaced, "I1", LaggingEdges, quick, []Event{
		{Publish, 2, 0}, {Publish, 0, 0}, {Lead, 0, 0}, {Publish, 1, 0}, {Connect, 2, 0}, {Lead, 0, 0},
		{Replicate, 0, 2}, {Mislead, 0, 1}, {Reread, 2, 0},
	}},
	{"replaced ETags are forgotten when Redis loses them", RememberReplaced, "I1", LaggingEdges | DataLoss | Failovers, quick, []Event{
		{Publish, 2, 0}, {Lead, 2, 0}, {Publish, 1, 0}, {Connect, 1, 0}, {Lead, 2, 0}, {Flush, 1, 0},
		{Renew, 2, 0}, {Lead, 2, 0}, {Mislead, 2, 1}, {Hear, 1, 0},
	}},
	{"Redis is repaired with old content", RepairCurrentOnly, "I1", CDNFaults | DataLoss, quick, []Event{
		{Outage, 0, 0}, {Connect, 2, 0}, {Outage, 0, 0}, {Publish, 0, 0}, {Outage, 0, 0}, {Outage, 0, 0},
		{Outage, 0, 0}, {Outage, 0, 0}, {Publish, 0, 0}, {Lead, 0, 0}, {Publish, 0, 0}, {Flush, 2, 0},
		{Campaign, 2, 0}, {Ask, 2, 0}, {Ask, 0, 0}, {Hear, 2, 0}, {Campaign, 0, 0}, {Campaign, 2, 0},
		{Poll, 0, 0}, {Outage, 0, 0}, {Flush, 0, 0}, {Outage, 0, 0}, {Outage, 0, 0}, {Lead, 0, 0},
	}},
	{"a repair from memory overwrites an SDK's later entry", KeepFetchedLater, "I1", AllFaults, quick, []Event{
		{Lead, 2, 0}, {Outage, 0, 0}, {Connect, 0, 0}, {Publish, 1, 0}, {Outage, 2, 0}, {SDK, 2, 0},
		{Wait, 0, 141}, {Outage, 0, 0}, {Reread, 0, 0}, {Lead, 0, 0}, {Renew, 0, 0}, {Lead, 0, 0},
	}},
	{"old content is repaired above what followers hold", RepairBelow, "I1", Copies | CDNFaults | DataLoss | ProcessFaults, quick, []Event{
		{Lead, 0, 0}, {Save, 0, 0}, {Publish, 0, 0}, {Lead, 0, 0}, {Connect, 0, 0}, {Advance, 0, 0}, {Advance, 0, 0}, {Campaign, 1, 0},
		{Campaign, 1, 0}, {Crash, 0, 0}, {Restore, 0, 0}, {Outage, 0, 0}, {Delete, 0, 0}, {Wait, 0, 8}, {Campaign, 1, 0}, {Renew, 1, 0},
		{Renew, 1, 0}, {Connect, 0, 0}, {Reread, 0, 0}, {Advance, 0, 0}, {Advance, 0, 0},
	}},
	{"revs are trusted while the clock is behind", ClockBehind, "I1", ClockSteps | CDNFaults | DataLoss, quick, []Event{
		{Lead, 0, 0}, {Step, 0, 1}, {Flush, 0, 0}, {Publish, 0, 0}, {Lead, 1, 0}, {Connect, 0, 0}, {Advance, 0, 0}, {Renew, 0, 0},
		{Wait, 0, 8}, {Outage, 0, 0}, {Campaign, 0, 0}, {Ask, 0, 0}, {Advance, 0, 0},
	}},
	{"the memory of replaced ETags is bounded by number", RememberByTime, "I1", LaggingEdges | Bursts, quick, []Event{
		{Reread, 2, 0}, {Burst, 0, 71}, {Reread, 2, 0}, {Poll, 0, 0}, {Lag, 0, 1},
	}},
	{"content that was never committed comes back", BelievedReplaces, "I1", LaggingEdges | MemoryFull, quick, []Event{
		{Withhold, 0, 0}, {Publish, 0, 0}, {Lead, 0, 0}, {Connect, 0, 0}, {Advance, 0, 0}, {Advance, 0, 0}, {Mislead, 0, 1},
	}},
	{"other processes do not learn what was replaced", TellReplaced, "I1", LaggingEdges | MemoryFull | ProcessFaults, quick, []Event{
		{Withhold, 0, 0}, {Publish, 0, 0}, {Lead, 0, 0}, {Connect, 0, 0}, {Advance, 0, 0}, {Resign, 0, 0}, {Campaign, 1, 0},
		{Mislead, 1, 1}, {Advance, 0, 0},
	}},
	{"a 304 is never suspect", SuspectUnmodified, "I1", LaggingEdges | ExchangeFaults | Failovers, hidden, []Event{
		{Lead, 0, 0}, {Connect, 0, 0}, {Replicate, 0, 1}, {Publish, 0, 0}, {Poll, 0, 0}, {Answer, 0, 0}, {Take, 0, 0}, {Exchange, 0, 2},
		{Hear, 0, 0}, {Failover, 0, 0}, {Wait, 0, 8}, {Renew, 0, 0}, {Campaign, 0, 0}, {Poll, 0, 0}, {Lag, 0, 1},
	}},
	{"an answer confirms content to which Redis rolled back", AnswerIsAboutOne, "I14", Bursts | Failovers | ClockSteps, quick, []Event{
		{Burst, 0, 140}, {Failover, 2, 0}, {Ask, 0, 0}, {Step, 1, 1}, {Renew, 0, 0},
	}},
	{"an entry that was not read is overwritten", OverwriteFoundOnly, "I1", MemoryFull | CDNFaults | SDKWrites | Splits, quick, []Event{
		{Full, 2, 0}, {Outage, 0, 0}, {Withhold, 0, 0}, {Outage, 1, 0}, {Ask, 0, 0}, {Publish, 0, 0}, {Replicate, 1, 0},
		{Split, 0, 0}, {Rejoin, 0, 0}, {SDK, 1, 0},
	}},
	{"an answer overwrites a later entry", KeepLaterThanAnswer, "I1", MemoryFull | CDNFaults | SDKWrites, quick, []Event{
		{Full, 2, 0}, {Campaign, 0, 0}, {Ask, 0, 0}, {Publish, 2, 0}, {Take, 0, 0}, {Full, 2, 0}, {Renew, 0, 0},
		{SDK, 1, 0}, {Outage, 0, 0}, {Campaign, 0, 0}, {Withhold, 0, 0},
	}},
	{"a clock that jumps makes an answer later", LatestIsFixed, "I1", MemoryFull | SDKWrites | ClockSteps, hidden, []Event{
		{Full, 1, 0}, {Lead, 0, 0}, {Withhold, 2, 0}, {SDK, 0, 0}, {Step, 2, 84},
	}},
	{"the hash of content is not checked", HashChecked, "I4", DataLoss | MessageFaults, quick, []Event{
		{Publish, 2, 0}, {Lead, 0, 0}, {Corrupt, 2, 2},
	}},
	{"a blob is accepted that meta does not name", MetaNamesContent, "I3", DataLoss | RollBacks, quick, []Event{
		{Connect, 1, 0}, {Publish, 1, 0}, {RollBack, 1, 1}, {Lead, 1, 0}, {Hear, 1, 0}, {RollBack, 1, 0},
		{Lead, 1, 0}, {Corrupt, 2, 69},
	}},
	{"a follower accepts any rev", NeverLower, "I1", MessageFaults, quick, []Event{
		{Connect, 0, 0}, {Publish, 0, 0}, {Lead, 1, 0}, {Publish, 0, 0}, {Lead, 1, 0},
	}},
	{"no rebase rule", Rebase, "I8", ClockSteps | Failovers, quick, []Event{
		{Connect, 0, 0}, {Lead, 2, 0}, {Reread, 0, 0}, {Step, 2, 1}, {Failover, 1, 0}, {Step, 0, 1},
		{Publish, 2, 0},
	}},
	{"the rebase rule applies at once", RebaseSpan | RebaseInFlight | RebaseItems, "I1", AllFaults, slow, []Event{
		{Connect, 0, 0}, {Lead, 0, 0}, {Lead, 0, 0}, {Lead, 0, 0}, {Renew, 0, 0}, {Publish, 0, 0},
		{Lead, 0, 0}, {Hear, 0, 0}, {Hear, 0, 0}, {Lead, 0, 0}, {Read, 0, 0}, {Read, 0, 3},
		{Hear, 0, 0},
	}},
	{"the rebase rule applies without an answer of the CDN", RebaseAnswer, "I1", CDNFaults | DataLoss, quick, []Event{
		{Outage, 0, 0}, {Outage, 0, 0}, {Lead, 1, 0}, {Renew, 1, 0}, {Publish, 2, 0}, {Connect, 0, 0},
		{Wait, 1, 71}, {Lead, 0, 0}, {Outage, 0, 0}, {Reorder, 0, 0}, {Flush, 0, 0}, {Lead, 1, 0},
		{Outage, 0, 0}, {Outage, 1, 0}, {Lead, 1, 0},
	}},
	{"an answer confirms other content", AnswerIsAboutHeld, "I14", AllFaults, quick, []Event{
		{Publish, 2, 0}, {SDK, 0, 0}, {Publish, 0, 0},
	}},
	{"nothing makes up for a lost message", Heartbeats | ReadOnConnect | ReadMetaAgain, "I8", MessageFaults, quick, []Event{
		{Lead, 1, 0},
	}},
	{"a leader's older content replaces what a follower fetched", FetchedWaits, "I1", OnlineFollowers, quick, []Event{
		{Lead, 0, 0}, {Publish, 0, 0}, {Fetch, 0, 0},
	}},
	{"content that a follower fetched waits for a clock that was set back", FetchedYieldsToEvidence, "I8", OnlineFollowers | ClockSteps | FollowerFaults, quick, []Event{
		{Fetch, 0, 0}, {Lead, 0, 0}, {Renew, 0, 0}, {Connect, 0, 0}, {Take, 0, 0}, {Step, 2, 1}, {Publish, 0, 0},
	}},
	{"a follower believes a lagging edge", SuspectHeld, "I1", OnlineFollowers, quick, []Event{
		{Fetch, 0, 0}, {Publish, 2, 0}, {Fetch, 0, 0}, {Stray, 0, 0},
	}},
	{"an entry beside a blob is dated by the local clock", BlobIsALeaders, "I1", OnlineFollowers | ClockSteps | DataLoss | ProcessFaults, slow, []Event{
		{Step, 0, 4}, {Lead, 0, 0}, {Publish, 0, 0}, {Fetch, 0, 0}, {Crash, 0, 0}, {Wait, 0, 9}, {Delete, 0, 2}, {Connect, 0, 0},
		{Advance, 0, 0}, {Advance, 0, 0}, {Advance, 0, 0}, {Advance, 0, 0},
	}},
	{"an entry without meta is dated by a clock of before", LostMetaProvesNothing, "I1", OnlineFollowers | ClockSteps | DataLoss, slow, []Event{
		{Connect, 1, 160}, {Lead, 0, 125}, {Hear, 1, 244}, {Step, 0, 210}, {Lead, 2, 121}, {Publish, 0, 25}, {Fetch, 1, 242}, {Delete, 0, 90},
		{Wait, 0, 174}, {Wait, 0, 214},
	}},
	{"another fleet's content reaches a follower", ChannelNamesFleet, "I1", Strangers, quick, []Event{
		{Connect, 0, 0}, {Stranger, 0, 0}, {Hear, 0, 0},
	}},
	{"another fleet's refresh request makes a leader poll", ChannelNamesFleet, "names", Strangers, quick, []Event{
		{Lead, 0, 0}, {Stranger, 0, 6},
	}},
	{"another fleet's resignation wakes a candidate", ChannelNamesFleet, "names", Strangers, quick, []Event{
		{Stranger, 0, 4},
	}},
	{"what a patch makes is not checked", PatchResult, "I4", MessageFaults | Bursts, quick, []Event{
		{Burst, 0, 1}, {Publish, 1, 0}, {Ask, 0, 0}, {Connect, 2, 0}, {Take, 0, 0}, {Hear, 2, 0}, {Burst, 0, 0}, {Garble, 2, 216},
	}},
	{"a patch applies to any content, and the result is not checked", PatchResult | PatchBase, "I4", MessageFaults | Bursts, quick, []Event{
		{Lead, 1, 0}, {Reread, 0, 0}, {Publish, 2, 0}, {Publish, 2, 0}, {Publish, 1, 0}, {Reread, 0, 0}, {Publish, 0, 0}, {Burst, 1, 1},
	}},
	{"patches to former content stay", PatchesDeleted, "I3", Bursts, quick, []Event{
		{Publish, 2, 0}, {Burst, 2, 2}, {Publish, 2, 0},
	}},
}
