package main

// controlling are mutants of what operators put in force.
var controlling = []mutant{
	{
		"a commit does not compare the control", "F40", []edit{{"leader/internal/script/commit.lua",
			`if in_redis ~= seq then return`, `if false then return`}},
		test{"leader", "^TestAWithdrawalBetweenMakingAndCommittingCounts$"},
	},
	{
		"a control that Redis lost is forgotten", "F40", []edit{{"leader",
			`return own, "it is missing, or older than the one in force"`, `return nil, ""`}},
		test{"leader", "^TestALostControlIsWrittenAgain$"},
	},
	{
		"a lost content of the pin is not noticed", "F40", []edit{{"leader/internal/script/renew.lua",
			`~= pin then seq = 0 end`, `~= pin then end`}},
		test{"leader", "^TestALostControlIsWrittenAgain$"},
	},
	{
		"a former leader brings back its control", "F40", []edit{{"leader",
			`e.acted = nil // another process led`, `// another process led`}},
		test{"leader", "^TestAControlOfAFormerLeaderDoesNotReturn$"},
	},
	{
		"answers of the CDN do not keep the source current", "I14", []edit{{"leader/internal/script/renew.lua",
			`if source ~= '' then redis.call('SETRANGE', source_key`, `if false then redis.call('SETRANGE', source_key`}},
		test{"leader", "^TestWhatTheCDNServesStaysKnownWhileContentIsPinned$"},
	},
	{
		"a content of the CDN that another replaces under a pin is forgotten", "F27", []edit{{"leader/internal/script/commit.lua",
			`add(now, former)`, `if meta[ETAG] then add(now, meta[ETAG]) end`}},
		test{"leader", "^TestWhatTheCDNServesStaysKnownWhileContentIsPinned$"},
	},
	{
		"meta lists what the CDN serves as replaced once it is pinned", "F40", []edit{{"leader/internal/script/commit.lua",
			`if old == source_etag or #old == 0`, `if old == etag or #old == 0`}},
		test{"leader", "^TestWhatTheCDNServesStaysKnownWhileContentIsPinned$"},
	},
	{
		"the CDN is asked with the ETag of effective content", "F40", []edit{{"leader",
			`t.fetch.known = t.newest().origin()`, `t.fetch.known = t.newest()`}},
		test{"leader", "^TestWhatTheCDNServesStaysKnownWhileContentIsPinned$"},
	},
	{
		"what has ended stays in the control", "F40", []edit{{"leader",
			`if fault != "" || expired {`, `if fault != "" {`}},
		test{"leader", "^TestAForceEndsWhenItsTimeIsUp$"},
	},
	{
		"a control that changed unnoticed is not acted on", "F40", []edit{{"leader",
			`if w.Control != t.elector.controlSeq() || t.inForce != t.elector.inForce() || t.elector.acted.ended(w.Now) {`, `if t.elector.acted.ended(w.Now) {`}},
		test{"leader", "^TestALostMessageCostsOneRenewal$"},
	},
	{
		"a source that could not be read at once is lost", "F40", []edit{{"leader",
			"t.content = c\n\tt.remember()", "_ = c"}},
		test{"leader", "^TestASourceThatCouldNotBeReadIsNotLost$"},
	},
	{
		"an operator's change is ordered like a repair in place", "F40", []edit{{"leader",
			`|| t.sameSource(c) && t.elector.knowsCurrent(t.hash):`, `:`}},
		test{"leader", "^TestAChangeOfTheControlIsNotARepair$"},
	},
	{
		"a candidate does not write a lost control again", "F40", []edit{{"leader",
			`case own != nil && g.Control < own.Seq &&`, `case false && own != nil &&`}},
		test{"leader", "^TestACandidateWritesALostControlAgain$"},
	},
	{
		"a candidate does not follow the control", "F40", []edit{{"leader",
			`case g.Control > e.controlSeq():`, `case false:`}},
		test{"leader", "^TestACandidateWritesALostControlAgain$"},
	},
	{
		"a candidate that was cut off brings back its control", "F40", []edit{{"leader",
			`g.Control < own.Seq && time.Since(own.seen) < e.leader.cfg.Timings.LeaseDuration+2*e.timings.RetryPeriod:`, `g.Control < own.Seq:`}},
		test{"leader", "^TestAControlOfAFormerLeaderDoesNotReturn$"},
	},
	{
		"a repaired control gets a new seq", "F40", []edit{{"leader/internal/script/control.lua",
			`repaired > 0 and repaired >= stored and repaired or math.max`, `math.max`}},
		test{"leader", "^TestALostControlIsWrittenAgain$"},
	},
	{
		"an order after a loss drops the earlier ones", "F40", []edit{{"leader",
			`next.Seq <= a.Seq || next.After >= a.Seq {`, `true {`}},
		test{"leader", "^TestAnOrderAfterALossKeepsTheEarlierOnes$"},
	},
	{
		"a leader that returns trusts the source it knew", "F40", []edit{{"leader",
			`own.source = nil
`, ``}},
		test{"leader", "^TestALeaderThatReturnsReadsTheSourceAgain$"},
	},
	{
		"a candidate that has seen an order does not act on it", "F40", []edit{{"leader",
			`t.inForce != t.elector.inForce() || t.elector.acted.ended`, `t.elector.acted.ended`}},
		test{"leader", "^TestACandidateThatHasSeenAnOrderActsOnIt$"},
	},
	{
		"an acquisition whose reply was lost counts as another leader", "F40", []edit{{"leader/internal/script/acquire.lua",
			`digits(former == held and 0 or former)`, `digits(former)`}},
		test{"leader", "^TestALostReplyToAnAcquisitionDoesNotForgetTheControl$"},
	},
	{
		"no higher seq is possible", "F40", []edit{{"leader/internal/script/prelude.lua",
			`return seq >= 1e12 and seq <= MAX_SEQ and seq or 0`, `return seq >= 1e12 and seq or 0`}},
		test{"leader", "^TestAGreatestSeqDoesNotStopPublishing$"},
	},
}
