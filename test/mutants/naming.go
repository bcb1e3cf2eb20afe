package main

// naming are mutants of the names that separate fleets with one SDK key.
var naming = []mutant{
	{
		"the channel does not name the database", "F37", []edit{{"cachekeys",
			`at = "@" + strconv.Itoa(db)`, `at = strconv.Itoa(db)[:0]`}},
		test{"follower", "^TestFleetsOfOtherDatabasesAndNamespacesAreIgnored$"},
	},
	{
		"names lack the namespace", "F37", []edit{{"cachekeys",
			`k = namespace + ":" + k`, `k += ""`}},
		test{"follower", "^TestFleetsOfOtherDatabasesAndNamespacesAreIgnored$"},
	},
	{
		"a leader publishes to all databases", "F37", []edit{{"leader/elector_set.go",
			`redisnode.OptionsOf(l.cfg.Redis).DB`, `0*redisnode.OptionsOf(l.cfg.Redis).DB`}},
		test{"test/e2e", "^TestF37_FleetsOnOneRedisDoNotInterfere$/^databases_1_and_2$"},
	},
	{
		"a leader ignores its namespace", "F37", []edit{{"leader/elector_set.go",
			`l.cfg.Namespace`, `l.cfg.Namespace[:0]`}},
		test{"test/e2e", "^TestF37_FleetsOnOneRedisDoNotInterfere$/^namespaces$"},
	},
	{
		"clients of all namespaces share a feed", "F37", []edit{{"follower",
			`Redis: cfg.Redis, Keys: keys,`, `Redis: cfg.Redis, Keys: cachekeys.For(cfg.SDKKey, "", 0),`}},
		test{"follower", "^TestClientsThatDifferShareNothing$"},
	},
	{
		"a client warns about clients in other namespaces", "S1", []edit{{"follower",
			`sameFlags{cfg.Redis, keys}`, `sameFlags{cfg.Redis, cachekeys.For(cfg.SDKKey, "", 0)}`}},
		test{"follower", "^TestClientsOfOtherNamespacesCauseNoWarning$"},
	},
	{
		"a snapshot file of another fleet is accepted", "F37", []edit{{"cachekeys",
			`return k.scope }`, `return k.scope[:0] }`}},
		test{"follower", "^TestASnapshotFileOfAnotherFleetIsRefused$"},
	},
}
