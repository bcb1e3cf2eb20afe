package main

// recording are mutants of the history.
var recording = []mutant{
	{
		"a step back is not verified", "I4", []edit{{"history",
			`if err != nil || wire.ContentHash(before) != h.Versions[i+1].Hash {`, `if err != nil {`}},
		test{"history", "^TestEachStepBackIsVerified$"},
	},
	{
		"what is in force in a gap is guessed", "F40", []edit{{"history",
			`h.Versions[i-1].Gap == Unrecorded && !exactly(v)`, `h.Versions[i-1].Gap == Corrupt && !exactly(v)`}},
		test{"history", "^TestFindDoesNotGuessInAGap$"},
	},
	{
		"a missing entry is not a gap", "F40", []edit{{"history",
			`case e.From != entries[i+1].Hash: // or`, `case false: // or`}},
		test{"history", "^TestFindDoesNotGuessInAGap$"},
	},
	{
		"a current config that is not recorded is not shown", "F40", []edit{{"history",
			`entries[0].Hash != meta.Hash) {`, `false) {`}},
		test{"history", "^TestTheCurrentConfigIsShownEvenIfItIsNotRecorded$"},
	},
	{
		"what was in force before an entry is guessed if meta was lost", "F40", []edit{{"history",
			`case e.From != entries[i+1].Hash: // or`, `case e.From != entries[i+1].Hash && e.From != "": // or`}},
		test{"history", "^TestFindDoesNotGuessBeforeAnEntryWithoutTheConfigBefore$"},
	},
	{
		"a page of the history may have any size", "F40", []edit{{"history",
			`Value: wire.MaxHistoryValueBytes, Total: max(left, 1)`, `Value: wire.MaxHistoryValueBytes`}},
		test{"history", "^TestAHugePageOfTheHistoryIsRefused$"},
	},
	{
		"a history of any size is read", "F40", []edit{{"history",
			`left -= reply.Size()`, `_ = left`}},
		test{"history", "^TestAHugeHistoryIsRefused$"},
	},
	{
		"a repair adds an entry", "F40", []edit{{"leader/internal/script/commit.lua",
			`if entries == 0 or before == hash then return end`, `if entries == 0 then return end`}},
		test{"leader/internal/script", "^TestACommitAddsNewContentToTheHistory$"},
	},
	{
		"a repair of a lost meta adds an entry", "F40", []edit{{"leader/internal/script/commit.lua",
			`if not before and newest(history_key) == hash then return end -- meta was lost, and this repairs it`, ``}},
		test{"leader/internal/script", "^TestARepairOfALostMetaAddsNothing$"},
	},
	{
		"an entry leads back from content that was not current", "F40", []edit{{"leader/internal/script/commit.lua",
			`'back', known and back or '')`, `'back', back)`}},
		test{"leader/internal/script", "^TestAnEntryLeadsBackOnlyToTheContentThatItReplaced$"},
	},
	{
		"an error of the history fails the commit", "I3", []edit{{"leader/internal/script/commit.lua",
			`local finished, failure = pcall(record)`, `local finished, failure = true, record()`}},
		test{"leader/internal/script", "^TestAnEntryThatIsRefusedDoesNotFailTheCommit$"},
	},
	{
		"an entry that Redis refuses fails the commit", "I3", []edit{{"leader/internal/script/commit.lua",
			`    return redis.pcall('XADD',`, `    return redis.call('XADD',`}, {"leader/internal/script/commit.lua",
			`local finished, failure = pcall(record)`, `local finished, failure = true, record()`}},
		test{"leader/internal/script", "^TestAnEntryThatIsRefusedDoesNotFailTheCommit$/^xadd$"},
	},
	{
		"an error of the history is not returned", "F40", []edit{{"leader/internal/script/commit.lua",
			`if not finished or failure then`, `if false then`}},
		test{"leader/internal/script", "^TestAnEntryThatIsRefusedDoesNotFailTheCommit$"},
	},
	{
		"a history of another type stays", "F40", []edit{{"leader/internal/script/commit.lua",
			`    redis.call('DEL', history_key)
    reply = add()
`, ``}},
		test{"leader/internal/script", "^TestAHistoryOfAnotherTypeBeginsAgain$"},
	},
	{
		"the history has any number of entries", "F40", []edit{{"leader/internal/script/commit.lua",
			`'MAXLEN', entries, '*'`, `'*'`}},
		test{"leader/internal/script", "^TestTheHistoryHasAGreatestNumberOfEntries$"},
	},
	{
		"a trim is not fenced", "I2", []edit{{"leader/internal/script/trim.lua",
			`if read('GET', lock_key) ~= own_lock then return {'FENCED'} end`, ``}},
		test{"leader/internal/script", "^TestTrimIsFenced$"},
	},
	{
		"a trim removes the newest entry", "F40", []edit{{"leader/internal/script/trim.lua",
			`full or count > 0 and bytes + size > most`, `full or bytes + size > most`}, {"leader/internal/script/trim.lua",
			`'MINID', oldest) end`, `'MINID', oldest or '9999999999999') end`}},
		test{"leader/internal/script", "^TestTheOldestEntriesAreTrimmed$"},
	},
	{
		"the history has any size", "F40", []edit{{"leader",
			`outcome, now, err := e.store.Trim(ctx, t.lock, e.leader.cfg.HistoryBytes)`, `outcome, now, err := e.store.Trim(ctx, t.lock, 1<<30)`}},
		test{"leader", "^TestTheHistoryIsBounded$"},
	},
	{
		"content that does not fit is stored", "F40", []edit{{"leader",
			`if len(back.Payload) > e.maxBack() {`, `if false {`}},
		test{"leader", "^TestContentThatDoesNotFitIsLeftOut$"},
	},
	{
		"a leader without the rights stops publishing", "F24", []edit{{"leader",
			`missing, history = lacking.Required(), lacking.Missing`, `missing, history = lacking.Missing, lacking.Missing`}},
		test{"leader", "^TestALeaderWithoutRightsToTheHistoryLeads$"},
	},
	{
		"a leader does not say that it keeps no history", "F40", []edit{{"leader",
			`e.reportHistoryRights(history)`, `e.reportHistoryRights(history[:0])`}},
		test{"leader", "^TestALeaderWithoutRightsToTheHistoryLeads$"},
	},
	{
		"a refused history hides which rights are missing", "F24", []edit{{"leader",
			`case e.noHistory.Load(): // a check`, `case false: // a check`}},
		test{"leader", "^TestTheHistoryNamesTheMissingRights$"},
	},
	{
		"a new term leaves a hole", "F40", []edit{{"leader",
			`base, cause := t.content, t.pollCause()`, `base, cause := t.elector.content, t.pollCause()
	base = nil`}, {"leader",
			`if known || t.hash == ""`, `if true || known || t.hash == ""`}},
		test{"leader", "^TestTheHistoryLeadsBackToEveryVersion$"},
	},
	{
		"content that was fetched before another change leads back from it", "F40", []edit{{"leader",
			`if known || t.hash == ""`, `if true || known || t.hash == ""`}},
		test{"leader", "^TestContentOfAnSDKIsInTheHistory$"},
	},
	{
		"a lost reply leaves a hole", "F40", []edit{{"leader",
			`base := t.loadBase(ctx)`, `base := t.content`}},
		test{"leader", "^TestAChangeAfterALostReplyLeavesNoHole$"},
	},
	{
		"a lost reply ends the patches", "F38", []edit{{"leader",
			`	t.loadPatches(ctx, base)
`, ``}},
		test{"leader", "^TestAChangeAfterALostReplyLeavesNoHole$"},
	},
	{
		"a lost reply hides that an entry was refused", "F40", []edit{{"leader",
			`case now.Newest != c.Hash:`, `case false:`}},
		test{"leader", "^TestARefusedEntryIsReportedEvenIfTheReplyIsLost$"},
	},
	{
		"a change whose reply was lost is not trimmed", "F40", []edit{{"leader",
			`return t.recorded(ctx, c, changed, "")`, `return t.recorded(ctx, c, changed && false, "")`}},
		test{"leader", "^TestALostReplyAloneIsNotReported$"},
	},
	{
		"a repair by the same process is a poll", "F40", []edit{{"leader",
			`	current.cause = wire.CauseRepair // if it is committed again
`, ``}},
		test{"leader", "^TestARepairHasItsOwnCause$"},
	},
	{
		"a repair by another process is the first config", "F40", []edit{{"leader",
			`cause: wire.CauseRepair}`, `cause: wire.CauseFirst}`}},
		test{"leader", "^TestARepairHasItsOwnCause$"},
	},
	{
		"every entry is an SDK's", "F40", []edit{{"leader",
			`c != nil && written != 0 && fetched > written`, `c != nil && fetched > written`}},
		test{"leader", "^TestTheBridgesOwnEntryIsNotAnSDKs$"},
	},
	{
		"an entry takes a size from meta", "F40", []edit{{"leader/internal/script/commit.lua",
			`known and back_size or ''`, `before and digits(number(meta[LEN])) or ''`}},
		test{"leader/internal/script", "^TestAnEntryDoesNotTakeItsSizesFromMeta$"},
	},
	{
		"a trim reads all of the history", "F40", []edit{{"leader/internal/script/trim.lua",
			`local count, bytes, page, oldest, full = 0, 0, 1, nil, false`, `local count, bytes, page, oldest, full = 0, 0, 10000, nil, false`}},
		test{"leader/internal/script", "^TestAHugeHistoryIsNotRead$"},
	},
	{
		"empty fields do not count", "F40", []edit{{"leader/internal/script/trim.lua",
			`size + #part + 1 end`, `size + #part end`}},
		test{"leader/internal/script", "^TestAnEntryOfManyEmptyFieldsIsTrimmed$"},
	},
	{
		"all of the history is read for its newest entry", "F40", []edit{{"leader/internal/script/prelude.lua",
			`'+', '-', 'COUNT', 1)`, `'+', '-')`}},
		test{"leader/internal/script", "^TestAHugeHistoryIsNotRead$"},
	},
	{
		"an argument that may be an SDK key is quoted", "I13", []edit{{"cmd/catbridge",
			`ok && !isFile(argument) {`, `ok && errors.Is(err, fs.ErrNotExist) && !isFile(argument) {`}},
		test{"cmd/catbridge", "^TestAnUnreadableArgumentIsNotQuoted$"},
	},
	{
		"every change is a poll's", "F40", []edit{{"leader",
			`case t.polls.cause != "":`, `case false:`}},
		test{"leader", "^TestTheHistoryNamesTheCause$"},
	},
}
