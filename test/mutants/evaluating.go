package main

// evaluating are mutants of snapshots and hooks.
var evaluating = []mutant{
	{
		"a snapshot whose memo comes from another user's", "S22", []edit{{"follower",
			`	return newSnapshot(s.evaluator, s.held, s.state, user, s.defaultUser)
`, `	other := newSnapshot(s.evaluator, s.held, s.state, user, s.defaultUser)
	other.memo.flags, other.memo.values = s.memo.flags, s.memo.values
	other.memo.filled.Store(s.memo.filled.Load())
	return other
`}},
		test{"follower", "^TestSnapshotsAgreeWithTheClientForEveryUser_S22$"},
	},
	{
		"flags of one key and two types taken for each other", "S24", []edit{{"follower",
			`unique.Make(flagName{kind, key})`, `unique.Make(flagName{0 * kind, key})`}},
		test{"follower", "^TestSnapshotsAgreeWithTheClientForEveryUser_S22$"},
	},
}
