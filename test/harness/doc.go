// Package harness is what the scenarios of test/e2e run in.
//
// An [Environment] is one Redis, one CDN, leaders and followers. [Scenario] runs a function in
// virtual time on an embedded Redis, and again on a real redis-server. The functions that
// begin with On start what other scenarios need: a certain server ([OnServer], [OnSentinel],
// [OnCluster], [OnTopologies]), processes of the program ([OnProcesses], [OnSecured]), or a bad
// network ([OnToxic], [OnLAN]).
//
//	harness.Scenario(t, func(env *harness.Environment) {
//		first, second := env.StartAll(3) // leaders, and three followers
//		for range env.Rounds(2) {
//			first.Kill()
//			killed := time.Now()
//			env.Eventually(env.TakeoverBound(), "the other leads", second.Leads)
//			env.Recovered(killed, env.TakeoverBound())
//			…
//		}
//		env.Settle()
//	})
//
// While a scenario runs, and at its end, the environment checks the guarantees by itself. The
// scenario need not:
//
//   - The [Auditor] reads all keys of the bridge again and again: entry, blob and meta agree,
//     and nothing in them goes back.
//   - A tap on each real server sees every command: only the holder of the lock writes, and
//     it writes whole changes.
//   - Each [Follower] and each watching process checks that its version does not go back.
//   - While operators pin and force, the content is what they made of what the CDN served, and that does
//     not go back. After [Environment.Oversee] followers show what is in force, in that order, and
//     nothing else.
//   - Logs, commands and output do not contain the SDK key, and Redis refuses no command.
//
// A test whose name begins with TestF and a number belongs to that row of docs/faults.md. With
// many rounds (make faults) it runs in several environments at once, must keep the bound that it
// passes to [Environment.Recovered], and has a line in the report.
//
// The methods of an environment and of what it starts must be called from the test's
// goroutine, unless they only read.
package harness
