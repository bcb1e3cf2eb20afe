package main

// operating are mutants of how operators pin and force.
var operating = []mutant{
	{
		"an operator overwrites another's order", "F40", []edit{{"leader/internal/script/control.lua",
			`if stored ~= expected then`, `if false then`}},
		test{"leader/internal/script", "^TestAControlReplacesOnlyTheExpectedOne$"},
	},
	{
		"an order is written under an older leader", "F40", []edit{{"leader/internal/script/control.lua",
			`if not lock_key and meta[EPOCH] and not has_proto(meta) then`, `if false then`}},
		test{"leader/internal/script", "^TestNoControlIsWrittenUnderAnOlderLeader$"},
	},
	{
		"the seq of a control falls with the clock", "F40", []edit{{"leader/internal/script/control.lua",
			`math.max(stored + 1, above + 1, now)`, `now`}},
		test{"leader/internal/script", "^TestTheSeqOfAControlOnlyRises$"},
	},
	{
		"a leader writes a control without its lock", "I2", []edit{{"leader/internal/script/control.lua",
			`if lock_key and read('GET', lock_key) ~= own_lock then`, `if false then`}},
		test{"leader/internal/script", "^TestALeaderWritesAControlOnlyWithItsLock$"},
	},
	{
		"a write whose reply was lost is a conflict", "F32", []edit{{"leader/internal/script",
			`if answer.Outcome == Stale && answer.Seq > w.Expected && answer.Stored.is(body) {`, `if false {`}},
		test{"leader/internal/script", "^TestAWriteWhoseReplyWasLostSucceeds$"},
	},
	{
		"other content than the pin's is read", "I4", []edit{{"leader/internal/script",
			`if blob.Hash != hash {
		return nil, fmt.Errorf("%w: its hash`, `if false {
		return nil, fmt.Errorf("%w: its hash`}},
		test{"leader/internal/script", "^TestPinnedContentMustBeThatOfThePin$"},
	},
	{
		"a change ends what Redis has lost", "F40", []edit{{"leader/control",
			`if c.Lost != nil && c.acted != 0 {`, `if false {`}},
		test{"leader/control", "^TestNothingIsChangedWhileRedisHasLostWhatIsInForce$"},
	},
	{
		"an order under an older leader is computed", "F40", []edit{{"leader/control",
			`	if c.Earlier {
		return nil`, `	if false {
		return nil`}},
		test{"leader/control", "^TestAnEarlierLeaderActsOnNothing$"},
	},
	{
		"what has ended is written again", "F40", []edit{{"leader/control",
			`return c.stored.Control.InForce(c.Now.UnixMilli()) }`, `return c.stored.Control.InForce(0) }`}},
		test{"leader/control", "^TestWhatHasEndedIsNotInForce$"},
	},
	{
		"overwrites by official SDKs are not counted", "F40", []edit{{"leader/internal/script/commit.lua",
			`if fetched > 0 and current > 0 and fetched ~= current then`, `if false then`}},
		test{"leader/internal/script", "^TestACommitCountsOverwritesOfTheEntryBySDKs$"},
	},
	{
		"each change counts as an overwrite", "F40", []edit{{"leader/internal/script/commit.lua",
			`if fetched > 0 and current > 0 and fetched ~= current then`, `if fetched > 0 and current > 0 then`}},
		test{"leader/internal/script", "^TestACommitCountsOverwritesOfTheEntryBySDKs$"},
	},
}
