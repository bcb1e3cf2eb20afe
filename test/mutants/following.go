package main

// following are mutants of followers.
var following = []mutant{
	{
		"a read before the subscription", "I8", []edit{
			{"follower", `	sub, err := subscription.Open(`, `	c.tell(ctx, events, event{kind: opened})
	time.Sleep(time.Millisecond)
	sub, err := subscription.Open(`},
			{"follower", `		return ctx.Err() // close ran before c.sub was stored
	}
	c.tell(ctx, events, event{kind: opened})
`, `		return ctx.Err() // close ran before c.sub was stored
	}
`},
		},
		test{"follower", "^TestReadsOnlyAfterTheSubscriptionIsAcknowledged$"},
	},
	{
		"no read upon a new connection", "I8", []edit{{"follower",
			`	s.silence.set(s.silent())
	_, _ = s.sync(ctx)
`, `	s.silence.set(s.silent())
`}},
		test{"follower", "^TestAnOutageWithoutALeaderIsCaughtUpWithAtOnce$"},
	},
	{
		"a read that hangs keeps the loss of the connection from being noticed", "I7", []edit{{"follower",
			`		return s.conn.open
`, `		return ctx
`}},
		test{"test", "^TestF11_SilentConnectionIsGivenUpWhileAReadHangs$/virtual"},
	},
	{
		"an answer that is written again counts as a new one", "I14", []edit{{"follower",
			`	case o.cdn > f.cdn && again:
		f.answered = was
`, ``}},
		test{"follower", "^TestFreshness$"},
	},
	{
		"no read of meta now and then", "I8", []edit{{"follower",
			`	_, err := s.readHead(ctx, from)
	if err != nil && s.state() == Polling {`, `	_ = from
	var err error
	if err != nil && s.state() == Polling {`}},
		test{"follower", "^TestADeniedSubscribeMeansPolling$"},
	},
	{
		"content that is not compared with its hash", "I4", []edit{{"cachekeys",
			`if hex.EncodeToString(sum[:]) != b.Hash {`, `if hex.EncodeToString(sum[:]) == "" {`}},
		test{"follower", "^TestACorruptBlobIsRefusedAndTheEntryTaken$"},
	},
	{
		"content within a message that is not compared with its hash", "I4", []edit{{"cachekeys",
			`if hex.EncodeToString(sum[:]) != b.Hash {`, `if hex.EncodeToString(sum[:]) == "" {`}},
		test{"follower", "^TestInlineContentWithFlippedBitsIsRefused$"},
	},
	{
		"a blob ahead of meta", "F29", []edit{{"follower",
			`	case r.blob.Rev > r.meta.Rev:
		err = errAhead
`, ``}},
		test{"follower", "^TestACorruptBlobIsRefusedAndTheEntryTaken$"},
	},
	{
		"a blob that meta does not name", "F29", []edit{{"follower",
			`	case r.blob.Hash != r.meta.Hash:
		err = errMismatch
`, ``}},
		test{"follower", "^TestABlobThatMetaDoesNotNameIsRefused$"},
	},
	{
		"a follower that takes any rev", "I1", []edit{
			{"follower", `	case held != nil && c.rev < rev && !lower:
		return nil, nil
`, ``},
			{"follower", `	case m.Rev > rev:
		s.onAnnounced(m, at)
`, `	case m.Hash != hash:
		s.onAnnounced(m, at)
`},
		},
		test{"follower", "^TestDuplicatedAndReorderedMessagesChangeNothing$"},
	},
	{
		"other content at the rev that is held", "I1", []edit{{"follower",
			`	case held != nil && c.rev == rev:
		s.onAnomaly(c.rev, c.hash)
		return nil, nil
`, ``},
			{"follower", `	case m.Rev == rev && m.Hash != hash:
		s.onAnomaly(m.Rev, m.Hash)
`, `	case m.Rev == rev && m.Hash != hash:
		s.onAnnounced(m, at)
`}},
		test{"follower", "^TestOtherContentAtTheSameRevIsAnAnomaly$"},
	},
	{
		"an answer that confirms other content", "I14", []edit{{"follower",
			`if held == nil || held.hash != s.freshHash || s.fresh.cdn == 0 {`, `if held == nil || s.fresh.cdn == 0 {`}},
		test{"follower", "^TestAnAnswerAboutOtherContentConfirmsNothing$"},
	},
	{
		"a local clock that is trusted", "I14", []edit{{"follower",
			`	if age < 0 || age > most {
		return most
	}
`, ``}},
		test{"follower", "^TestAgeIsRightWithAWrongLocalClock$"},
	},
	{
		"a read by all at once", "I12", []edit{{"follower",
			`		s.content.set(upTo(m.Spread))
`, `		s.content.set(0)
`}},
		test{"follower", "^TestReadsOfManyFollowersSpreadOverTheWindow$"},
	},
	{
		"no spread window", "I12", []edit{{"leader",
			`	if followers*read < minSpread.Seconds() {
`, `	if followers*read >= 0 {
`}},
		test{"leader", "^TestSpreadWindowKeepsReadsWithinTheBudget$"},
	},
	{
		"a spread window without headroom", "I12", []edit{{"leader",
			`(followers + spreadHeadroom*math.Sqrt(followers)) * read
`, `followers*read + 0*math.Sqrt(spreadHeadroom)
`}},
		test{"test/bench", "^TestReadsAfterAChangeStayWithinTheBudget$"},
	},
	{
		"a config that goes with the connection", "I5", []edit{{"follower",
			`	if s.setState(Disconnected) {
		s.log.Warn(`, `	s.current.Store(nil)
	s.members.list[0].holder.current.Store(nil)
	if s.setState(Disconnected) {
		s.log.Warn(`}},
		test{"follower", "^TestRedisIsAwayForAWhile$"},
	},
	{
		"a follower that writes", "I11", []edit{{"follower",
			`lock = get(pipe, s.keys.Lock, cachekeys.MaxLockBytes)`, `lock = pipe.GetEx(ctx, s.keys.Lock, time.Minute)`}},
		test{"follower", "^TestRealRightsToReadAndSubscribeAreEnough$"},
	},
	{
		"a silent connection that is kept", "F11", []edit{{"internal/subscription",
			`case quiet >= s.opts.Dead:`, `case quiet < 0:`}},
		test{"internal/subscription", "^TestSilentConnectionEndsWithinDead$"},
	},
	{
		"a connection without messages that is kept", "I7", []edit{{"follower",
			`	if !moved && !renewed {`, `	if true || moved || renewed {`}},
		test{"follower", "^TestPubSubThatNeverDeliversMeansPolling$"},
	},
	{
		"a replica that is believed", "I8", []edit{{"follower",
			`if s.want.tries >= primaryAfter || s.rebase.due() {`, `if s.rebase.due() {`}},
		test{"follower", "^TestThePrimaryIsAskedWhenItsReplicaIsBehind$"},
	},
	{
		"followers of a process that connect all at once", "F13", []edit{{"follower",
			`for l.inUse < l.limit && l.waiting.Len() > 0 {`, `for l.waiting.Len() > 0 {`}},
		test{"follower", "^TestConnectionsOfManyFollowersOfAProcessAreLimited$"},
	},
	{
		"connection slots that are as many however slow they are", "F13", []edit{{"follower",
			`case slow && !start.Before(l.cut):`, `case false:`}},
		test{"follower", "^TestConnectLimiter$"},
	},
	{
		"a read where there is no connection", "F13", []edit{{"follower",
			`	if s.isPointless(err) {`, `	if s.isPointless(err) && false {`}},
		test{"follower", "^TestNoReadIsTriedWithoutAConnection$"},
	},
	{
		"no read where there is no further connection", "I7", []edit{{"follower",
			`&& s.unreached%connectTries != 0`, ``}},
		test{"follower", "^TestNoFurtherConnectionsMeanPolling$"},
	},
	{
		"a late connection that is made in vain", "F13", []edit{{"internal/subscription",
			`	d.conn.Store(&conn)
	if ctx.Err() != nil {`, `	d.conn.Store(&conn)
	if dialling.Err() != nil {`}},
		test{"internal/subscription", "^TestLateConnectionIsUsed$"},
	},
	{
		"a sharer that takes another one's place as it leaves", "I8", []edit{{"follower",
			`list[m.index], last.index = last, m.index`, `list[m.index] = last`}},
		test{"follower", "^TestFurtherClientsOfAFeedHaveNoGoroutines$"},
	},
	{
		"an entry that is never read", "I5", []edit{{"follower",
			`if blobErr != nil || !r.locked {`, `if false {`}},
		test{"follower", "^TestACorruptBlobIsRefusedAndTheEntryTaken$"},
	},
}

// fetching are mutants of what a client that fetched for itself holds against Redis.
var fetching = []mutant{
	{"a leader's older content that replaces what was fetched", "F44", []edit{{"follower", `if h.own == nil || held == nil || next.hash == h.own.later {`, `if true {`}}, test{"follower", "^TestWhatWasFetchedDoesNotYieldToAnOlderAnswer$"}},
	{"a leader's older content among others that follow", "F44", []edit{{"follower", `if h.own == nil || held == nil || next.hash == h.own.later {`, `if true {`}}, test{"test", "^TestF44_CutOffFollowerDoesNotTakeOlderContentOfTheLeader$/virtual"}},
	{"what was fetched that never yields", "I8", []edit{{"follower", `	h.own.later = i.hash
`, ``}}, test{"follower", "^TestNobodyWaitsForEver$"}},
	{"what waits that is not offered again", "I8", []edit{{"follower", `		s.offerAgain()
`, ``}}, test{"follower", "^TestWhatWaitsIsOfferedAgain$"}},
	{"evidence about other content than is taken", "I1", []edit{{"follower", `	case h.mustWait(next):
		return false
`, `	case h.own != nil && h.own.later == "" && h.mustWait(next):
		return false
`}}, test{"follower", "^TestEvidenceIsAboutTheContentThatIsTaken$"}},
	{"evidence of before the request", "I1", []edit{{"follower", ` || i.at.Before(h.own.asked) || `, ` || `}}, test{"follower", "^TestEvidenceIsAboutTheContentThatIsTaken$"}},
	{"evidence by a replica", "I1", []edit{{"follower", `	if i.counts {
		evidence`, `	if true {
		evidence`}}, test{"follower", "^TestEvidenceIsAboutTheContentThatIsTaken$"}},
	{"evidence of two connections", "I1", []edit{{"follower", `	s.forget()
`, ``}}, test{"follower", "^TestEvidenceIsOfOneConnection$"}},
	{"the local clock for Redis's", "I1", []edit{{"follower", `	c.offset = max(c.offset, now-at.Sub(c.base).Milliseconds())
`, `	c.offset = c.base.UnixMilli()
`}}, test{"follower", "^TestRedisClockIsCompared$"}},
	{"an entry whose fetch times do not count", "I8", []edit{{"follower", `		evidence = &o.entry
`, ``}, {"follower", `	if i.counts {
		evidence`, `	if i.counts && !i.entry {
		evidence`}}, test{"follower", "^TestAnEntryWithoutALeaderIsTakenOnceItIsLater$"}},
	{"a wait without further reads", "I8", []edit{{"follower", `s.reread.within(awaitedReread)`, `_ = awaitedReread`}}, test{"follower", "^TestWhatWaitsIsReadAgainSoon$"}},
	{"a restart that forgets who fetched", "F44", []edit{{"follower", `return s != nil && s.fetchTime != 0 && `, `return s != nil && s.fetchTime < 0 && `}}, test{"follower", "^TestARestartDoesNotGoBack$"}},
	{"an edge that lags and is believed by a follower", "F27", []edit{{"follower", `if hash == suspect || !u.holder`, `if suspect == "" || !u.holder`}}, test{"follower", "^TestAnEdgeThatLagsIsAskedAgain$"}},
	{"a roll-back that a follower never believes", "F27", []edit{{"follower", `if hash == suspect || !u.holder`, `if hash == "" && suspect != "" || !u.holder`}}, test{"follower", "^TestAnEdgeThatLagsIsAskedAgain$"}},
	{"what is believed that stays suspect", "F27", []edit{{"follower", ` || c.hash == next.hash || held`, ` || held`}}, test{"follower", "^TestThePastIsBoundedByTime$"}},
}

// rebaseRule are mutants of the rule that lets a rev go back.
var rebaseRule = []mutant{
	{"the rebase rule after two items", "I1", []edit{{"follower", `rebaseItems = 3`, `rebaseItems = 2`}}, test{"follower", "^TestRebaseRule$"}},
	{"the rebase rule after 29 s", "I1", []edit{{"follower", `rebaseSpan  = 30 * time.Second`, `rebaseSpan  = 29 * time.Second`}}, test{"follower", "^TestRebaseRule$"}},
	{"the rebase rule without an answer of the CDN", "I1", []edit{{"follower", `>= rebaseSpan && r.answered`, `>= rebaseSpan`}}, test{"follower", "^TestALowerRevOfALeaderWithoutTheCDNIsNotTaken$"}},
	{"the rebase rule with an answer that was under way", "I1", []edit{{"follower", `rebaseUnderWay = 20 * time.Second`, `rebaseUnderWay = 1`}}, test{"follower", "^TestRebaseRule$"}},
	{"the rebase rule from two epochs", "I1", []edit{{"follower", `case r.items > 0 && a.epoch != r.epoch:`, `case false:`}}, test{"follower", "^TestRebaseRule$"}},
	{"the rebase rule that nothing undoes", "I1", []edit{{"follower", `	case a.rev >= rev:
		*r = rebase{}
`, `	case a.rev >= rev:
`}}, test{"follower", "^TestRebaseRule$"}},
	{"the rebase rule from two connections", "I1", []edit{{"follower", `s.rebase = rebase{} // what`, `// what`}}, test{"follower", "^TestALowerRevIsNotTakenByEvidenceOfTwoConnections$"}},
	{"the rebase rule by a replica", "I1", []edit{{"follower", `if s.want.tries >= primaryAfter || s.rebase.due() {`, `if s.want.tries >= primaryAfter {`}}, test{"follower", "^TestALowerRevIsNotTakenFromAReplica$"}},
	{"followers that give up a leader between two heartbeats", "I7", []edit{{"follower", `max(s.timings.Dead, 3*s.renew)`, `s.timings.Dead`}}, test{"follower", "^TestTheLeadersIntervalIsTheMeasureOfItsSilence$"}},
	{"an entry of a leader that has gone ordered by the local clock", "F44", []edit{{"follower", `proven = (known || i.alone) &&`, `proven =`}}, test{"follower", "^TestAnEntryOfALeaderThatHasGoneIsNotLaterByTheLocalClock$"}},
	{"no rebase rule", "I8", []edit{{"follower", `return r.items >= rebaseItems`, `return false && r.items >= rebaseItems`}}, test{"follower", "^TestALowerRevIsTakenByTheRebaseRuleOnly$"}},
}

// formats are mutants of what is read.
var formats = []mutant{
	{"a codec of a later version that is refused", "F39", []edit{{"cachekeys", `	return Codec(s), true`, `	return "", false`}}, test{"cachekeys", "^TestMessageOfALaterVersionIsAccepted$"}},
	{"a field of a later version that hides now", "F39", []edit{{"cachekeys", `			m.Extra += field`, `			m.Extra += field
			return m, nil`}}, test{"cachekeys", "^TestMessageOfALaterVersionIsAccepted$"}},
	{"content in a codec that is not known", "I4", []edit{{"cachekeys", `if !m.Codec.known() || m.Rev`, `if m.Codec == "" || m.Rev`}}, test{"cachekeys", "^TestMessageOfALaterVersionIsAccepted$"}},
	{"a message of any size", "F17", []edit{{"cachekeys", `if len(data) > MaxMessageBytes {`, `if false {`},
		{"cachekeys", `if len(content) > MaxInlineBytes {`, `if false {`}}, test{"cachekeys", "^TestInvalidMessagesAreRejected$"}},
	{"content of any size", "F26", []edit{{"cachekeys", `if head.FrameContentSize > MaxConfigBytes {`, `if false {`},
		{"cachekeys", `zstd.WithDecoderMaxMemory(MaxConfigBytes), zstd.WithDecodeAllCapLimit(true))`, `zstd.WithDecodeAllCapLimit(true))`}},
		test{"cachekeys", "^TestZstdSizesAreBounded$"}},
	{"an entry of any size", "I4", []edit{{"cachekeys", `case len(config) > MaxConfigBytes:`, `case false:`}}, test{"cachekeys", "^TestEntryAtItsLimits$"}},
	{
		"a write of the snapshot file that is not tried again", "I5", []edit{{"follower",
			`			retry.set(saveRetry)
`, ``}},
		test{"follower", "^TestAWriteOfTheFileThatFailedIsTriedAgain$"},
	},
	{
		"a write of the snapshot file that counts before it is made", "I5", []edit{{"follower",
			`	if err := regularfile.Write(s.path, encodeFile(s.key, held)); err != nil {
`, `	s.saved = held
	if err := regularfile.Write(s.path, encodeFile(s.key, held)); err != nil {
`}},
		test{"follower", "^TestAWriteOfTheFileThatFailedIsTriedAgain$"},
	},
	{
		"a write to the Cache that is not tried again", "S96", []edit{{"follower",
			`		u.uncached = fetched
		u.retryCache()
`, ``}},
		test{"follower", "^TestAWriteToTheCacheThatFailedIsTriedAgain$"},
	},
	{
		"a file that could not be read and is not read again", "S65", []edit{{"follower",
			`				f.watcher.Recheck()
`, ``}},
		test{"follower", "^TestAFileThatCouldNotBeReadIsReadAgain_S65$"},
	},
	{
		"a config file that could not be read and is not read again", "S65", []edit{{"cmd/catbridge/internal/localcdn",
			`				watcher.Recheck()
`, ``}},
		test{"cmd/catbridge/internal/localcdn", "^TestAFileThatCouldNotBeReadIsReadAgain$"},
	},
	{
		"a file that is not looked at besides its notifications", "S65", []edit{{"internal/watchfile",
			`			if l.look() {
				l.note()
			}
`, ``}},
		test{"internal/watchfile", "^TestRegularChecksDetectEveryChange$"},
	},
	{
		"a device that is read as a file", "S65", []edit{{"internal/regularfile",
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
		"a reader that takes values of any size", "I5", []edit{{"internal/limited",
			`c.GetRange(ctx, key, 0, int64(limit))`, `c.GetRange(ctx, key, 0, -1)`}},
		test{"internal/limited", "^TestValueOverTheLimitIsReadOnlyInPart$"},
	},
	{
		"a reader that keeps of meta's fields whatever comes", "I5", []edit{{"internal/limited",
			`t.keep, t.left = min(n, t.limit+1)`, `t.keep, t.left = n`}},
		test{"internal/limited", "^TestReplyIsKeptOnlyUpToTheLimit$"},
	},
	{
		"a reply that begins with what came before the connection broke", "I1", []edit{{"internal/limited",
			`	r.parser.ended = true
`, ``}},
		test{"internal/limited", "^TestBrokenReplyIsReadAgain$"},
	},
	{
		"a reader that asks for GETRANGE at each read though it is refused", "I5", []edit{{"internal/limited",
			`r.whole.Store(true)`, `r.whole.Store(false)`}},
		test{"internal/limited", "^TestWithoutGetRangeValuesAreReadWhole$"},
	},
	{
		"a Redis of tests that waits for the end of a pipeline", "S22", []edit{{"follower/followertest",
			`return newConn(pipe), nil`, `return pipe, nil`}},
		test{"follower/followertest", "^TestAConfigMayBeOfAnySize$"},
	},
}
