package main

// evaluating are mutants of compiled configs, snapshots and hooks.
var evaluating = []mutant{
	{
		"a snapshot uses another user's evaluation cache", "S22", []edit{{"follower",
			`	return newSnapshot(s.evaluator, s.held, s.state, user, s.defaultUser)
`, `	other := newSnapshot(s.evaluator, s.held, s.state, user, s.defaultUser)
	other.evaluationCache.flags, other.evaluationCache.values = s.evaluationCache.flags, s.evaluationCache.values
	other.evaluationCache.filled.Store(s.evaluationCache.filled.Load())
	return other
`}},
		test{"follower", "^TestSnapshotsAgreeWithTheClientForEveryUser_S22$"},
	},
	{
		"flags with one key and two types are confused", "S24", []edit{{"follower",
			`unique.Make(flagName{kind, key})`, `unique.Make(flagName{0 * kind, key})`}},
		test{"follower", "^TestSnapshotsAgreeWithTheClientForEveryUser_S22$"},
	},
	{
		"an evaluation waits for slow hooks", "S49", []edit{{"follower",
			`	default:
		h.dropped.Add(1)
		if h.full`, `	case <-make(chan struct{}):
		h.dropped.Add(1)
		if h.full`}},
		test{"follower", "^TestAHangingEvaluationHookBlocksNothing_S49$"},
	},
	{
		"Close waits for slow hooks", "S2", []edit{{"follower",
			`	case <-timer.C:
		h.givenUp`, `	case <-make(chan struct{}):
		h.givenUp`}},
		test{"follower", "^TestCloseDrainsEvaluations_S49$"},
	},
	{
		"Close drops the queued calls of hooks", "S49", []edit{{"follower",
			`drainTime = time.Second`, `drainTime = 0 * time.Second`}},
		test{"follower", "^TestCloseDrainsEvaluations_S49$"},
	},
	{
		"a hook that ends its goroutine stops the others", "S52", []edit{{"follower",
			`				goWhile(step, done)
			}
		}()`, `				close(done)
			}
		}()`}},
		test{"follower", "^TestAHookThatEndsItsGoroutineStopsNoOtherHook_S52$"},
	},
	{
		"all flags are evaluated without shared results", "S18", []edit{{"evaluate",
			`r.recall = recall{}`, `r.recall = nil`}},
		test{"follower", "^TestAllDetailsEvaluateEveryPrerequisiteOnce$"},
	},
	{
		"a failed prerequisite is evaluated again", "S18", []edit{{"evaluate",
			`err == nil || err != errTooMany && !err.walked`, `err == nil`}},
		test{"evaluate", "^TestFailingPrerequisiteIsEvaluatedOnce$"},
	},
	{
		"a compiled setting is shared under another salt", "S36", []edit{{"evaluate", `(c.sameSalt || !s.salted)`, `(true || !s.salted)`}},
		test{"evaluate", "^TestReparsedConfigsAreThoseCompiledFromScratch$"},
	},
	{
		"a compiled setting is shared with other segments", "S73", []edit{{"evaluate", `(c.sameSegments || !s.segmented)`, `(true || !s.segmented)`}},
		test{"evaluate", "^TestReparsedConfigsAreThoseCompiledFromScratch$"},
	},
	{
		"a shared setting keeps its links to the earlier config", "S74", []edit{{"evaluate", `	copied.links, copied.cyclic = nil, false
`, ``}, {"evaluate", `if len(s.prerequisites) == 0 {`, `if len(s.prerequisites) == 0 || s.links != nil {`}},
		test{"evaluate", "^TestPrerequisitesOfSharedSettingsAreResolvedAgain$"},
	},
	{
		"a shared setting keeps its place among the earlier config's settings", "S17", []edit{{"evaluate", `int(s.place) == place && len(s.prerequisites) == 0`, `len(s.prerequisites) == 0`}},
		test{"evaluate", "^TestReparsedConfigsAreThoseCompiledFromScratch$"},
	},
	{
		"a setting that only begins like the earlier one is shared", "S77", []edit{{"evaluate", `string(text[:len(member)]) == member && isFollowed(text, len(member))`, `string(text[:len(member)]) == member`}},
		test{"evaluate", "^TestReparseReadsWhatFollowsAnUnchangedSetting$"},
	},
	{
		"a changed setting is not checked for valid JSON", "S77", []edit{{"evaluate", ` || !json.Valid(text[value:length])`, ``}},
		test{"evaluate", "^TestReparsedConfigsAreThoseCompiledFromScratch$"},
	},
	{
		"a changed setting is not checked for valid UTF-8", "S77", []edit{{"evaluate", `!utf8.Valid(text[:length])`, `!utf8.Valid(nil)`}},
		test{"evaluate", "^TestReparsedConfigsAreThoseCompiledFromScratch$"},
	},
	{
		"a document with another head is compared like one with other settings", "S77", []edit{{"evaluate", `string(data[:head]) != was.head || `, ``}},
		test{"evaluate", "^TestReparsedConfigsAreThoseCompiledFromScratch$"},
	},
	{
		"a shared setting keeps its document in memory", "S78", []edit{{"evaluate", `strings.Clone(member)`, `member`}},
		test{"evaluate", "^TestReparsedConfigsKeepNoFormerDocument$"},
	},
	{
		"the head of a document keeps all of it in memory", "S78", []edit{{"evaluate", `strings.Clone(text[:settings.start+1])`, `text[:settings.start+1]`}},
		test{"evaluate", "^TestRemovedSettingsLeaveTheMemory$"},
	},
	{
		"an empty list keeps the lists before it in memory", "S78", []edit{{"evaluate", `append([]string(nil), r.items...)`, `append(r.items[:0:0], r.items...)`}},
		test{"evaluate", "^TestRemovedSettingsLeaveTheMemory$"},
	},
	{
		"a look-up visits any number of slots", "S17", []edit{{"evaluate", `for range longestProbe { // chosen`, `for { // chosen`}},
		test{"evaluate", "^TestALookUpVisitsFewSlots$"},
	},
	{
		"differences do not show a salt", "S36", []edit{{"evaluate", `if e.exact { // once`, `if false { // once`}},
		test{"evaluate", "^TestDiffNamesExactlyTheFlagsThatMeanSomethingElse$"},
	},
	{
		"differences do not show the content of a segment", "S73", []edit{{"evaluate", `sum := e.digest(s)`, `var sum digest`}},
		test{"evaluate", "^TestDiffNamesEveryFlagWhoseEvaluationChanged$"},
	},
	{
		"differences do not show what depends on them", "S74", []edit{{"evaluate", `if c.kinds[s.key] == "" {`, `if false {`}},
		test{"evaluate", "^TestDiffNamesEveryFlagWhoseEvaluationChanged$"},
	},
	{
		"differences do not show percentages", "S72", []edit{{"evaluate", `		e.number(o.share)`, `		e.number(0)`}},
		test{"evaluate", "^TestDiffInWords$"},
	},
	{
		"differences do not show variation IDs", "S20", []edit{{"evaluate", `		e.text(s.variation)`, `		e.text("")`}},
		test{"evaluate", "^TestDiffInWords$"},
	},
	{
		"differences show an attribute that nothing uses", "S72", []edit{{"evaluate", `if e.flag(s.usesOptions()); s.usesOptions() {`, `if true {`}},
		test{"evaluate", "^TestDiffInWords$"},
	},
	{
		"differences show the order of hashes", "S36", []edit{{"evaluate", `return bytes.Compare(a.digest[:], b.digest[:])`, `return 0 * bytes.Compare(a.digest[:], b.digest[:])`}},
		test{"evaluate", "^TestDiffOfOddConditions$"},
	},
	{
		"a rule that moved is not shown", "S70", []edit{{"evaluate", `if i != unmatched && !stay[j] {`, `if i != unmatched && !stay[j] && false {`}},
		test{"evaluate", "^TestDiffInWords$"},
	},
	{
		"names in differences have any length", "S78", []edit{{"evaluate", `if b.Len() >= limit {`, `if false {`}},
		test{"evaluate", "^TestDiffOfLargeConfigsIsNotLargerThanTheyAre$"},
	},
	{
		"a forced flag keeps one of several IDs", "S20", []edit{{"evaluate", `	if many {
		return ""`, `	if false {
		return ""`}},
		test{"evaluate", "^TestForcedFlagsAreReducedToTheirValues$"},
	},
	{
		"a flag is forced to a value of another type", "S76", []edit{{"evaluate", `case value.kind != s.kind:`, `case value.kind != s.kind && false:`}},
		test{"evaluate", "^TestForceChangesNothingElse$"},
	},
	{
		"an earlier member with a forced key is changed without the last", "S77", []edit{{"evaluate", `		if f.reasons[e.key] != "" {`, `		if false {`}},
		test{"evaluate", "^TestForcedFlagsAreReducedToTheirValues$"},
	},
	{
		"the size of forced content is checked at the end", "F22", []edit{{"evaluate", `		if err := tooLarge(b); err != nil {
			return nil, err
		}
	}`, `	}`}},
		test{"evaluate", "^TestForceOfARepeatedKeyTakesBoundedMemory$"},
	},
	{
		"the tree of an evaluation has no bound", "S101", []edit{{"evaluate", `len(e.open) > maxTreeDepth || !e.take(1)`, `!e.take(1)`}},
		test{"evaluate", "^TestTheTreeIsBounded$"},
	},
	{
		"the tree names the default value beside a percentage option", "S101", []edit{{"evaluate", `at.tree.ServesDefault = !at.matched && !at.chosen`, `at.tree.ServesDefault = !at.matched`}},
		test{"evaluate", "^TestTheTreeIsTheLogOfAnyConfig$"},
	},
	{
		"the tree blames a prerequisite for the condition on it", "S101", []edit{{"evaluate", `at.left = true`, `at.left = false`}},
		test{"evaluate", "^TestTheTreeSaysWhereAnEvaluationFailed$"},
	},
	{
		"a control is accepted in another form", "F40", []edit{{"internal/control", `if !bytes.Equal(c.body(), body) {`, `if false {`}},
		test{"internal/control", "^TestMalformedControlsAreRejected$"},
	},
	{
		"pinned content is not checked", "F40", []edit{{"internal/control", `hash != c.Pin.Hash {`, `hash != c.Pin.Hash && false {`}},
		test{"internal/control", "^TestEffectiveContent$"},
	},
	{
		"a force does not end", "F40", []edit{{"internal/control", `if now < f.Until {`, `if true {`}},
		test{"internal/control", "^TestOrdersEnd$"},
	},
	{
		"a reason may control a terminal", "F40", []edit{{"internal/control", `	case !lines && strings`, `	case false && strings`}},
		test{"internal/control", "^TestMalformedControlsAreRejected$"},
	},
}
