package main

// evaluating are mutants of snapshots and hooks.
var evaluating = []mutant{
	{
		"a snapshot uses another user's evaluation cache", "S22", []edit{{"follower",
			`	return newSnapshot(s.evaluator, s.held, s.state, user, s.defaultUser)
`, `	other := newSnapshot(s.evaluator, s.held, s.state, user, s.defaultUser)
	other.evaluationCache.flags, other.evaluationCache.values = s.evaluationCache.flags, s.evaluationCache.values
	other.evaluationCache.filled.Store(s.evaluationCache.filled.Load())
	return other
`}},
		test{"follower", "^TestSnapshotsAgreeWithTheClientForEveryUser_S22$"},
	},
	{
		"flags with one key and two types are confused", "S24", []edit{{"follower",
			`unique.Make(flagName{kind, key})`, `unique.Make(flagName{0 * kind, key})`}},
		test{"follower", "^TestSnapshotsAgreeWithTheClientForEveryUser_S22$"},
	},
	{
		"an evaluation waits for slow hooks", "S49", []edit{{"follower",
			`	default:
		h.dropped.Add(1)
		if h.full`, `	case <-make(chan struct{}):
		h.dropped.Add(1)
		if h.full`}},
		test{"follower", "^TestAHangingEvaluationHookBlocksNothing_S49$"},
	},
	{
		"Close waits for slow hooks", "S2", []edit{{"follower",
			`	case <-timer.C:
		h.givenUp`, `	case <-make(chan struct{}):
		h.givenUp`}},
		test{"follower", "^TestCloseDrainsEvaluations_S49$"},
	},
	{
		"Close drops the queued calls of hooks", "S49", []edit{{"follower",
			`drainTime = time.Second`, `drainTime = 0 * time.Second`}},
		test{"follower", "^TestCloseDrainsEvaluations_S49$"},
	},
	{
		"a hook that ends its goroutine stops the others", "S52", []edit{{"follower",
			`				goWhile(step, done)
			}
		}()`, `				close(done)
			}
		}()`}},
		test{"follower", "^TestAHookThatEndsItsGoroutineStopsNoOtherHook_S52$"},
	},
	{
		"all flags are evaluated without shared results", "S18", []edit{{"evaluate",
			`r.recall = recall{}`, `r.recall = nil`}},
		test{"follower", "^TestAllDetailsEvaluateEveryPrerequisiteOnce$"},
	},
	{
		"a failed prerequisite is evaluated again", "S18", []edit{{"evaluate",
			`err == nil || err != errTooMany && !err.walked`, `err == nil`}},
		test{"evaluate", "^TestFailingPrerequisiteIsEvaluatedOnce$"},
	},
}
