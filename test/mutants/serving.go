package main

// serving are mutants of the gateway and its streams.
var serving = []mutant{
	{
		"serve: the redirect of a config stays", "S86", []edit{{"gateway",
			`served := withoutRedirect(config)`, `served := config`}},
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
			`len(origin) != 1 || !g.origins.allow(origin[0])`, `len(origin) != 1`}},
		test{"gateway", "^TestOnlyAllowedOriginsMayRead$"},
	},
	{
		"serve: a held request misses the change", "F42", []edit{{"gateway",
			`if c, _ = s.current(); c == nil {
			g.unavailable(w, "no config yet")
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
		"serve: a client may hold any number of streams", "F42", []edit{{"gateway/internal/stream",
			`case s.clients[client] >= s.limits.PerClient:`, `case false:`}},
		test{"gateway", "^TestBeyondTheLimitsRequestsAreNotHeld$"},
	},
	{
		"serve: a stalled client keeps its stream", "F42", []edit{{"gateway/internal/stream",
			`out.SetWriteDeadline(time.Now().Add(limits.WriteTimeout))`, `out.SetWriteDeadline(time.Time{})`}},
		test{"gateway/internal/stream", "^TestAStalledClientDelaysNobody$"},
	},
	{
		"serve: all streams end at once", "F42", []edit{{"gateway/internal/stream",
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
}
