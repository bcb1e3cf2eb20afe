package main

// following are mutants of followers.
var following = []mutant{
	{
		"a follower reads before the subscription", "I8", []edit{
			{"follower/internal/feed", `	sub, err := subscription.Open(`, `	c.send(ctx, events, event{kind: opened})
	time.Sleep(time.Millisecond)
	sub, err := subscription.Open(`},
			{"follower/internal/feed", `		return ctx.Err() // close ran before c.sub was stored
	}
	c.send(ctx, events, event{kind: opened})
`, `		return ctx.Err() // close ran before c.sub was stored
	}
`},
		},
		test{"follower", "^TestReadsOnlyAfterTheSubscriptionIsAcknowledged$"},
	},
	{
		"no read after a new connection", "I8", []edit{{"follower/internal/feed",
			`	s.silence.set(s.silent())
	_, _ = s.sync(ctx)
`, `	s.silence.set(s.silent())
`}},
		test{"follower", "^TestAfterAnOutageWithoutALeaderContentIsReadAtOnce$"},
	},
	{
		"a read that hangs hides the loss of the connection", "I7", []edit{{"follower/internal/feed",
			`		return s.conn.open
`, `		return ctx
`}},
		test{"test/e2e", "^TestF11_SilentConnectionIsGivenUpWhileAReadHangs$/virtual"},
	},
	{
		"a repeated answer counts as a new one", "I14", []edit{{"follower/internal/feed",
			`	case o.cdn > f.cdn && again:
		f.answered = was
`, ``}},
		test{"follower/internal/feed", "^TestFreshness$"},
	},
	{
		"meta is not read periodically", "I8", []edit{{"follower/internal/feed",
			`	_, err := s.readHead(ctx, from)
	if err != nil && s.state() == Polling {`, `	_ = from
	var err error
	if err != nil && s.state() == Polling {`}},
		test{"follower", "^TestADeniedSubscribeMeansPolling$"},
	},
	{
		"the hash of content is not checked", "I4", []edit{{"internal/wire",
			`if hex.EncodeToString(sum[:]) != b.Hash {`, `if hex.EncodeToString(sum[:]) == "" {`}},
		test{"follower", "^TestACorruptBlobIsRefusedAndTheEntryTaken$"},
	},
	{
		"the hash of content in a message is not checked", "I4", []edit{{"internal/wire",
			`if hex.EncodeToString(sum[:]) != b.Hash {`, `if hex.EncodeToString(sum[:]) == "" {`}},
		test{"follower", "^TestInlineContentWithFlippedBitsIsRefused$"},
	},
	{
		"a blob ahead of meta is accepted", "F29", []edit{{"follower/internal/feed",
			`	case r.blob.Rev > r.meta.Rev:
		err = errAhead
`, ``}},
		test{"follower", "^TestACorruptBlobIsRefusedAndTheEntryTaken$"},
	},
	{
		"a blob is accepted that meta does not name", "F29", []edit{{"follower/internal/feed",
			`	case r.blob.Hash != r.meta.Hash:
		err = errMismatch
`, ``}},
		test{"follower", "^TestABlobThatMetaDoesNotNameIsRefused$"},
	},
	{
		"a follower accepts any rev", "I1", []edit{
			{"follower/internal/feed", `	case held != nil && c.Rev < rev && !lower:
		return nil, nil
`, ``},
			{"follower/internal/feed", `	case m.Rev > rev:
		s.onAnnounced(m, at)
`, `	case m.Hash != hash:
		s.onAnnounced(m, at)
`},
		},
		test{"follower", "^TestDuplicatedAndReorderedMessagesChangeNothing$"},
	},
	{
		"other content is accepted at the same rev", "I1", []edit{{"follower/internal/feed",
			`	case held != nil && c.Rev == rev:
		s.onAnomaly(c.Rev, c.Hash)
		return nil, nil
`, ``},
			{"follower/internal/feed", `	case m.Rev == rev && m.Hash != hash:
		s.onAnomaly(m.Rev, m.Hash)
`, `	case m.Rev == rev && m.Hash != hash:
		s.onAnnounced(m, at)
`}},
		test{"follower", "^TestOtherContentAtTheSameRevIsAnAnomaly$"},
	},
	{
		"an answer confirms other content", "I14", []edit{{"follower/internal/feed",
			`if held == nil || held.Hash != s.freshHash || s.fresh.cdn == 0 {`, `if held == nil || s.fresh.cdn == 0 {`}},
		test{"follower", "^TestAnAnswerAboutOtherContentConfirmsNothing$"},
	},
	{
		"the local clock is trusted", "I14", []edit{{"follower/internal/feed",
			`	if age < 0 || age > most {
		return most
	}
`, ``}},
		test{"follower", "^TestAgeIsCorrectWithAWrongLocalClock$"},
	},
	{
		"all followers read at once", "I12", []edit{{"follower/internal/feed",
			`	whole := upTo(s.windows.spread)
`, `	whole := time.Duration(0)
`}},
		test{"follower", "^TestReadsOfManyFollowersAreSpreadOverTheWindow$"},
	},
	{
		"no spread window", "I12", []edit{{"leader",
			`	if followers*read < minSpread.Seconds() {
`, `	if followers*read >= 0 {
`}},
		test{"leader", "^TestSpreadWindowKeepsReadsWithinTheBudget$"},
	},
	{
		"the spread window has no headroom", "I12", []edit{{"leader",
			`(followers + spreadHeadroom*math.Sqrt(followers)) * read
`, `followers*read + 0*math.Sqrt(spreadHeadroom)
`}},
		test{"test/bench", "^TestReadsAfterAChangeStayWithinTheBudget$"},
	},
	{
		"the config is lost with the connection", "I5", []edit{{"follower/internal/feed",
			`	if s.setState(Disconnected) {
		s.log.disconnected(`, `	if held := s.current.Load(); held != nil {
		lost := held.Clone()
		lost.Config, lost.Hash = nil, ""
		s.members.list[0].holder.Put(lost)
	}
	if s.setState(Disconnected) {
		s.log.disconnected(`}},
		test{"follower", "^TestTheConfigStaysDuringAnOutage$"},
	},
	{
		"a follower writes", "I11", []edit{{"follower/internal/feed",
			`lock = get(pipe, s.keys.Lock, wire.MaxLockBytes)`, `lock = pipe.GetEx(ctx, s.keys.Lock, time.Minute)`}},
		test{"follower", "^TestRealRightsToReadAndSubscribeAreEnough$"},
	},
	{
		"a silent connection is kept", "F11", []edit{{"internal/subscription",
			`case quiet >= s.opts.Dead:`, `case quiet < 0:`}},
		test{"internal/subscription", "^TestSilentConnectionEndsWithinDead$"},
	},
	{
		"a connection without messages is kept", "I7", []edit{{"follower/internal/feed",
			`	if !moved && !renewed {`, `	if true || moved || renewed {`}},
		test{"follower", "^TestPubSubThatNeverDeliversMeansPolling$"},
	},
	{
		"a replica's older state is believed", "I8", []edit{{"follower/internal/feed",
			`if s.want.tries >= primaryAfter || s.rebase.due() {`, `if s.rebase.due() {`}},
		test{"follower", "^TestThePrimaryIsReadWhenItsReplicaIsBehind$"},
	},
	{
		"all followers of a process connect at once", "F13", []edit{{"follower/internal/feed",
			`for l.inUse < l.limit && l.waiting.Len() > 0 {`, `for l.waiting.Len() > 0 {`}},
		test{"follower", "^TestConnectionsOfManyFollowersOfAProcessAreLimited$"},
	},
	{
		"the number of connection slots does not adapt", "F13", []edit{{"follower/internal/feed",
			`case slow && !start.Before(l.cut):`, `case false:`}},
		test{"follower/internal/feed", "^TestConnectLimiter$"},
	},
	{
		"a feed without a connection reads", "F13", []edit{{"follower/internal/feed",
			`	if s.skipsRead(err) {`, `	if s.skipsRead(err) && false {`}},
		test{"follower", "^TestFewReadsAreTriedWithoutAConnection$"},
	},
	{
		"no reads without a second connection", "I7", []edit{{"follower/internal/feed",
			`&& s.unreached%ConnectTries != 0`, ``}},
		test{"follower", "^TestARefusedFurtherConnectionMeansPolling$"},
	},
	{
		"a late connection is not used", "F13", []edit{{"internal/subscription",
			`	d.conn.Store(&conn)
	if ctx.Err() != nil {`, `	d.conn.Store(&conn)
	if dialling.Err() != nil {`}},
		test{"internal/subscription", "^TestLateConnectionIsUsed$"},
	},
	{
		"a client that leaves its feed misplaces another", "I8", []edit{{"follower/internal/feed",
			`list[m.index], last.index = last, m.index`, `list[m.index] = last`}},
		test{"follower", "^TestFurtherClientsOfAFeedHaveNoGoroutines$"},
	},
	{
		"an ended feed stays in the table", "S1", []edit{{"follower/internal/feed",
			`	delete(table.feeds, options)
`, ``}},
		test{"follower/internal/feed", "^TestTheLastMemberEndsTheFeed$"},
	},
	{
		"a feed ends with its first member", "S2", []edit{{"follower/internal/feed",
			`	if shared.users > 0 {
		return false
	}
	delete(table`, `	delete(table`}},
		test{"follower/internal/feed", "^TestTheLastMemberEndsTheFeed$"},
	},
	{
		"content from a file is not confirmed by Redis", "I14", []edit{{"follower/internal/snapshot",
			` || s.Rev == held.Rev && s.Hash == held.Hash && held.Source == SourceFile`, ``}},
		test{"follower/internal/snapshot", "^TestSupersedes$"},
	},
	{
		"a Cache that ends its goroutine stops the client", "S94", []edit{{"follower", `	running.Go(func() {
		defer recovered(&err)
		err = work()
	})
	running.Wait()`, `	func() {
		defer recovered(&err)
		err = work()
	}()
	running.Wait()`}},
		test{"follower", "^TestACacheThatDoesNotReturnIsTreatedAsFailing$"},
	},
	{
		"Close does not wait for refreshes", "S2", []edit{{"follower", `		defer u.background.Done()
`, `		u.background.Done()
`}},
		test{"follower", "^TestCloseWaitsForRefreshes$"},
	},
	{
		"a refresh does not end with the client", "S2", []edit{{"follower", `	case <-u.ctx.Done():
		return ErrClosed
	case <-ctx.Done():`, `	case <-ctx.Done():`}},
		test{"follower", "^TestCloseEndsTheWaitForATransportThatHangs$"},
	},
	{
		"switching twice during a fetch blocks", "S13", []edit{{"follower", `	case <-u.switched: // it is out of date
`, ``}},
		test{"follower", "^TestSwitchingOftenDuringAFetch$"},
	},
	{
		"the official entry is never read", "I5", []edit{{"follower/internal/feed",
			`if blobErr != nil || !r.locked {`, `if false {`}},
		test{"follower", "^TestACorruptBlobIsRefusedAndTheEntryTaken$"},
	},
}

// fetching are mutants of clients that fetch for themselves.
var fetching = []mutant{
	{"a leader's older content replaces fetched content", "F44", []edit{{"follower/internal/feed", `if m.own == nil || held == nil || next.Hash == m.own.later {`, `if true {`}}, test{"follower", "^TestFetchedContentDoesNotYieldToAnOlderAnswer$"}},
	{"a leader's older content replaces what a cut-off follower fetched", "F44", []edit{{"follower/internal/feed", `if m.own == nil || held == nil || next.Hash == m.own.later {`, `if true {`}}, test{"test/e2e", "^TestF44_CutOffFollowerRejectsOlderContentOfTheLeader$/virtual"}},
	{"fetched content never yields", "I8", []edit{{"follower/internal/feed", `	m.own.later = i.hash
`, ``}}, test{"follower", "^TestTheWaitForEvidenceIsBounded$"}},
	{"content that waits is not offered again", "I8", []edit{{"follower/internal/feed", `		s.offerAgain()
`, ``}}, test{"follower", "^TestRefusedContentIsTakenWithTheFirstProof$"}},
	{"evidence about other content counts", "I1", []edit{{"follower/internal/feed", `	case m.mustWait(next):
		return false
`, `	case m.own != nil && m.own.later == "" && m.mustWait(next):
		return false
`}}, test{"follower/internal/feed", "^TestEvidenceMustBeLaterThanTheRequest$"}},
	{"evidence from before the request counts", "I1", []edit{{"follower/internal/feed", ` || i.at.Before(m.own.asked) || `, ` || `}}, test{"follower/internal/feed", "^TestEvidenceMustBeLaterThanTheRequest$"}},
	{"evidence from a replica counts", "I1", []edit{{"follower/internal/feed", `	if i.counts {
		evidence`, `	if true {
		evidence`}}, test{"follower/internal/feed", "^TestEvidenceMustBeLaterThanTheRequest$"}},
	{"evidence from two connections counts", "I1", []edit{{"follower/internal/feed", `	s.forget()
`, ``}}, test{"follower", "^TestEvidenceOfTwoConnectionsIsNotCombined$"}},
	{"the local clock is used as Redis's", "I1", []edit{{"follower/internal/feed", `	c.offset = max(c.offset, now-at.Sub(c.base).Milliseconds())
`, `	c.offset = c.base.UnixMilli()
`}}, test{"follower", "^TestTimesAreComparedByRedisClock$"}},
	{"the fetch times of entries do not count as evidence", "I8", []edit{{"follower/internal/feed", `		evidence = &o.entry
`, ``}, {"follower/internal/feed", `	if i.counts {
		evidence`, `	if i.counts && !i.entry {
		evidence`}}, test{"follower", "^TestAnEntryWithoutALeaderIsTakenOnceItIsLater$"}},
	{"no further reads while content waits", "I8", []edit{{"follower/internal/feed", `s.reread.within(awaitedReread)`, `_ = awaitedReread`}}, test{"follower", "^TestRefusedContentIsReadAgainSoon$"}},
	{"a restart forgets that the client fetched", "F44", []edit{{"follower/internal/feed", `return s != nil && s.FetchTime != 0 && `, `return s != nil && s.FetchTime < 0 && `}}, test{"follower", "^TestARestartDoesNotReturnToOlderContent$"}},
	{"a follower believes a lagging edge", "F27", []edit{{"follower", `if hash == suspect || !u.holder`, `if suspect == "" || !u.holder`}}, test{"follower", "^TestALaggingEdgeIsAskedAgain$"}},
	{"a follower never believes a rollback", "F27", []edit{{"follower", `if hash == suspect || !u.holder`, `if hash == "" && suspect != "" || !u.holder`}}, test{"follower", "^TestALaggingEdgeIsAskedAgain$"}},
	{"content stays suspect after a follower believed it", "F27", []edit{{"follower/internal/snapshot", ` || c.hash == next.Hash || held`, ` || held`}}, test{"follower/internal/snapshot", "^TestReplacedContentsAreRememberedForTwoMinutes$"}},
}

// rebaseRule are mutants of the rebase rule.
var rebaseRule = []mutant{
	{"the rebase rule needs only two items", "I1", []edit{{"follower/internal/feed", `rebaseItems = 3`, `rebaseItems = 2`}}, test{"follower/internal/feed", "^TestRebaseRule$"}},
	{"the rebase rule needs only 29 s", "I1", []edit{{"follower/internal/feed", `rebaseSpan  = 30 * time.Second`, `rebaseSpan  = 29 * time.Second`}}, test{"follower/internal/feed", "^TestRebaseRule$"}},
	{"the rebase rule needs no answer of the CDN", "I1", []edit{{"follower/internal/feed", `>= rebaseSpan && r.answered`, `>= rebaseSpan`}}, test{"follower", "^TestALowerRevOfALeaderWithoutTheCDNIsNotTaken$"}},
	{"the rebase rule accepts an answer that was in flight", "I1", []edit{{"follower/internal/feed", `rebaseUnderWay = 20 * time.Second`, `rebaseUnderWay = 1`}}, test{"follower/internal/feed", "^TestRebaseRule$"}},
	{"the rebase rule combines two epochs", "I1", []edit{{"follower/internal/feed", `case r.items > 0 && a.epoch != r.epoch:`, `case false:`}}, test{"follower/internal/feed", "^TestRebaseRule$"}},
	{"nothing resets the rebase rule", "I1", []edit{{"follower/internal/feed", `	case a.rev >= rev:
		*r = rebase{}
`, `	case a.rev >= rev:
`}}, test{"follower/internal/feed", "^TestRebaseRule$"}},
	{"the rebase rule combines two connections", "I1", []edit{{"follower/internal/feed", `s.rebase, s.control.lower = rebase{}, lowerStatements{} // the evidence`, `// what`}}, test{"follower", "^TestALowerRevIsNotTakenOnEvidenceOfTwoConnections$"}},
	{"the rebase rule accepts a replica", "I1", []edit{{"follower/internal/feed", `if s.want.tries >= primaryAfter || s.rebase.due() {`, `if s.want.tries >= primaryAfter {`}}, test{"follower", "^TestALowerRevIsNotTakenFromAReplica$"}},
	{"followers give up a leader between two heartbeats", "I7", []edit{{"follower/internal/feed", `max(s.Timings.Dead, 3*s.renew)`, `s.Timings.Dead`}}, test{"follower", "^TestTheLeadersHeartbeatIntervalSetsTheTimeout$"}},
	{"an entry beside a leader's blob is ordered by the local clock", "I1", []edit{{"follower/internal/feed", `s.byLeader || r.byLeader`, `s.byLeader`}}, test{"follower", "^TestAnEntryOfALeaderThatIsGoneIsNotDatedByTheLocalClock$"}},
	{"an entry without meta is ordered by a clock of before", "F44", []edit{{"follower/internal/feed", `known && !i.unnamed || i.alone`, `known || i.alone`}}, test{"follower", "^TestAnEntryWithoutMetaIsNotDatedByAClockOfBefore$"}},
	{"the blob beside an entry is forgotten", "I1", []edit{{"follower/internal/feed", `s.byLeader || r.byLeader`, `r.byLeader`}}, test{"follower", "^TestAnEntryOfALeaderThatIsGoneIsNotDatedByTheLocalClock$"}},
	{"an entry of a former leader is ordered by the local clock", "F44", []edit{{"follower/internal/feed", `proven = (known && !i.unnamed || i.alone) &&`, `proven =`}}, test{"follower", "^TestAnEntryOfAGoneLeaderIsNotComparedByTheLocalClock$"}},
	{"no rebase rule", "I8", []edit{{"follower/internal/feed", `return r.items >= rebaseItems`, `return false && r.items >= rebaseItems`}}, test{"follower", "^TestALowerRevIsTakenByTheRebaseRuleOnly$"}},
}

// controlled are mutants of followers while an operator's control is in force.
var controlled = []mutant{
	{"the entry is read while a control is in force", "F40", []edit{{"follower/internal/feed", `	if s.inForce(s.control.seq) != 0 {
		return nil, nil
	}
`, ``}, {"follower/internal/feed", ` || s.inForce(max(r.meta.Control, s.control.seq)) != 0 {`, ` {`}},
		test{"follower", "^TestWhileAControlIsInForceTheEntryIsNotRead$"}},
	{"an entry is taken although a control began before its read", "F40", []edit{{"follower/internal/feed", ` || s.inForce(max(r.meta.Control, s.control.seq)) != 0 {`, ` {`}},
		test{"follower", "^TestAnEntryIsNotTakenIfAControlBeganBeforeItsRead$"}},
	{"a lost meta ends a control", "F40", []edit{{"follower/internal/feed", `	if a.rev == 0 || isLower`, `	if isLower`}},
		test{"follower/internal/feed", "^TestStatementsAboutControls$"}},
	{"a late statement about a control counts", "F40", []edit{{"follower/internal/feed", `	isLower := a.epoch < c.epoch || a.epoch == c.epoch && a.rev < c.rev`, `	isLower := false`}},
		test{"follower", "^TestTheLastStatementAboutAControlCounts$"}},
	{"what is left of a term ends a control", "F40", []edit{{"follower/internal/feed", `o.message || o.primary && o.locked)`, `o.message || o.primary)`}},
		test{"follower", "^TestWhileAControlIsInForceTheEntryIsNotRead$"}},
	{"lower revs never end a control", "F40", []edit{{"follower/internal/feed", `isLower && !(live && c.lower.suffice(a.epoch, at))`, `isLower`}},
		test{"follower/internal/feed", "^TestStatementsAboutControls$"}},
	{"a control without a leader never ends", "F40", []edit{{"follower/internal/feed", `now.Sub(time.UnixMilli(seq)) > endsWithin {`, `now.Sub(time.UnixMilli(seq)) > 99*endsWithin {`}},
		test{"follower", "^TestAControlWithoutALeaderEndsAfterDays$"}},
	{"a wrong local clock ends a control", "F40", []edit{{"follower/internal/feed", `>= leaderless && now.Sub`, `>= 0 && now.Sub`}},
		test{"follower", "^TestAWrongClockDoesNotEndAControl$"}},
	{"a client asks the CDN while a control is in force", "F40", []edit{{"follower", `return u.feed != nil && u.feed.Status().Control != 0`, `return false`}},
		test{"follower", "^TestWhileAControlIsInForceTheClientDoesNotAskTheCDN$"}},
	{"an answer of the CDN is used although a control began", "F40", []edit{{"follower", `	if u.isControlled() {
		return
	}
`, ``}}, test{"follower", "^TestAnAnswerOfTheCDNIsNotUsedIfAControlBeganMeanwhile$"}},
	{"an operator's order waits for the CDN", "F40", []edit{{"follower/internal/feed", `	if i.controlled {`, `	if false {`}},
		test{"follower", "^TestAControlReplacesFetchedContentAtOnce$"}},
	{"the ETag of a control is sent to the CDN", "F40", []edit{{"follower", `held != nil && !control.IsETag(held.ETag, held.Hash)`, `held != nil && !control.IsETag("", held.Hash)`}},
		test{"follower", "^TestTheETagOfAControlIsNotSentToTheCDN$"}},
	{"a control's change has a time since the CDN's answer", "F40", []edit{{"follower/internal/feed", `if !controlled && held != nil && held.Source`, `if (!controlled || true) && held != nil && held.Source`}},
		test{"follower", "^TestAControlsChangeHasNoPublishToApplyTime$"}},
}

// formats are mutants of readers and parsers.
var formats = []mutant{
	{"a message with an unknown codec is refused", "F39", []edit{{"internal/wire", `	return Codec(s), true`, `	return "", false`}}, test{"internal/wire", "^TestMessageOfALaterVersionIsAccepted$"}},
	{"an unknown field hides the field now", "F39", []edit{{"internal/wire", `			m.Extra += field`, `			m.Extra += field
			return m, nil`}}, test{"internal/wire", "^TestMessageOfALaterVersionIsAccepted$"}},
	{"content in an unknown codec is accepted", "I4", []edit{{"internal/wire", `if !m.Codec.known() || m.Rev`, `if m.Codec == "" || m.Rev`}}, test{"internal/wire", "^TestMessageOfALaterVersionIsAccepted$"}},
	{"control is believed without proto", "F40", []edit{{"internal/wire", ` || n.dst == &m.Control && !m.HasProto() {`, ` {`}},
		test{"internal/wire", "^TestAControlIsBelievedOnlyFromALeaderThatKnowsOfIt$"}},
	{"the stamp of a new leader covers a control that an older one left", "F40", []edit{{"leader/internal/script/prelude.lua", ` then meta[CONTROL] = false end`, ` then end`}},
		test{"leader/internal/script", "^TestAnAcquisitionKeepsOnlyAControlOfALeaderThatKnowsOfIt$"}},
	{"a message may have any size", "F17", []edit{{"internal/wire", `if len(data) > MaxMessageBytes {`, `if false {`},
		{"internal/wire", `if len(content) > MaxInlineBytes {`, `if false {`}}, test{"internal/wire", "^TestInvalidMessagesAreRejected$"}},
	{"content may have any size", "F26", []edit{{"internal/wire", `if head.FrameContentSize > MaxConfigBytes {`, `if false {`},
		{"internal/wire", `zstd.WithDecoderMaxMemory(MaxConfigBytes), zstd.WithDecodeAllCapLimit(true))`, `zstd.WithDecodeAllCapLimit(true))`}},
		test{"internal/wire", "^TestZstdSizesAreBounded$"}},
	{"an entry may have any size", "I4", []edit{{"cachekeys", `case len(config) > wire.MaxConfigBytes:`, `case false:`}}, test{"cachekeys", "^TestEntryAtItsLimits$"}},
	{
		"a failed write of the snapshot file is not retried", "I5", []edit{{"follower",
			`			again.Reset(saveRetry)
`, ``}},
		test{"follower", "^TestAFailedWriteOfTheFileIsRetried$"},
	},
	{
		"a write of the snapshot file counts before it is done", "I5", []edit{{"follower",
			`	if err := regularfile.Write(s.path, encodeFile(s.key, held)); err != nil {
`, `	s.saved = held
	if err := regularfile.Write(s.path, encodeFile(s.key, held)); err != nil {
`}},
		test{"follower", "^TestAFailedWriteOfTheFileIsRetried$"},
	},
	{
		"a failed write to the Cache is not retried", "S96", []edit{{"follower",
			`		u.uncached = fetched
		u.retryCache()
`, ``}},
		test{"follower", "^TestAFailedWriteToTheCacheIsRetried$"},
	},
	{
		"a file that could not be read is not read again", "S65", []edit{{"follower",
			`				f.watcher.Recheck()
`, ``}},
		test{"follower", "^TestAnUnreadableOverrideFileIsReadAgain_S65$"},
	},
	{
		"a config file that could not be read is not read again", "S65", []edit{{"cmd/catbridge/internal/localcdn",
			`				watcher.Recheck()
`, ``}},
		test{"cmd/catbridge/internal/localcdn", "^TestAFileThatCouldNotBeReadIsReadAgain$"},
	},
	{
		"a file is read on notifications only", "S65", []edit{{"internal/watchfile",
			`			if l.look() {
				l.note()
			}
`, ``}},
		test{"internal/watchfile", "^TestRegularChecksDetectEveryChange$"},
	},
	{
		"a device is read as a file", "S65", []edit{{"internal/regularfile",
			`	case !accepts(info.Mode()):
		return nil, failed(&KindError{info.Mode()})
	}
	file, err`, `	}
	file, err`},
			{"internal/regularfile", `	case !accepts(info.Mode()):
		return nil, failed(&KindError{info.Mode()})
	case info.Mode().IsRegular()`, `	case info.Mode().IsRegular()`}},
		test{"internal/regularfile", "^TestIrregularFilesAreRejected$"},
	},
	{
		"a value may have any size", "I5", []edit{{"internal/limited",
			`c.GetRange(ctx, key, 0, int64(limit))`, `c.GetRange(ctx, key, 0, -1)`}},
		test{"internal/limited", "^TestValueOverTheLimitIsReadOnlyInPart$"},
	},
	{
		"a field of meta may have any size", "I5", []edit{{"internal/limited",
			`t.keep, t.left = min(n, t.limits.Value+1)`, `t.keep, t.left = n`}},
		test{"internal/limited", "^TestReplyIsKeptOnlyUpToTheLimit$"},
	},
	{
		"a reply may have any size in total", "I5", []edit{{"internal/limited",
			`return t.limits.Total > 0 && t.size > t.limits.Total`, `return false`}},
		test{"internal/limited", "^TestAReplyThatIsTooLargeInTotalIsRefused$"},
	},
	{
		"a reply starts with data from before the connection broke", "I1", []edit{{"internal/limited",
			`	r.parser.ended = true
`, ``}},
		test{"internal/limited", "^TestBrokenReplyIsReadAgain$"},
	},
	{
		"each read tries GETRANGE although it is denied", "I5", []edit{{"internal/limited",
			`r.whole.Store(true)`, `r.whole.Store(false)`}},
		test{"internal/limited", "^TestWithoutGetRangeValuesAreReadWhole$"},
	},
	{
		"the Redis of followertest waits for the end of a pipeline", "S22", []edit{{"follower/followertest",
			`return newConn(pipe), nil`, `return pipe, nil`}},
		test{"follower/followertest", "^TestConfigMayHaveAnySize$"},
	},
}
