package main

// servingOpenFeature are mutants of what the gateway serves to OpenFeature.
var servingOpenFeature = []mutant{
	{
		"serve: an expired URI opens a stream", "I13", []edit{{"gateway/internal/ofrep",
			`!now.Before(expiry) {`, `!now.Before(expiry) && false {`}},
		test{"gateway/internal/ofrep", "^TestATokenExpires$"},
	},
	{
		"serve: a URI that nobody signed opens a stream", "I13", []edit{{"gateway/internal/ofrep",
			`if !valid {`, `if !valid && false {`}},
		test{"gateway/internal/ofrep", "^TestATokenIsVerified$"},
	},
	{
		"serve: a page of another origin uses a URI", "I13", []edit{{"gateway",
			`len(origin) == 1 && origin[0] != grant.Origin`, `len(origin) == 1 && origin[0] == ""`}},
		test{"gateway", "^TestEventStreamsAreOpenedWithSignedURIs$"},
	},
	{
		"serve: the ETag of flags ignores the context", "F42", []edit{{"gateway/internal/ofrep",
			`[]string{format, contentHash, user, stream}`, `[]string{format, contentHash, stream}`}},
		test{"gateway", "^TestTheETagOfFlagsIsOfContentAndContext$"},
	},
	{
		"serve: a page keeps the URI of a stream that is not valid", "F42", []edit{{"gateway/internal/ofrep",
			`[]string{format, contentHash, user, stream}`, `[]string{format, contentHash, user}`}},
		test{"gateway", "^TestTheETagChangesWithTheURI$"},
	},
	{
		"serve: after an event a page receives the older flags", "F42", []edit{{"gateway",
			`!of.reaches(wanted) && !g.awaitVersion(r, of, wanted)`, `!of.reaches(wanted) && !g.awaitVersion(r, of, wanted) && false`}},
		test{"gateway", "^TestARequestAfterAnEventReceivesNothingOlder$"},
	},
	{
		"serve: a host that is behind sends its older event", "F42", []edit{{"gateway",
			`has.Hash == now.Hash || has.Rev > now.Rev`, `has.Hash == now.Hash`}},
		test{"gateway", "^TestEventsFollowChanges$"},
	},
	{
		"serve: all pages ask at once after an event", "F42", []edit{{"internal/stream",
			`if h.started && !h.delaying {`, `if h.started && !h.delaying && h.each < 0 {`}},
		test{"internal/stream", "^TestHintsAreSpread$"},
	},
	{
		"serve: a URI outlives the token that it was made for", "I13", []edit{{"gateway",
			`if to == nil || to.token == "" {`, `if true {`}},
		test{"gateway", "^TestEventStreamsEndWithTheirToken$"},
	},
	{
		"serve: a stream outlives the right of its token", "I13", []edit{{"gateway",
			`case is.to.rights&RightStream == 0:`, `case false:`}},
		test{"gateway", "^TestEventStreamsEndWithTheirToken$"},
	},
	{
		"serve: pages of an origin that a token lost keep their streams", "I13", []edit{{"gateway",
			`case grant.Origin != "" && !is.to.origins.none()`, `case false && !is.to.origins.none()`}},
		test{"gateway", "^TestEventStreamsEndWithTheirToken$"},
	},
	{
		"serve: after an event a page without its token waits", "I13", []edit{{"gateway",
			`func() bool { return g.mayGoOn(r, selector{}, RightEvaluate, of) }`, `nil`}},
		test{"gateway", "^TestRequestsAfterAnEventEndWhenTheyAreNoLongerAllowed$"},
	},
}
