package main

// patching are mutants of patches, of leaders and followers.
var patching = []mutant{
	{
		"the result of a patch is not checked", "F38", []edit{{"follower/internal/feed",
			`if wire.ContentHash(next) != step.To {`, `if false {`}},
		test{"follower", "^TestAPatchThatDoesNotMakeTheContentIsReadWhole$"},
	},
	{
		"the result of patches that are read is not checked", "F38", []edit{{"follower/internal/feed",
			`if wire.ContentHash(next) != step.To {`, `if false {`}},
		test{"follower", "^TestPatchesThatDoNotMakeTheContentAreReadWhole$"},
	},
	{
		"a patch applies to any content", "F38", []edit{{"follower/internal/feed",
			`if held == nil || wire.ShortHash(held.Hash) != m.Base {`, `if held == nil {`}},
		test{"follower", "^TestAPatchThatDoesNotMakeTheContentIsReadWhole$"},
	},
	{
		"a chain of patches has holes", "F38", []edit{{"internal/wire",
			`return nil // a hole`, `continue`}},
		test{"internal/wire", "^TestChainLeadsFromTheContentHeldToTheNewest$"},
	},
	{
		"the length of what a patch makes is not bounded", "F38", []edit{{"internal/patch",
			`if length < 0 || length > wire.MaxConfigBytes ||`, `if length < 0 ||`}},
		test{"internal/patch", "^TestInvalidPatchesAreRefused$"},
	},
	{
		"a middle of any length is accepted", "F38", []edit{{"internal/patch",
			`if len(middle) != size {`, `if false {`}},
		test{"internal/patch", "^TestInvalidPatchesAreRefused$"},
	},
	{
		"stored patches may be of any size", "F38", []edit{{"internal/wire",
			`size > int64(len(rest)):`, `size > int64(len(rest)) && size < 0:`}},
		test{"internal/wire", "^TestMalformedPatchesAreRefused$"},
	},
	{
		"patches that do not help make followers read the blob at once", "I12", []edit{{"follower/internal/feed",
			`if wait := time.Until(s.windows.wholeAt); wait > 0 {`, `if wait := time.Until(s.windows.wholeAt); false {`}},
		test{"follower", "^TestPatchesThatDoNotMakeTheContentAreReadWhole$"},
	},
	{
		"patches may make other content than the announced one", "I4", []edit{{"follower/internal/feed",
			`if steps.To() != hash {`, `if false {`}},
		test{"follower/internal/feed", "^TestPatchesMakeOnlyTheAnnouncedContent$"},
	},
	{
		"patches hide that Redis lost its data", "I6", []edit{{"follower/internal/feed",
			`case s.rebase.due(), !r.locked, r.meta.Rev == 0:`, `case s.rebase.due():`}},
		test{"follower", "^TestPatchesDoNotHideTheEntryWhenRedisLostItsData$"},
	},
	{
		"followers that come back read the blob", "F38", []edit{{"follower/internal/feed",
			`	absent := s.windows.stated && s.windows.patches == 0
`, `	absent := true
`}},
		test{"follower", "^TestAFollowerThatComesBackReadsThePatches$"},
	},
	{
		"patches are read although there are none", "I12", []edit{{"follower/internal/feed",
			`	absent := s.windows.stated && s.windows.patches == 0
`, `	absent := false
`}},
		test{"follower", "^TestPatchesThatAreNotAnnouncedAreNotRead$"},
	},
	{
		"a message with a patch has no spread window", "I12", []edit{{"leader",
			`		a.Patches, a.From, a.Message.Base = next, t.hash, wire.ShortHash(t.hash)
`, `		a.Patches, a.From, a.Message.Base = next, t.hash, wire.ShortHash(t.hash)
		a.Message.Spread = 0
`}},
		test{"leader", "^TestAMessageWithAPatchStatesTheWindowOfTheBlob$"},
	},
	{
		"a dictionary is loaded without time for it", "F38", []edit{{"internal/patch",
			`if !hasTime(ctx, dict, options) {`, `if ctx.Err() != nil {`}},
		test{"internal/patch", "^TestADictionaryThatTakesTooLongIsNotLoaded$"},
	},
	{
		"a patch may take any time", "F38", []edit{{"internal/patch",
			`err = errors.Join(err, ctx.Err())`, `err = errors.Join(err)`}},
		test{"internal/patch", "^TestMakeStopsWhenItsTimeEnds$"},
	},
	{
		"a patch may be as large as the content", "F38", []edit{{"leader",
			`&& len(p) < len(c.Payload)/2 {`, `{`}},
		test{"leader", "^TestAPatchThatSavesLittleIsNotUsed$"},
	},
	{
		"a commit waits for a patch for any time", "F38", []edit{{"leader",
			`budget, cancel := context.WithTimeout(ctx, patchBudget)`, `budget, cancel := context.WithCancel(ctx)`}},
		test{"leader", "^TestAPatchThatTakesTooLongIsNotUsed$"},
	},
	{
		"content with a redirect is committed", "S86", []edit{{"leader",
			`		prepared = e.prepare(ctx, base, json, running)
`, `		if prepared == nil {
			prepared = e.prepare(ctx, base, json, running)
		}
`}},
		test{"leader", "^TestTheContentOfTheLastRedirectIsCommitted$"},
	},
	{
		"a patch from other content than meta names is stored", "F38", []edit{{"leader/internal/script/commit.lua",
			`if from ~= '' and from == meta[HASH] then`, `if from ~= '' then`}},
		test{"leader/internal/script", "^TestACommitWritesThePatchesOrDeletesThem$"},
	},
	{
		"patches to former content stay", "F38", []edit{{"leader/internal/script/commit.lua",
			`    redis.call('DEL', patches_key)
`, ``}},
		test{"leader/internal/script", "^TestACommitWritesThePatchesOrDeletesThem$"},
	},
	{
		"a repair drops the patches", "F38", []edit{{"leader/internal/script/commit.lua",
			`if hash ~= meta[HASH] then`, `do`}},
		test{"leader/internal/script", "^TestACommitWritesThePatchesOrDeletesThem$"},
	},
	{
		"a new leader forgets the patches", "F38", []edit{{"leader",
			`	t.loadPatches(ctx, t.content)
	cause =`, `	cause =`}},
		test{"leader", "^TestANewTermContinuesThePatches$"},
	},
}
