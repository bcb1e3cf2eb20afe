package main

// leading are mutants of how a leader handles the scripts' replies.
var leading = []mutant{
	{
		"a commit's lost reply causes a second change", "F32", []edit{
			{"leader", `case w.Outcome == script.Stale && w.Meta.Rev > t.rev && w.Meta.Hash == c.Hash && w.Meta.Control == t.elector.inForce():`, `case false:`},
			{"leader", `if p := t.pending; p != nil && w.Meta.Hash == p.Hash && w.Meta.Rev > t.rev {`, `if p := t.pending; false {`},
		},
		test{"leader", "^TestALostReplyToACommitCausesNoSecondChange$"},
	},
	{
		"a failed commit is not retried", "I6", []edit{{"leader",
			`		t.pending = c
		w, err := t.tryCommit`, `		w, err := t.tryCommit`}},
		test{"leader", "^TestAFailedCommitIsRetriedEvenIfTheBlobIsMissing$"},
	},
	{
		"an answer about pending content confirms the current content", "I14", []edit{{"leader",
			`return !t.answered.IsZero() && source != "" && t.answeredHash == source`, `return !t.answered.IsZero() && source != ""`}},
		test{"leader", "^TestAnAnswerAboutPendingContentConfirmsNoOtherContent$"},
	},
	{
		"an answer confirms content to which Redis rolled back", "I1", []edit{
			{"leader", `return !t.answered.IsZero() && source != "" && t.answeredHash == source`, `return !t.answered.IsZero() && source != ""`},
			{"leader", `return t.confirmed(c.sourceHash()) || c.Hash == t.hash ||`, `return t.confirmed(c.sourceHash()) && c == t.pending || c.Hash == t.hash ||`},
		},
		test{"leader", "^TestAnAnswerConfirmsItsContentOnly$"},
	},
	{
		"an answer outranks a later entry", "I1", []edit{{"leader",
			`|| !t.answered.IsZero() && entry.FetchTime <= t.latest {`, `|| !t.answered.IsZero() {`}},
		test{"leader", "^TestAnEntryLaterThanAnUnpublishedAnswerIsKept$"},
	},
	{
		"an entry that was not read may be overwritten", "I1", []edit{{"leader",
			`t.polls.overwriteUpTo = max(t.polls.foundEntry, entry.FetchTime)`, `t.polls.overwriteUpTo = wire.MaxRev`}},
		test{"leader", "^TestOnlyTheEntryThatWasReadIsOverwritten$"},
	},
	{
		"content that was not repaired is reported as confirmed", "I14", []edit{{"leader",
			`		a.CDN = t.elector.contentCDN
`, `		t.cdn = t.elector.contentCDN
`}},
		test{"leader", "^TestResignDoesNotConfirmContentThatWasNotRepaired$"},
	},
	{
		"a repair claims an answer of the CDN", "I14", []edit{{"leader",
			`Base: t.rev, Age: -1, CDN: t.cdn,`, `Base: t.rev, Age: 0, CDN: t.cdn,`}},
		test{"leader", "^TestFailedPollsKeepTheCurrentContent$/^500$"},
	},
	{
		"the lease counts from the reply", "I10", []edit{{"leader",
			`	t.renewedAt = sent
	if w.Outcome == script.OK {
		t.applyReply(w)`, `	sent = time.Now()
	t.renewedAt = sent
	if w.Outcome == script.OK {
		t.applyReply(w)`}},
		test{"leader", "^TestTheLeaseCountsFromBeforeTheRenewalWasSent$"},
	},
	{
		"a renewal waits for all earlier ones", "I10", []edit{{"leader/internal/script",
			`time.NewTimer(batchWindow)`, `time.NewTimer(time.Hour)`}},
		test{"leader/internal/script", "^TestNoScriptWaitsForAScriptThatHangs$"},
	},
	{
		"an error of one SDK key fails others", "I10", []edit{{"leader/internal/script",
			`if c.cmd.Err() == nil && c.cmd.Val() == nil {`, `if err != nil {`}},
		test{"leader/internal/script", "^TestAnErrorFailsOneScriptOnly$"},
	},
	{
		"a timeout of one SDK key ends the renewals of others", "I10", []edit{{"leader/internal/script",
			`ok && deadline.After(latest) {`, `ok && (latest.IsZero() || deadline.Before(latest)) {`}},
		test{"leader/internal/script", "^TestATimeoutFailsOneScriptOnly$"},
	},
	{
		"a renewal waits beyond its timeout", "I10", []edit{{"leader/internal/script",
			`	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if c.refused() {`, `	}
	if c.refused() {`}},
		test{"leader/internal/script", "^TestATimeoutFailsOneScriptOnly$"},
	},
	{
		"a renewal is sent after its timeout", "I10", []edit{{"leader/internal/script",
			`if err := c.ctx.Err(); err != nil {`, `if err := c.ctx.Err(); false {`}},
		test{"leader/internal/script", "^TestAScriptThatTimedOutInTheQueueIsNotSent$"},
	},
	{
		"a renewal fails after its slot has moved", "F22", []edit{{"leader/internal/script",
			`if c.refused() {`, `if false {`}},
		test{"leader/internal/script", "^TestScriptsUnknownToRedisAreSentInFull$"},
	},
	{
		"a node that hangs delays all others", "I10", []edit{{"leader/internal/script",
			`redisnode.Primary(ctx, b.client, keys[0])`, `redisnode.Primary(ctx, b.client, "c")`}},
		test{"leader", "^TestANodeThatHangsDelaysItsOwnSDKKeysOnly$"},
	},
	{
		"a leader without Redis continues", "I10", []edit{
			{"leader", `		case <-deadline.C:
			return errLapsed
`, ``},
			{"leader", `		case !time.Now().Before(t.trustedUntil()):
			return errLapsed
`, ``},
		},
		test{"test/e2e", "^TestLeaderWithoutRedisStopsPolling$/^virtual$"},
	},
	{
		"lost data is not repaired", "I6", []edit{{"leader",
			`	t.elector.stats.update(func(s *KeyStats) { s.Repairs++ })
	return t.commit(ctx, own)`, `	return nil`}},
		test{"test/e2e", "^TestF09_EachDeletedKeyIsRepaired$/^entry$/^virtual$"},
	},
	{
		"an SDK's newer entry is overwritten unseen", "F28", []edit{
			{"leader", `case later || own != nil`, `case own != nil`},
			{"leader/internal/script/commit.lua", `if fetched > over and other`, `if false and other`},
		},
		test{"leader", "^TestRepairingALostMetaDoesNotOverwriteALaterEntry$"},
	},
	{
		"a repair from memory overwrites an SDK's later entry", "I1", []edit{{"leader",
			`if entry.FetchTime <= t.elector.highest ||`, `if true ||`}},
		test{"leader", "^TestRepairFromMemoryKeepsALaterEntryOfAnSDK$"},
	},
	{
		"an SDK's later entry is committed without checks", "I4", []edit{{"leader",
			`if t.elector.replaced.has(later.StoredETag()) {`, `if false {`}, {"leader",
			`evaluate.Parse(stored.JSON)`, `evaluate.Parse([]byte("{\"f\":{}}"))`}},
		test{"leader", "^TestAnInvalidOrReplacedLaterEntryIsNotCommitted$"},
	},
	{
		"content is believed after Redis rolled back", "F44", []edit{{"leader",
			`case m.Rev >= e.highest:`, `case true:`}, {"leader",
			`e.highest, e.currentHash, e.disordered = rev, hash, false`, `e.highest, e.currentHash, e.disordered = max(e.highest, rev), hash, false`}},
		test{"leader", "^TestOldContentIsNotRaisedEvenIfItsETagIsNotRemembered$"},
	},
	{
		"a repair raises old content", "F44", []edit{{"leader",
			`a.Above, a.Waits = t.foundAt, t.elector.highest`, `a.Above, a.Waits = t.elector.highest, t.elector.highest`}},
		test{"leader", "^TestALeaderThatDoesNotKnowTheCurrentContentWaitsForTheCDN$"},
	},
	{
		"nothing is repaired until the CDN answers", "F44", []edit{{"leader",
			`if c == nil && (t.rev == 0 || t.damaged) {`, `if false {`}},
		test{"leader", "^TestALeaderThatDoesNotKnowTheCurrentContentWaitsForTheCDN$"},
	},
	{
		"revs are trusted while the clock is behind", "F44", []edit{{"leader",
			`		e.disordered = true`, `		_ = now`}},
		test{"leader", "^TestRevsProveNothingWhileTheClockIsBehind$"},
	},
	{
		"Redis is repaired from memory while its clock is behind", "F44", []edit{{"leader",
			`t.redisTime(time.Now()) > t.elector.highest`, `!time.Now().IsZero()`}},
		test{"leader", "^TestNothingIsRepairedFromMemoryWhileTheClockIsBehind$"},
	},
	{
		"fetched content counts as replaced only if it was committed", "F44", []edit{{"leader",
			`[]string{t.elector.believed, t.sourceETag()}`, `[]string{t.sourceETag()}`}},
		test{"leader", "^TestContentThatWasNeverCommittedIsRememberedAsReplaced$"},
	},
	{
		"other processes do not learn what was replaced", "F44", []edit{{"leader/internal/script/commit.lua",
			`for ms, old in string.gmatch(replaced,`, `for ms, old in string.gmatch('',`}},
		test{"leader", "^TestContentThatWasNeverCommittedIsRememberedAsReplaced$/^another_process_takes_over_true$"},
	},
	{
		"the memory of replaced ETags is bounded by number", "F44", []edit{{"leader",
			`	if m.at == nil {`, `	if len(m.at) >= wire.MaxRecentETags {
		return
	}
	if m.at == nil {`}},
		test{"leader", "^TestTheMemoryOfReplacedETagsIsBoundedByTimeOnly$"},
	},
	{
		"a 304 is never suspect", "F44", []edit{{"leader",
			`	if !t.credible(served) {`, `	if !r.NotModified && !t.credible(served) {`}},
		test{"leader", "^TestALagging304IsSuspectAcrossTerms$"},
	},
	{
		"content stays suspect after it was believed", "F27", []edit{{"leader",
			`	t.elector.replaced.remove(stored)
`, ``}},
		test{"leader", "^TestARealRollbackIsBelievedAndForgotten$"},
	},
	{
		"meta lists the current content as replaced", "F27", []edit{{"leader/internal/script/commit.lua",
			`if old == source_etag or #old == 0`, `if #old == 0`}},
		test{"leader", "^TestARealRollbackIsBelievedAndForgotten$"},
	},
	{
		"content to which Redis rolled back is used for repairs", "F44", []edit{{"leader",
			`if t.rev == 0 || t.uncertain() {`, `if t.rev == 0 {`},
			{"leader", `case c != nil && t.elector.knowsCurrent(c.Hash) && t.mayWrite(c):`, `case false:`}},
		test{"leader", "^TestRolledBackContentDoesNotOutrankNewerContent$"},
	},
	{
		"Redis is repaired with old content", "I1", []edit{{"leader",
			`	return hash != "" && hash == e.currentHash && !e.disordered`, `	return hash != ""`}},
		test{"test/e2e", "^TestOldContentOfAnEarlierLeaderDoesNotComeBack$/^virtual$"},
	},
	{
		"repaired content claims another content's answer", "I14", []edit{
			{"leader", `		t.elector.contentCDN = t.cdn
`, ``},
		},
		test{"leader", "^TestRepairedContentKeepsTheTimeOfItsAnswer$"},
	},
	{
		"corrupt content is not repaired", "F29", []edit{{"leader",
			`if t.pending != nil || t.corrupt || `, `if t.pending != nil || `}},
		test{"leader", "^TestTheNextLeaderRepairsCorruptContent$"},
	},
	{
		"replaced ETags are forgotten when Redis loses them", "F27", []edit{{"leader",
			`	e.replaced.addMeta(m, now)
`, `	e.replaced = replacedMemory{}
	e.replaced.addMeta(m, now)
`}},
		test{"leader", "^TestALaggingEdgeIsNotBelievedAfterRedisLostItsData$"},
	},
}

// polling are mutants of polls of the CDN, and of the webhook.
var polling = []mutant{
	{
		"no polls without a request", "I7", []edit{{"leader",
			`	t.polls.at = now.Add(t.elector.settings().poll)
`, `	t.polls.at = now.Add(never)
`}},
		test{"test/e2e", "^TestChangeReachesEveryFollower$/^virtual$"},
	},
	{
		"a lagging edge is believed", "F27", []edit{{"leader",
			`if t.polls.suspect == stored || !t.elector.replaced.has(stored) {`, `if true {`}},
		test{"test/e2e", "^TestF27_LaggingEdgeDoesNotBringOldContentBack$/^virtual$"},
	},
	{
		"a rollback is never believed", "F27", []edit{{"leader",
			`if t.polls.suspect == stored || !t.elector.replaced.has(stored) {`, `if !t.elector.replaced.has(stored) {`}},
		test{"leader", "^TestRecentlyReplacedContentIsBelievedOnlyIfServedTwice$"},
	},
	{
		"a lagging edge undoes a pending commit", "F32", []edit{{"leader",
			`[]string{t.elector.believed, t.sourceETag()}`, `[]string{t.elector.believed}`}},
		test{"leader", "^TestContentOfAFormerLeaderIsRememberedAsReplaced$"},
	},
	{
		"a Tracer that panics keeps the lock", "I10", []edit{{"leader",
			`	defer t.fetch.endSpan()
	t.fetch.stop()
`, `	t.fetch.stop()
	t.fetch.endSpan()
`}},
		test{"leader", "^TestAPanickingTracerDoesNotKeepTheLock$"},
	},
	{
		"each request causes a fetch", "F33", []edit{{"leader",
			`if gap := t.elector.lastFetch.Add(minFetchGap); at.Before(gap) {`, `if gap := t.elector.lastFetch; at.Before(gap) {`}},
		test{"leader", "^TestRefreshRequestsCauseAtMostOnePollPerSecond$"},
	},
	{
		"Retry-After is ignored", "F26", []edit{{"leader",
			`	if at.Before(t.elector.notBefore) {
		at = t.elector.notBefore
	}
`, ``}},
		test{"leader", "^TestRetryAfterIsHonoured$"},
	},
	{
		"the leader publishes its own refresh requests", "I7", []edit{{"leader",
			`	leading := e.leading.Load()
`, `	leading := false
`}},
		test{"leader", "^TestTheLeaderPublishesNoRefreshRequest$"},
	},
	{
		"a refresh request is lost with its message", "I7", []edit{{"leader",
			`	t.onRefreshCount(w.Refresh)
`, ``}},
		test{"leader", "^TestALostRefreshRequestCostsOneRenewal$"},
	},
	{
		"a webhook need not be signed", "F33", []edit{{"leader/internal/hook",
			`if signed == 0 {`, `if false {`}},
		test{"leader", "^TestEachAttackOnTheWebhookIsRefused$"},
	},
	{
		"a webhook may have any time", "F33", []edit{{"leader/internal/hook",
			`off.Abs() > Window {`, `off.Abs() > 1<<62 {`}},
		test{"leader", "^TestEachAttackOnTheWebhookIsRefused$"},
	},
	{
		"digits may move between a webhook's ID and time", "F33", []edit{{"leader/internal/hook",
			`if err != nil || len(r.timestamp) != timestampBytes ||`, `if err != nil ||`}},
		test{"leader", "^TestEachAttackOnTheWebhookIsRefused$"},
	},
	{
		"a webhook's ID may have any length", "F33", []edit{{"leader/internal/hook",
			`if r.ID == "" || len(r.ID) > maxIDBytes ||`, `if`}},
		test{"leader", "^TestEachAttackOnTheWebhookIsRefused$"},
	},
	{
		"a webhook's ID may have any characters", "F33", []edit{{"leader/internal/hook",
			`len(r.ID) > maxIDBytes || strings.ContainsFunc(r.ID, func(c rune) bool { return c <= ' ' || c > '~' }) {`, `len(r.ID) > maxIDBytes {`}},
		test{"leader", "^TestEachAttackOnTheWebhookIsRefused$"},
	},
	{
		"a repeated webhook is accepted too early", "F33", []edit{{"leader/internal/hook",
			`			isNew, err := accept()
`, `			r.remember(id)
			r.inFlight.Forget(id)
			isNew, err := accept()
`}},
		test{"leader", "^TestARepeatedWebhookWaitsForTheFirst$"},
	},
	{
		"with a proxy, every address may be dialed", "F26", []edit{{"internal/cdn",
			`if addr == named || proxyOf(ctx) != nil {`, `if addr == named || addr != "" {`}},
		test{"internal/cdn", "^TestBypassingAProxyReachesNoPrivateAddress_F26$"},
	},
	{
		"a certificate authority is never reloaded", "S7", []edit{{"internal/cdn",
			`if t.rooted == nil || t.pool != pool {`, `if t.rooted == nil {`}},
		test{"internal/cdn", "^TestRootsAreReadAgainForEachConnection$"},
	},
	{
		"a connection to the CDN never ends", "I7", []edit{{"internal/cdn",
			`if time.Since(c.born) >= maxConnAge {`, `if false {`}},
		test{"internal/cdn", "^TestDNSChangeIsNoticedWithinFiveMinutes$"},
	},
	{
		"a request may have two lengths", "F33", []edit{{"cmd/catbridge/internal/httpd",
			`if f.seen[contentLength] && f.seen[transferEncoding] {`, `if false {`}},
		test{"cmd/catbridge/internal/httpd", "^TestARequestWithTwoLengthsIsRejectedAndEndsItsConnection$"},
	},
	{
		"a server on loopback accepts any host name", "F33", []edit{{"cmd/catbridge/internal/httpd",
			`cfg.loopback = onLoopback(listener.Addr())`, `cfg.loopback = false`}},
		test{"cmd/catbridge/internal/httpd", "^TestAServerDetectsThatItListensOnLoopback$"},
	},
	{
		"a panic keeps the locks", "F3", []edit{{"leader/panic.go",
			`	c.end(errCrashed)
`, `	c.repanic()
`}},
		test{"leader", "^TestAPanicReleasesAllLocksAndEndsRun$/^fetch$"},
	},
	{
		"the CDN's body is not bounded", "F26", []edit{{"internal/cdn",
			`	if c.left < 0 {`, `	if false {`},
			{"internal/cdn", `	if int64(len(p)) > c.left+1 {
		p = p[:c.left+1]
	}
`, ``}},
		test{"internal/cdn", "^TestDecompressionBombsStayWithinTheLimit_F26$"},
	},
	{
		"an error contains the SDK key", "I13", []edit{{"internal/cdn",
			`return r.find().ReplaceAllLiteralString(s, "***")`, `return s`}},
		test{"internal/cdn", "^TestErrorsAndLogsContainNoSecret_S103_F34$"},
	},
	{
		"an SDK key is not masked", "I13", []edit{{"internal/cdn",
			`-min(6, len(last)/2):`, `-len(last)/2:`}},
		test{"internal/cdn", "^TestMaskShowsAtMostTheLastSixCharacters_S103$"},
	},
	{
		"damage that waits for the CDN is logged at each renewal", "F27", []edit{{"leader",
			`return d.renewals == 1`, `return true`}},
		test{"leader", "^TestDamageIsLoggedOnceUntilItIsRepaired$"},
	},
	{
		"the end of damage is not logged", "F27", []edit{{"leader",
			`t.damage = damage{}`, `_ = damage{}`}},
		test{"leader", "^TestDamageIsLoggedOnceUntilItIsRepaired$"},
	},
}
