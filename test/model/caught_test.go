package model

// caught are traces that the model found, each of which breaks an invariant without one
// rule, and none with it. The first of them are how their rules came to be.
var caught = []struct {
	name    string // of what is wrong
	without Guard
	breaks  string
	faults  Classes // with which a search finds it, too
	trace   []Event
}{
	{"a lock that outlasts its clock", LockEnds, "I8", AllFaults, []Event{
		{Lead, 0, 0}, {Publish, 2, 0}, {Crash, 0, 0}, {Step, 1, 1},
	}},
	{"a lost meta mended over an SDK's entry", AskBeforeRepair, "I1", AllFaults, []Event{
		{Lead, 0, 0}, {Publish, 0, 0}, {Delete, 2, 2}, {SDK, 2, 0},
	}},
	{"a commit over an SDK's entry", AskBeforeRepair, "I1", AllFaults, []Event{
		{Campaign, 1, 0}, {Poll, 1, 0}, {Connect, 2, 0}, {Answer, 1, 0}, {Publish, 0, 0}, {SDK, 2, 0},
		{Reread, 2, 0},
	}},
	{"the rebase rule after a clock that was set back twice", RebaseClock, "I8", AllFaults, []Event{
		{Reread, 1, 0}, {Lead, 1, 0}, {Reread, 1, 0}, {Step, 2, 1}, {Publish, 0, 0}, {Crash, 1, 0},
		{Failover, 1, 0}, {Lead, 1, 0}, {Step, 0, 1},
	}},
	{"the rebase rule with an answer that was under way", RebaseUnderWay, "I1", AllFaults, []Event{
		{Connect, 0, 0}, {Lead, 2, 0}, {Poll, 2, 0}, {Answer, 2, 0}, {Publish, 1, 0}, {SDK, 1, 0},
		{Delete, 0, 1}, {Hear, 0, 0}, {Delete, 2, 0},
	}},
	{"a Redis that fell back and is believed", KeepCurrent, "I1", AllFaults, []Event{
		{Lead, 0, 0}, {Failover, 2, 0}, {Lead, 0, 0}, {Lead, 0, 0}, {SDK, 0, 0}, {Lead, 0, 0},
		{Publish, 2, 0}, {Outage, 2, 0}, {Outage, 0, 0}, {Connect, 2, 0}, {Lead, 0, 0}, {Hear, 2, 0},
		{Lead, 0, 0}, {Renew, 0, 0}, {Renew, 0, 0}, {Outage, 2, 0}, {Lead, 0, 0}, {Failover, 0, 0},
		{Wait, 0, 236}, {Outage, 2, 0}, {Renew, 0, 0}, {Outage, 0, 0}, {Lead, 0, 0}, {Renew, 0, 0},
		{Lead, 0, 0},
	}},
	{"a commit that is not fenced", FencedCommit, "I2", AllFaults, []Event{
		{Lead, 0, 0}, {Publish, 2, 0}, {Ask, 0, 0}, {Wait, 1, 226},
	}},
	{"a touch that is not fenced", FencedRenewal, "I2", AllFaults, []Event{
		{Lead, 2, 0}, {Step, 1, 0}, {Lead, 2, 0},
	}},
	{"a commit that does not look at the base", Base, "I1", ProcessFaults | ExchangeFaults, []Event{
		{Lead, 2, 0}, {Publish, 0, 0}, {Ask, 2, 0}, {Connect, 2, 0}, {Publish, 1, 0}, {Exchange, 2, 3},
		{Lead, 2, 0}, {Hear, 2, 0},
	}},
	{"a rev that is the time", RevRises, "I9", AllFaults, []Event{
		{SDK, 2, 85},
	}},
	{"a fetch time below that of the entry", EntryFloor, "I9", AllFaults, []Event{
		{SDK, 1, 3}, {Lead, 2, 0},
	}},
	{"healing that moves rev to the present", RepairStaysBehind, "I1", AllFaults, []Event{
		{Lead, 1, 0}, {Wait, 1, 79}, {Publish, 0, 0}, {Mislead, 1, 0}, {Reread, 2, 0}, {Lead, 0, 0},
		{Reread, 2, 0}, {Outage, 2, 0}, {Flush, 1, 0}, {Lead, 1, 0},
	}},
	{"healing that claims an answer", RepairConfirmsNothing, "I14", AllFaults, []Event{
		{Lead, 0, 0}, {SDK, 0, 2}, {Renew, 0, 0},
	}},
	{"an answer about what is pending told of what is current", AnswerIsAboutOne, "I14", AllFaults, []Event{
		{Lead, 0, 0}, {Wait, 2, 70}, {Campaign, 2, 0}, {Publish, 2, 0}, {Ask, 2, 0}, {Exchange, 2, 1},
	}},
	{"a message of its own script", OneScript, "I3", AllFaults, []Event{
		{Lead, 2, 0}, {Failover, 0, 0}, {Failover, 1, 0},
	}},
	{"a touch that does not look at what it renews", RenewalChecks, "I9", AllFaults, []Event{
		{Lead, 2, 0}, {SDK, 0, 3}, {Poll, 2, 0},
	}},
	{"an edge that lags and is believed", SuspectReplaced, "I1", LaggingEdges, []Event{
		{Publish, 2, 0}, {Publish, 0, 0}, {Lead, 0, 0}, {Publish, 1, 0}, {Connect, 2, 0}, {Lead, 0, 0},
		{Replicate, 0, 2}, {Mislead, 0, 1}, {Reread, 2, 0},
	}},
	{"a memory of what was replaced that goes with Redis's", RememberReplaced, "I1", LaggingEdges | DataLoss | Failovers, []Event{
		{Publish, 2, 0}, {Lead, 2, 0}, {Publish, 1, 0}, {Connect, 1, 0}, {Lead, 2, 0}, {Flush, 1, 0},
		{Renew, 2, 0}, {Lead, 2, 0}, {Mislead, 2, 1}, {Hear, 1, 0},
	}},
	{"an old memory that seeds Redis", RepairCurrentOnly, "I1", AllFaults, []Event{
		{Outage, 0, 0}, {Connect, 2, 0}, {Outage, 0, 0}, {Publish, 0, 0}, {Outage, 0, 0}, {Outage, 0, 0},
		{Outage, 0, 0}, {Outage, 0, 0}, {Publish, 0, 0}, {Lead, 0, 0}, {Publish, 0, 0}, {Flush, 2, 0},
		{Campaign, 2, 0}, {Ask, 2, 0}, {Ask, 0, 0}, {Hear, 2, 0}, {Campaign, 0, 0}, {Campaign, 2, 0},
		{Poll, 0, 0}, {Outage, 0, 0}, {Flush, 0, 0}, {Outage, 0, 0}, {Outage, 0, 0}, {Lead, 0, 0},
	}},
	{"an SDK's later entry written over from memory", SpareFetchedLater, "I1", AllFaults, []Event{
		{Lead, 2, 0}, {Outage, 0, 0}, {Connect, 0, 0}, {Publish, 1, 0}, {Outage, 2, 0}, {SDK, 2, 0},
		{Wait, 0, 141}, {Outage, 0, 0}, {Reread, 0, 0}, {Lead, 0, 0}, {Renew, 0, 0}, {Lead, 0, 0},
	}},
	{"old content repaired above what followers hold", RepairBelow, "I1", Copies | CDNFaults | DataLoss | ProcessFaults, []Event{
		{Lead, 0, 0}, {Save, 0, 0}, {Publish, 0, 0}, {Lead, 0, 0}, {Connect, 0, 0}, {Advance, 0, 0}, {Advance, 0, 0}, {Campaign, 1, 0},
		{Campaign, 1, 0}, {Crash, 0, 0}, {Restore, 0, 0}, {Outage, 0, 0}, {Delete, 0, 0}, {Wait, 0, 8}, {Campaign, 1, 0}, {Renew, 1, 0},
		{Renew, 1, 0}, {Connect, 0, 0}, {Reread, 0, 0}, {Advance, 0, 0}, {Advance, 0, 0},
	}},
	{"revs that prove something while the clock is behind", ClockBehind, "I1", ClockSteps | CDNFaults | DataLoss, []Event{
		{Lead, 0, 0}, {Step, 0, 1}, {Flush, 0, 0}, {Publish, 0, 0}, {Lead, 1, 0}, {Connect, 0, 0}, {Advance, 0, 0}, {Renew, 0, 0},
		{Wait, 0, 8}, {Outage, 0, 0}, {Campaign, 0, 0}, {Ask, 0, 0}, {Advance, 0, 0},
	}},
	{"a memory of what was replaced that is bounded by number", RememberByTime, "I1", LaggingEdges | Bursts, []Event{
		{Reread, 2, 0}, {Burst, 0, 71}, {Reread, 2, 0}, {Poll, 0, 0}, {Lag, 0, 1},
	}},
	{"content that was never committed and comes back", BelievedReplaces, "I1", LaggingEdges | MemoryFull, []Event{
		{Withhold, 0, 0}, {Publish, 0, 0}, {Lead, 0, 0}, {Connect, 0, 0}, {Advance, 0, 0}, {Advance, 0, 0}, {Mislead, 0, 1},
	}},
	{"others who do not learn what was replaced", TellReplaced, "I1", LaggingEdges | MemoryFull | ProcessFaults, []Event{
		{Withhold, 0, 0}, {Publish, 0, 0}, {Lead, 0, 0}, {Connect, 0, 0}, {Advance, 0, 0}, {Resign, 0, 0}, {Campaign, 1, 0},
		{Mislead, 1, 1}, {Advance, 0, 0},
	}},
	{"a 304 that is believed", SuspectUnmodified, "I1", LaggingEdges | ExchangeFaults | Failovers, []Event{
		{Lead, 0, 0}, {Connect, 0, 0}, {Replicate, 0, 1}, {Publish, 0, 0}, {Poll, 0, 0}, {Answer, 0, 0}, {Take, 0, 0}, {Exchange, 0, 2},
		{Hear, 0, 0}, {Failover, 0, 0}, {Wait, 0, 8}, {Renew, 0, 0}, {Campaign, 0, 0}, {Poll, 0, 0}, {Lag, 0, 1},
	}},
	{"an answer told of what Redis fell back to", AnswerIsAboutOne, "I14", Bursts | Failovers | ClockSteps, []Event{
		{Burst, 0, 140}, {Failover, 2, 0}, {Ask, 0, 0}, {Step, 1, 1}, {Renew, 0, 0},
	}},
	{"a leave to write over an entry that nobody looked at", OverSeenOnly, "I1", MemoryFull | CDNFaults | SDKWrites | Splits, []Event{
		{Full, 2, 0}, {Outage, 0, 0}, {Withhold, 0, 0}, {Outage, 1, 0}, {Ask, 0, 0}, {Publish, 0, 0}, {Replicate, 1, 0},
		{Split, 0, 0}, {Heal, 0, 0}, {SDK, 1, 0},
	}},
	{"an answer put above an entry that is later", SpareAfterAnswer, "I1", MemoryFull | CDNFaults | SDKWrites, []Event{
		{Full, 2, 0}, {Campaign, 0, 0}, {Ask, 0, 0}, {Publish, 2, 0}, {Take, 0, 0}, {Full, 2, 0}, {Renew, 0, 0},
		{SDK, 1, 0}, {Outage, 0, 0}, {Campaign, 0, 0}, {Withhold, 0, 0},
	}},
	{"an answer that a clock makes later", LatestIsFixed, "I1", MemoryFull | SDKWrites | ClockSteps, []Event{
		{Full, 1, 0}, {Lead, 0, 0}, {Withhold, 2, 0}, {SDK, 0, 0}, {Step, 2, 84},
	}},
	{"content that is not compared with its hash", HashChecked, "I4", DataLoss | MessageFaults, []Event{
		{Publish, 2, 0}, {Lead, 0, 0}, {Corrupt, 2, 2},
	}},
	{"a blob that meta does not name", MetaNamesContent, "I3", AllFaults, []Event{
		{Connect, 1, 0}, {Publish, 1, 0}, {RollBack, 1, 1}, {Lead, 1, 0}, {Hear, 1, 0}, {RollBack, 1, 0},
		{Lead, 1, 0}, {Corrupt, 2, 69},
	}},
	{"a follower that takes any rev", NeverLower, "I1", MessageFaults, []Event{
		{Connect, 0, 0}, {Publish, 0, 0}, {Lead, 1, 0}, {Publish, 0, 0}, {Lead, 1, 0},
	}},
	{"no rebase rule", Rebase, "I8", AllFaults, []Event{
		{Connect, 0, 0}, {Lead, 2, 0}, {Reread, 0, 0}, {Step, 2, 1}, {Failover, 1, 0}, {Step, 0, 1},
		{Publish, 2, 0},
	}},
	{"the rebase rule at once", RebaseSpan | RebaseUnderWay | RebaseItems, "I1", AllFaults, []Event{
		{Connect, 0, 0}, {Lead, 0, 0}, {Lead, 0, 0}, {Lead, 0, 0}, {Renew, 0, 0}, {Publish, 0, 0},
		{Lead, 0, 0}, {Hear, 0, 0}, {Hear, 0, 0}, {Lead, 0, 0}, {Read, 0, 0}, {Read, 0, 3},
		{Hear, 0, 0},
	}},
	{"the rebase rule without an answer of the CDN", RebaseAnswer, "I1", AllFaults, []Event{
		{Outage, 0, 0}, {Outage, 0, 0}, {Lead, 1, 0}, {Renew, 1, 0}, {Publish, 2, 0}, {Connect, 0, 0},
		{Wait, 1, 71}, {Lead, 0, 0}, {Outage, 0, 0}, {Reorder, 0, 0}, {Flush, 0, 0}, {Lead, 1, 0},
		{Outage, 0, 0}, {Outage, 1, 0}, {Lead, 1, 0},
	}},
	{"an answer that confirms other content", AnswerIsAboutHeld, "I14", AllFaults, []Event{
		{Publish, 2, 0}, {SDK, 0, 0}, {Publish, 0, 0},
	}},
	{"nothing that makes up for a lost message", Heartbeats | ReadOnConnect | ReadMetaAgain, "I8", MessageFaults, []Event{
		{Lead, 1, 0},
	}},
	{"a leader's older content that replaces what a follower fetched", FetchedWaits, "I1", OnlineFollowers, []Event{
		{Lead, 0, 0}, {Publish, 0, 0}, {Fetch, 0, 0},
	}},
	{"what a follower fetched that waits for a clock that was set back", FetchedYieldsToEvidence, "I8", OnlineFollowers | ClockSteps | FollowerFaults, []Event{
		{Fetch, 0, 0}, {Lead, 0, 0}, {Renew, 0, 0}, {Connect, 0, 0}, {Take, 0, 0}, {Step, 2, 1}, {Publish, 0, 0},
	}},
	{"an edge that lags and is believed by a follower", SuspectHeld, "I1", OnlineFollowers, []Event{
		{Fetch, 0, 0}, {Publish, 2, 0}, {Fetch, 0, 0}, {Stray, 0, 0},
	}},
	{"another fleet's content that reaches a follower", ChannelNamesFleet, "I1", Strangers, []Event{
		{Connect, 0, 0}, {Stranger, 0, 0}, {Hear, 0, 0},
	}},
	{"another fleet's refresh request that makes a leader poll", ChannelNamesFleet, "names", Strangers, []Event{
		{Lead, 0, 0}, {Stranger, 0, 6},
	}},
	{"another fleet's resignation that wakes a candidate", ChannelNamesFleet, "names", Strangers, []Event{
		{Stranger, 0, 4},
	}},
}
