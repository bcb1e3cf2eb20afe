package main

// serving are mutants of the gateway and its streams.
var serving = []mutant{
	{
		"serve: the redirect of a config stays", "S86", []edit{{"gateway",
			`served := withoutRedirect(held.JSON)`, `served := held.JSON`}},
		test{"gateway", "^TestTheBytesOfTheConfigAreServed$"},
	},
	{
		"serve: encoded answers have the ETag of the identity", "F42", []edit{{"gateway",
			"r.etag = []string{`\"` + c.tag + \"-\" + encoding + `\"`}\n", "\n"}},
		test{"gateway", "^TestTheETagIsOfTheServedContentAlone$"},
	},
	{
		"serve: the suffix of a proxy makes another ETag", "F42", []edit{{"gateway",
			`return suffix == "" || suffix[0] == '-' || suffix[0] == ';'`, `return suffix == ""`}},
		test{"gateway", "^TestConditionalRequests$"},
	},
	{
		"serve: a name alone is enough everywhere", "I13", []edit{{"gateway",
			`to.bare && !g.mayUseName(r)`, `to.bare && false`}},
		test{"gateway", "^TestUnknownKeysAndMissingTokensLookAlike$"},
	},
	{
		"serve: a page of another site reads a config of this machine", "I13", []edit{{"gateway",
			`return local.IP.IsLoopback() && hostname.IsOwn(r.Host, g.hosts)`, `return local.IP.IsLoopback() && (hostname.IsOwn(r.Host, g.hosts) || true)`}},
		test{"gateway", "^TestANameAloneIsForTheSameMachine$"},
	},
	{
		"serve: an origin that is not allowed is repeated", "I13", []edit{{"gateway",
			`if len(origin) != 1 || !g.origins.allow(origin[0]) && !slices`, `if len(origin) != 1 || origin[0] == "" && !slices`}},
		test{"gateway", "^TestOnlyAllowedOriginsMayRead$"},
	},
	{
		"serve: a held request misses the change", "F42", []edit{{"gateway",
			`if c, _ = s.current(); c == nil {
			g.unavailable(w, in.at, "no config yet")
			return
		}
		match`, `match`}},
		test{"gateway", "^TestHeldRequestsAreAnsweredAtAChange$"},
	},
	{
		"serve: a page waits for what the browser's cache has", "F42", []edit{{"gateway",
			` && hasItself(r, c.tag) && g.await`, ` && g.await`}},
		test{"gateway", "^TestAPageDoesNotWaitForWhatTheBrowsersCacheHas$"},
	},
	{
		"serve: the query counts beside If-None-Match", "F42", []edit{{"gateway",
			`		return false
	}
	return matchesQuery(r, tag)`, `	}
	return matchesQuery(r, tag)`}},
		test{"gateway", "^TestAPageDoesNotWaitForWhatTheBrowsersCacheHas$"},
	},
	{
		"serve: the write deadline of the server ends a held request", "F42", []edit{{"gateway",
			`_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(server.WriteTimeout))`, `_ = server`}},
		test{"gateway", "^TestHeldRequestsOutliveTheTimeoutsOfTheServer$"},
	},
	{
		"serve: a client may hold any number of streams", "F42", []edit{{"internal/stream",
			`case s.clients[client] >= s.limits.PerClient:`, `case false:`}},
		test{"gateway", "^TestBeyondTheLimitsRequestsAreNotHeld$"},
	},
	{
		"serve: a stalled client keeps its stream", "F42", []edit{{"internal/stream",
			`out.SetWriteDeadline(began.Add(limits.WriteTimeout))`, `out.SetWriteDeadline(time.Time{})`}},
		test{"internal/stream", "^TestAStalledClientDelaysNobody$"},
	},
	{
		"serve: all streams end at once", "F42", []edit{{"internal/stream",
			`if !sleepUntil(ctx, began.Add(over*time.Duration(i)/time.Duration(len(order)))) {`, `if began.IsZero() || i < 0 || ctx.Err() != nil {`}},
		test{"gateway", "^TestDrainingAnswersHeldRequestsOneByOne$"},
	},
	{
		"serve: a request of an SDK that gives up after 5 s is held as long as others", "F42", []edit{{"gateway",
			`hold := min(g.hold, maxHold(agent))`, `hold := g.hold * min(1, maxHold(agent))`}},
		test{"gateway", "^TestOnlyPollingSDKsThatAreUpToDateAreHeld$"},
	},
	{
		"serve: the ETag is written in Go's form", "F42", []edit{{"gateway",
			`etagName = "ETag"`, `etagName = "Etag"`}},
		test{"gateway", "^TestTheETagIsWrittenAsTheCDNDoes$"},
	},
	{
		"serve: every token shows rules", "I13", []edit{{"gateway",
			`!g.mayUseName(r) || to.rights&RightConfig == 0 ||`, `!g.mayUseName(r) ||`}},
		test{"gateway", "^TestATokenWithoutTheRightReadsNoRules$"},
	},
	{
		"serve: every token evaluates", "I13", []edit{{"gateway",
			`case to.rights&right == 0:`, `case to.rights == 0:`}},
		test{"gateway", "^TestWhoMayEvaluate$"},
	},
	{
		"serve: a client without a token learns which names exist", "I13", []edit{{"gateway",
			`if !trusted && tokens == nil {`, `if !trusted && tokens == nil && (by.name == "" || t.find(namePrefix+by.name) != nil) {`}},
		test{"gateway", "^TestWhoMayEvaluate$"},
	},
	{
		"serve: a page of another site uses a name of this machine", "I13", []edit{{"gateway",
			`case !g.usedFrom(r, to), to.bare && g.isCrossOrigin(r):`, `case !g.usedFrom(r, to):`}},
		test{"gateway", "^TestWhoMayEvaluate$"},
	},
	{
		"serve: a page reads answers to others than its token", "I13", []edit{{"gateway",
			`delete(h, "Access-Control-Allow-Origin")`, `delete(h, "")`}},
		test{"gateway", "^TestTheOriginsOfATokenAreForItAlone$"},
	},
	{
		"serve: users who differ only in a list are one", "F42", []edit{{"gateway",
			`out = appendText(out, text)`, `out = append(out, text...)`}},
		test{"gateway", "^TestDifferentUsersDiffer$"},
	},
	{
		"serve: text that looks like a time is always a date", "F42", []edit{{"gateway",
			`if !c.dates()[name] {`, `if c.dates() == nil {`}},
		test{"gateway", "^TestTextIsADateWhereTheConfigUsesDates$"},
	},
	{
		"serve: a body is not bounded", "F42", []edit{{"gateway",
			`http.MaxBytesReader(w, r.Body, maxBody)`, `http.MaxBytesReader(w, r.Body, maxBody<<10)`}},
		test{"gateway", "^TestBodiesAreBounded$"},
	},
	{
		"serve: a refresh within a second of another is dropped", "F42", []edit{{"gateway",
			`go f.send(next, time.Until(state.last.Add(refreshEvery)))`, `go f.send(next, 0)`}},
		test{"gateway", "^TestRefreshesAreSharedAndNotLost$"},
	},
	{
		"serve: every change of a config is sent to every user", "F42", []edit{{"gateway",
			`if next == nil || before != nil && !next.differs(before) {`, `if next == nil || next == before {`}, {"gateway",
			`if !next.differs(before.value) {`, `if next == nil {`}},
		test{"gateway", "^TestAFrameIsSentOnlyIfAValueOfItsUserChanged$"},
	},
	{
		"serve: a flag that is gone is missing among the changes", "F42", []edit{{"gateway",
			`for _, gone := range old {`, `for _, gone := range old[:0] {`}},
		test{"gateway", "^TestOnlyChangesAreSentOnRequest$"},
	},
	{
		"serve: a revoked token keeps its streams", "I13", []edit{{"gateway",
			`g.streams.Recheck()`, ``}},
		test{"gateway", "^TestStreamsEndWhenTheyAreNoLongerAllowed$"},
	},
	{
		"serve: over HTTP/2 a silent stream ends", "F42", []edit{{"internal/stream",
			`return out.SetWriteDeadline(time.Time{}) == nil`, `return true`}},
		test{"internal/stream", "^TestStreamsOverHTTP2StayOpen$"},
	},
	{
		"serve: a certificate is verified only when its connection begins", "I13", []edit{{"cmd/catbridge/internal/httpd",
			`if c.config == config && now.Before(c.until) {`, `if c.config != nil && now.Before(c.until) {`}},
		test{"cmd/catbridge/internal/httpd", "^TestRemovedAuthoritiesCountOnOpenConnections$"},
	},
	{
		"serve: everybody may connect to a Unix socket until its mode is set", "I13", []edit{{"cmd/catbridge/internal/httpd",
			`net.ListenConfig{Control: restrict}`, `net.ListenConfig{}`}},
		test{"cmd/catbridge/internal/httpd", "^TestASocketIsRestrictedFromItsStart$"},
	},
	{
		"serve: status needs no token on an address of the network", "I13", []edit{{"cmd/catbridge/internal/httpd",
			`case onLoopback(addr):
		guarded`, `default:
		guarded`}},
		test{"cmd/catbridge", "^TestServeOnAnAddressOfTheNetwork$"},
	},
	{
		"serve: a request is held after its token was removed", "I13", []edit{{"gateway",
			`return to != nil && to.serving().site == on`, `return to == nil || on != nil`}},
		test{"gateway", "^TestHeldRequestsEndWhenTheirTokenIsRemoved$"},
	},
	{
		"serve: a stream stays open when its config is too old", "I14", []edit{{"gateway",
			`f.timer = time.AfterFunc(g.maxStale, f.check)`, `f.timer = time.AfterFunc(g.maxStale, func() {})`}},
		test{"gateway", "^TestStreamsOfOldConfigsEnd$"},
	},
	{
		"serve: a stream ends although its config was confirmed again", "I14", []edit{{"gateway",
			`if left := f.left(); left < 0 {
		f.stream.End()
	} else {`, `if left := f.left(); true {
		f.stream.End()
	} else {`}},
		test{"gateway", "^TestStreamsOfOldConfigsEnd$"},
	},
	{
		"serve: a stream sends a change after it has to end", "I13", []edit{{"internal/stream",
			` || s.hasEnded() {`, ` {`}},
		test{"internal/stream", "^TestAStreamThatHasToEndSendsNothingMore$"},
	},
}
