package main

// naming are mutants of what keeps fleets with one SDK key apart.
var naming = []mutant{
	{
		"a channel of all databases", "F37", []edit{{"cachekeys",
			`at = "@" + strconv.Itoa(db)`, `at = strconv.Itoa(db)[:0]`}},
		test{"follower", "^TestFleetsOfOtherDatabasesAndNamespacesAreIgnored$"},
	},
	{
		"names without the namespace", "F37", []edit{{"cachekeys",
			`k = namespace + ":" + k`, `k += ""`}},
		test{"follower", "^TestFleetsOfOtherDatabasesAndNamespacesAreIgnored$"},
	},
	{
		"a leader that publishes to all databases", "F37", []edit{{"leader/set.go",
			`subscription.Database(l.cfg.Redis)`, `0*subscription.Database(l.cfg.Redis)`}},
		test{"test", "^TestF37_FleetsOnOneRedisAreStrangers$/^databases_1_and_2$"},
	},
	{
		"a leader without its namespace", "F37", []edit{{"leader/set.go",
			`l.cfg.Namespace`, `l.cfg.Namespace[:0]`}},
		test{"test", "^TestF37_FleetsOnOneRedisAreStrangers$/^namespaces$"},
	},
	{
		"a feed that clients of all namespaces share", "F37", []edit{{"follower",
			`feedKey{cfg.Redis, keys, cfg.Timings`, `feedKey{cfg.Redis, cachekeys.For(cfg.SDKKey, "", 0), cfg.Timings`}},
		test{"follower", "^TestOtherClientsShareNothing$"},
	},
	{
		"a warning of clients in other namespaces", "S1", []edit{{"follower",
			`sameFlags{cfg.Redis, keys}`, `sameFlags{cfg.Redis, cachekeys.For(cfg.SDKKey, "", 0)}`}},
		test{"follower", "^TestClientsOfOtherNamespacesAreNotWarnedOf$"},
	},
	{
		"a snapshot file of any fleet", "F37", []edit{{"cachekeys",
			`return k.scope }`, `return k.scope[:0] }`}},
		test{"follower", "^TestASnapshotFileOfAnotherFleetIsRefused$"},
	},
}
