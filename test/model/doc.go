// Package model is a small model of the protocol. It runs millions of steps in seconds.
//
// A [System] is one Redis with a replica, three leader processes, three followers, a CDN, and
// official SDKs that share the entry. Everything that can happen to them is an [Event]. A
// System is deterministic: a run is a list of events, and every list is a valid run. So a
// trace that breaks an invariant can be shortened, kept and replayed. After each event the
// oracle, which knows when the CDN served which content, checks the invariants I1, I2, I3, I4,
// I9, I10, I14, and "names": another fleet never causes an action in this one. After the last
// event the faults end, time passes, and all followers must hold the current content within a
// bound (I8).
//
// TestModel draws runs. STEPS sets their total length (make model STEPS=100_000_000). The
// traces that it found are in caught_test.go: for each rule one that breaks an invariant
// without the rule and none with it.
//
// # Model and sources
//
// The model follows the sources function by function, as far as they make decisions. Contents
// are numbers, there is only one clock, and a coroutine stops where its source waits for Redis.
//
//	model                    source
//	scripts.go               leader/internal/script: acquire.lua, commit.lua, renew.lua, release.lua
//	leader_elector.go        leader/elector.go
//	leader_term.go           leader/term.go, term_content.go
//	leader_write.go          leader/term_commit.go, term_renew.go, term_repair.go
//	leader_poll.go           leader/term_fetch.go, term_poll.go
//	follower_sync.go         follower/internal/feed: syncer.go, syncer_connection.go, syncer_observe.go
//	follower_message.go      follower/internal/feed/syncer_message.go
//	follower_read.go         follower/internal/feed: syncer_read.go, store.go
//	leader_patch.go          leader/term_patch.go
//	follower_patch.go        follower/internal/feed/syncer_patch.go
//	follower_content.go      follower/internal/feed/syncer_content.go
//	follower_rebase.go       follower/internal/feed/rebase.go
//	follower_own.go          follower/internal/feed/member_own_content.go and follower/source_suspect.go, for a feed with one client
//	follower_freshness.go    follower/internal/feed/freshness.go, without the local clock
//	exchange.go              the fate of a command, and of a message
//	edge.go, faults.go       faults of the CDN and of Redis, and other writers
//	stranger.go              another fleet with the same SDK key; leader/listen.go
//	oracle.go                none: the invariants
//	control.go               leader/elector_control.go, the parts of elector.go, term_control.go and term_commit.go about controls, and
//	                         leader/internal/script/control_write.lua, in a model of its own: [ControlSystem]
//
// The other fleet uses another database or namespace of the same Redis. Pub/Sub ignores
// databases, so only the channel's name separates the two fleets: without the guard
// ChannelNamesFleet, this fleet's followers and leaders receive the other's messages.
//
// A test runs scripts.go and the Lua scripts side by side and compares them.
//
// A [ControlSystem] has what operators put in force. There, too, a run is a list of events. TestControlModel checks: what is
// current is made of the stored control ("latest"), and of the CDN's content, too, once all is quiet ("quiet"); a
// replaced control does not come back without a new order ("withdrawn"), a lost one replaces no later one
// ("overwritten"), and what a living leader acted on is in force again after a loss ("restored"); no seq
// has two controls ("one seq").
//
// # Limits
//
// The following breaks invariants, in the model and in the product. The product does not
// promise otherwise, and the model leaves it out:
//
//   - An edge of the CDN that serves content that no process knows as replaced: a config that
//     came and went between two polls; or one that only a Redis knew that has lost its data
//     since, or that only meta named after Redis's clock jumped ahead. Or an edge that lags
//     for longer than 2 minutes, or that lags twice in a row.
//   - A second loss of data while Redis's clock is behind after the first and the rebase rule
//     has not taken effect yet; and messages and writes of before that are still in flight.
//   - SDKs whose clocks are wrong, if Redis loses and recovers what they wrote; and, of two
//     SDKs that overwrite each other's entries, the one with the earlier time.
//   - An SDK that writes while a leader's write is in flight: the answer's age counts up to the
//     time of sending, so the answer seems more recent by the time in flight.
//   - A process that is cut off from Redis for as long as the clock, after a loss of data, is
//     behind the revs that the process has seen: it does not notice that revs proved nothing.
//   - Two primaries at once whose clocks differ or were set back, or whose leaders ask the CDN
//     at the same time.
//   - Both copies of a content corrupt behind their heads, which a renewal does not read.
//   - Two clocks that give two contents the same millisecond.
//   - A follower that fetches for itself, if Redis's clock was set back before the follower
//     first received that clock, or if an SDK whose clock is wrong wrote the entry, or if Redis,
//     whose clock is ahead, lost lock, meta and blob of a leader and not the entry.
//
// Files and caches of followers, feeds that several clients share, and polling modes without
// a subscription are not in the model; neither are sizes, rights, and the network below
// commands and messages.
package model
