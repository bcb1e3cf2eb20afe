package main

// observing are mutants of how the dashboard reads the state, and of its Actions.
var observing = []mutant{
	{
		"a look follows a slow one at once", "I12", []edit{{"cmd/catbridge/internal/observe", `* restFactor`, `* 1`}},
		test{"cmd/catbridge/internal/observe", "^TestASlowRedisIsLeftAlone$"},
	},
	{
		"while somebody looks, Redis is left alone as long as otherwise", "S101", []edit{{"cmd/catbridge/internal/observe", `min(length, restWatched)`, `length`}},
		test{"cmd/catbridge/internal/observe", "^TestTheRestIsBoundedWhileSomebodyLooks$"},
	},
	{
		"a silent follower is not found among those behind", "S101", []edit{{"cmd/catbridge/internal/ui", ` && !(standing == observe.Behind && f.IsBehind())`, ``}},
		test{"cmd/catbridge/internal/ui", "^TestSilentFollowersThatAreBehindAreFoundAsSuch$"},
	},
	{
		"a config that the CDN confirms is announced as another one", "S101", []edit{{"cmd/catbridge/internal/ui", `hashes[label] = v.Hash`, `hashes[label] = strconv.FormatInt(v.Rev, 10)`}},
		test{"cmd/catbridge/internal/ui", "^TestEventsSayWhichConfigIsInForce$"},
	},
	{
		"a large fleet is called stale while it is read", "S101", []edit{{"cmd/catbridge/internal/ui", `max(staleAge, 2*v.Pace)`, `staleAge`}},
		test{"cmd/catbridge/internal/ui", "^TestAViewIsStaleOnceItIsOlderThanItsPace$"},
	},
	{
		"one look compares the whole history", "I12", []edit{{"cmd/catbridge/internal/observe", `	workBytes = 16 << 20`, `	workBytes = 16 << 30`}},
		test{"cmd/catbridge/internal/observe", "^TestALookComparesABoundedPartOfTheHistory$"},
	},
	{
		"a flag's last change hides that a later one is unknown", "S101", []edit{{"cmd/catbridge/internal/observe", `!later && certain`, `!later`}},
		test{"cmd/catbridge/internal/observe", "^TestWhatIsNotKnownIsNotSaidOfFlags$"},
	},
	{
		"a report from before a change counts for it", "S101", []edit{{"cmd/catbridge/internal/observe", ` && !r.At.Before(c.Time)`, ``}},
		test{"cmd/catbridge/internal/observe", "^TestSpreadsAreOfTheLastChangeToAContent$"},
	},
	{
		"an action is carried out although something changed since its preview", "F40", []edit{{"cmd/catbridge/internal/ui", `!conflict && before == now`, `!conflict`}},
		test{"cmd/catbridge/internal/ui", "^TestAConflictIsShownAndAsksAgain$"},
	},
	{
		"an action is carried out without a preview", "F40", []edit{{"cmd/catbridge/internal/ui", `f.Confirm && !conflict && before == now`, `!conflict`}},
		test{"cmd/catbridge/internal/ui", "^TestTheLastChangeIsTakenBackInTwoClicks$"},
	},
	{
		"a confirmation carries out another order than the one that was shown", "F40", []edit{{"cmd/catbridge/internal/ui", `"order", order...)`, `"order", order[:0]...)`}},
		test{"cmd/catbridge/internal/ui", "^TestAConfirmationIsOfTheOrderThatWasShown$"},
	},
	{
		"a confirmation puts another config in force than the one that was shown", "F40", []edit{{"cmd/catbridge/internal/ui", `{change.Before, change.After}`, `{change.Before}`}},
		test{"cmd/catbridge/internal/ui", "^TestTheEndOfAPinIsConfirmedForTheConfigThatWasShown$"},
	},
	{
		"the history is read for each reference that leads nowhere", "S101", []edit{{"cmd/catbridge/internal/ui", `if view.HistoryErr != "" || view.Read.IsZero() {`, `if view.Label != "" {`}},
		test{"cmd/catbridge/internal/ui", "^TestReferencesThatLeadNowhereReadTheHistoryOnceAtMost$"},
	},
	{
		"serve offers Actions", "I13", []edit{{"cmd/catbridge/internal/ui", `if !u.config.Acts {`, `if false {`}},
		test{"cmd/catbridge/internal/ui", "^TestActionsNeedTheirRightAndALeader$"},
	},
	{
		"who orders it can replace the name of the token", "F40", []edit{{"cmd/catbridge/internal/ui", `cmp.Or(name, f.By)`, `cmp.Or(f.By, name)`}},
		test{"cmd/catbridge/internal/ui", "^TestWithoutANameOfTheTokenTheFormAsksForIt$"},
	},
	{
		"bodies for event streams are read without a deadline", "F33", []edit{{"cmd/catbridge/internal/httpd", `buffered(answers.holding(working(patient(ui))))`, `answers.holding(working(patient(ui)))`},
			{"cmd/catbridge/internal/httpd", `if r.ContentLength == 0 {`, `if true {`}},
		test{"cmd/catbridge/internal/httpd", "^TestBodiesForEventStreamsDoNotKeepOthersOut$"},
	},
	{
		"many wrong tokens keep a valid one out", "F33", []edit{{"cmd/catbridge/internal/ui", `.find(token); c != nil {
		return c, nil`, `.find(token); c != nil && u.attempts.all < maxAttempts {
		return c, nil`}},
		test{"cmd/catbridge/internal/ui", "^TestWrongTokensKeepNoValidOneOut$"},
	},
	{
		"on this machine everybody may put flags in force", "I13", []edit{{"cmd/catbridge/internal/ui", `u.config.Acts && u.config.OpenActions`, `u.config.Acts`}},
		test{"cmd/catbridge/internal/ui", "^TestOnThisMachineActionsNeedAToken$"},
	},
	{
		"a client that does not read its answer keeps its place", "F33", []edit{{"cmd/catbridge/internal/httpd", `answers.holding(working(patient(ui)))`, `working(patient(ui))`}},
		test{"cmd/catbridge/internal/httpd", "^TestClientsThatDoNotReadKeepNobodyOut$"},
	},
	{
		"pages do not wait for their turn", "F33", []edit{{"cmd/catbridge/internal/httpd", `inTurn(pagesAtOnce, pageWait, ui)`, `atOnce(pagesAtOnce, ui)`}},
		test{"cmd/catbridge/internal/httpd", "^TestPagesWaitForTheirTurn$"},
	},
	{
		"a config of another SDK key with the same name is explained", "S101", []edit{{"cmd/catbridge/internal/ui", `c.key == key && c.reference`, `c.reference`}},
		test{"cmd/catbridge/internal/ui", "^TestConfigsOfAnotherSDKKeyWithTheSameNameAreNotExplained$"},
	},
	{
		"followers with one score are read on as if none had reported in between", "I8", []edit{{"cmd/catbridge/internal/inspect", `textOf(page[0]) != p.last || textOf(page[1]) != p.score`, `false`}},
		test{"cmd/catbridge/internal/inspect", "^TestNoFollowerIsLostThatReportsBetweenTwoPages$"},
	},
	{
		"a report is at a time that no clock shows", "S101", []edit{{"cmd/catbridge/internal/inspect", ` || !(ms <= float64(now.Add(ahead).UnixMilli()))`, ``}},
		test{"cmd/catbridge/internal/inspect", "^TestFollowersAreCountedByWhatTheyReport$"},
	},
	{
		"a report has a lag that overflows", "S101", []edit{{"internal/wire", `1, MaxFleetLag.Milliseconds()`, `1, MaxRev`}},
		test{"internal/wire", "^TestInvalidFleetReportsAreRejected$"},
	},
}
