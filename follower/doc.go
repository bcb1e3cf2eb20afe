// Package follower is a ConfigCat SDK for Go that reads its config from Redis and receives
// each change by pub/sub. Another process of this project, the leader, keeps the config in
// Redis current.
//
//	client, err := follower.NewClient(sdkKey, redis.NewClient(&redis.Options{Addr: "localhost:6379"}))
//	...
//	defer client.Close()
//	state, err := client.WaitForReady(ctx) // at the start: evaluations return defaults before
//	...
//	user := &follower.UserData{Identifier: "42", Email: "jane@example.com"}
//	if client.GetBoolValue("newCheckout", false, user) {
//
// An evaluation loads the config in force with one atomic read of memory, and allocates nothing
// except what evaluate.Config.Evaluate documents. It waits only in the polling modes AutoPoll,
// Lazy and Manual, see [PollingMode]. Everything else happens in the background.
//
// For tests there is package followertest. docs/migration.md moves a service from the official Go
// SDK to this package.
//
// docs/glossary.md explains the terms. Numbers such as I1, S13 and F27 refer to
// docs/guarantees.md, docs/sdk-surface.md and docs/faults.md.
//
// # Parts
//
//	 Redis                      feed, one for each SDK key                     Client
//	┌────────┐  messages  ┌────────────┐ events ┌──────┐ snapshot (atomic)  ┌───────────┐
//	│ events ├───────────▶│ connection ├───────▶│ sync ├───────────────────▶│ Get…Value │
//	│ meta   │            └────────────┘        │      ├─┐                  │ Stats     │
//	│ lock   │     reads (blob, then meta)      │      │ │ changes ┌─────┐  └───────────┘
//	│ blob   │◀─────────────────────────────────┤      │ └────────▶│hooks│
//	│ entry  │                                  └──────┘           └─────┘
//	└────────┘
//
// The feed has two goroutines. Contributors find in follower/internal/feed/doc.go when it reads,
// how it reconnects, and how it compares times. Hooks have goroutines of their own, see [Hooks].
//
// Clients share a feed, with one subscription, one read and one compiled config, if their SDK
// key, Namespace, Redis client, Timings and options for reports are the same, and either all
// or none of them subscribe. The feed ends when its last client is closed. Clients with
// different Redis clients read separately, but share the compiled config of equal content. A
// client that joins a feed costs about 2 KB and no goroutine.
//
// If Redis has no content, each client's updater reads the Cache and, if the client is online,
// asks the CDN. Its goroutine runs only while there is work. In the modes AutoPoll, Lazy and
// Manual it also makes the feed read Redis when a read is due.
//
// # Sources
//
// Content in Redis is ordered by its rev, a time in Unix milliseconds. A client writes what it
// fetched itself to the Cache and the snapshot file, and never to Redis. That content takes the
// rev of the content that it replaces. The leader may have fetched its content before or after,
// so other content from Redis replaces it only once it is proven that the CDN confirmed that
// content later than the client's request: within at most 30 s and one poll interval, counted
// from the CDN's answer to the leader. Counters.Waits counts this. Clients that share a feed wait
// separately. Content from a file or a Cache makes other content wait in the same way, if it
// states when the CDN was asked.
//
// A client that is online uses a suspect answer of the CDN only if it receives it twice, see
// docs/glossary.md. If the CDN alternates between two such configs, the content in force stays.
//
// A client asks the CDN only if the content in force is missing or expired. Content does not
// expire while the CDN answers a live leader, unless PollInterval is shorter than the
// leader's.
//
// An operator can pin a config, or force a flag to a value. The leader then makes content current
// that the CDN does not serve. While Stats.Control shows that, clients take content from the leader
// only: not from the entry, into which an official SDK that is online may write the CDN's, and not
// from the CDN. The leader's content also replaces at once what a client fetched itself. This ends
// when the leader says so, not when Redis, its data or the leader are lost. Without a leader it ends 8
// days after the operator's last command, when it must have ended. A client that starts without Redis
// does not know of it.
//
// docs/starts.md shows for 24 starts which content is in force and which CacheState results.
// The file's content is in force when New returns, all other content as soon as its source
// answers. While nothing is in force, evaluations return their default values. No start fails
// because a source is unavailable: the client keeps trying all of them.
//
// # Guarantees
//
//   - The rev only rises, except by the rebase rule, see docs/glossary.md#the-rebase-rule.
//     Content changes only with the rev, or when the client itself fetches other content, see
//     Sources (I1).
//   - Content is put in force only if its hash matches the announced one and it is a valid
//     config (I4). Anything else is counted, logged once, and changes nothing.
//   - Once there is a config, evaluation works through any outage (I5).
//   - Staleness is at most the leader's poll interval plus the spread window; one heartbeat
//     more if a message is lost; Dead and a pause more if the connection dies; 6 s more
//     without pub/sub (I7).
//   - A follower never writes to Redis, except the report below if that is configured. It
//     needs the rights GET, GETRANGE, HMGET, SUBSCRIBE, UNSUBSCRIBE and PING on the keys and the
//     channel of its SDK key (I11), and in a cluster those that go-redis needs.
//   - Content is reported as up to date only after an answer from the CDN about this very
//     content (I14).
//
// # Report
//
// With Config.FleetReport a feed writes at intervals a report about its content into a sorted
// set. It shows operators how many followers there are and which are behind; nothing else depends
// on it. The set holds one report of at most 384 bytes for each live follower. A follower that is
// closed removes its own; that of a killed one stays for 15 minutes, or longer if the CDN does
// not answer.
//
// The first report is sent after a random part of the interval, each later one after the
// interval ± 20 %. After a change, one report is sent within half the interval, but at least
// 5 s after the last one.
//
// # Failures
//
//	a message is lost                    the next heartbeat names the content, too
//	messages repeated, reordered, late   ignored: their revs are lower
//	garbage, other versions, 1 MB long   ignored and counted; the connection stays
//	the connection is closed             reconnects after 0–0.2 s, later after up to 5 s
//	no further connection is possible    polling over the existing ones
//	the connection is silent             PING after Idle, given up after Dead
//	PING is answered, no heartbeats      meta is read from the primary: if it changed or the
//	                                     lock was renewed, reconnects; otherwise no_leader
//	the same three times in a row        polling, until a message is received
//	SUBSCRIBE is denied or unanswered,   polling, and an error in the log; retried every
//	or closes the connection             Resubscribe
//	reads are denied                     an error in the log, retried; content within
//	                                     messages is used
//	Redis is down, hung or restarted     evaluation continues; reconnects as above
//	Redis lost its data                  the content in force stays until a leader writes
//	flipped bits, a blob of another rev  rejected; the official entry is used
//	no leader at all                     an entry that official SDKs write is enough, unless an
//	                                     operator's control is in force
//	reports are denied                   an error in the log, retried after 10 min
//	reports fail otherwise               a warning in the log, retried with the next report
//
// docs/faults.md lists every fault with its bound and the longest recovery that was measured.
//
// # Not guaranteed
//
//   - If several changes follow each other quickly, a follower may see only the last one.
//   - After a start with a local clock that is behind, and with a leader that the CDN does
//     not answer, content may count as fresh for up to the leader's poll interval and 15 s.
//   - While messages are delayed, content may count as fresher by that delay, at most by Dead:
//     the local clock is not trusted to detect a delay.
//   - What a lagging edge of the CDN serves counts as the CDN's answer. A client that fetched
//     for itself therefore goes back to older content if such an edge answers the leader
//     later. The same happens if Redis's clock was set back between the CDN's answer to the
//     leader and the first message that told the client that clock.
//   - Durations must match the leader's, see [Timings]. If its LeaseDuration is more than
//     2 × Dead, a leader's death first looks like a connection that delivers no messages.
//
// docs/events.md lists the events that a follower logs.
package follower
