// Package model is the protocol as a small model, in which millions of steps take seconds.
//
// A [World] is one Redis with a replica, three leader processes, three followers, a CDN
// and official SDKs that share the entry. Whatever may happen to them is an [Event]. A
// world is deterministic: a run is its list of events, and each list is a run, so that a
// trace that was found can be cut down, kept and replayed. After each event the oracle,
// who knows which content the CDN served when, looks whether the invariants hold: I1, I2,
// I3, I4, I9, I10, I14, and "names": no other fleet makes a process of this one do anything.
// When the events are over, faults stop, time passes, and all followers must hold what is
// current within a bound (I8).
//
// TestModel draws runs; STEPS says how long (make model STEPS=100_000_000). What it
// found is kept in caught_test.go, one trace for each rule, which breaks an invariant
// without that rule and none with it.
//
// # What is modelled by what
//
// The model is written along the sources, function by function, as far as they decide
// something. Contents are numbers, there is no clock but one, and waiting for Redis is
// where a coroutine stops until the world says what comes of it.
//
//	model                    source
//	scripts.go               leader/acquire.lua, commit.lua, renew.lua, release.lua
//	leader_keeper.go         leader/elector.go
//	leader_term.go           leader/term.go
//	leader_publish.go        leader/publish.go, mend.go
//	leader_poll.go           leader/fetch.go, poll.go
//	follower_sync.go         follower/sync.go
//	follower_message.go      follower/message.go
//	follower_read.go         follower/read.go, redis.go
//	follower_content.go      follower/content.go
//	follower_rebase.go       follower/rebase.go
//	follower_own.go          follower/own.go, doubt.go, for a feed with one client
//	follower_freshness.go    follower/freshness.go, without any use of the local clock
//	exchange.go              what becomes of a command, and of a message
//	edge.go, spoil.go        faults of the CDN, of Redis, and other writers
//	stranger.go              another fleet with the same SDK key; leader/listen.go
//	oracle.go                nothing: the invariants
//
// The other fleet is in another database or namespace of the same Redis. Redis knows no databases
// in Pub/Sub, so the name of the channel keeps the two apart: without the guard ChannelNamesFleet this
// fleet's followers and leaders get the other's messages.
//
// That scripts.go does what the scripts do is tested by running both, side by side.
//
// # What is left out
//
// Each of these makes the invariants fail, here and in the product, and is no part of
// what is promised:
//
//   - An edge of the CDN that serves what nobody here knew to have been replaced: a config
//     that came and went between two polls; or one that only a Redis knew of that lost its
//     data since, or that only meta told of after Redis's clock jumped ahead. Or for longer
//     than 2 minutes, or twice in a row.
//   - A second loss of data while, after the first, Redis's clock is behind and rule 6 has
//     not yet mended that; and what is then still on its way from before.
//   - SDKs whose clocks are off and a Redis that loses, and finds again, what they wrote; of
//     two SDKs that write over each other the one with the earlier time.
//   - An SDK that writes while a leader's write is under way to Redis: the answer's age is
//     counted up to when that was sent, so that it seems younger by as long as it travels.
//   - A process that is cut off from Redis for all the time for which, after a loss of data,
//     the clock is behind what that process saw: that revs proved nothing then it never learns.
//   - Two primaries at once whose clocks differ or were set back, or whose leaders ask the CDN at the same time.
//   - Both copies of a content spoiled behind their heads, which a touch does not read.
//   - Two clocks that agree to the millisecond about two contents.
//   - A follower that fetches for itself, where Redis's clock was set back before it heard of that
//     clock at all; or where an SDK whose clock is off wrote the entry.
//
// Files and caches of followers, feeds that several clients share and the polling modes that
// do not subscribe are not in the model, nor is anything about sizes, rights and the network
// below commands and messages.
package model
