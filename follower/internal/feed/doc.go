// Package feed brings a config from Redis into memory: it subscribes to its changes, reads it,
// and offers it to the clients that share the feed. It knows its members' [snapshot.Holder] and
// log, and nothing else of a client. [Join] is the entrance.
//
//	 Redis                 one goroutine        one goroutine           each Member
//	┌────────┐  messages  ┌────────────┐ events ┌────────┐ Snapshot  ┌─────────────────┐
//	│ events ├───────────▶│ connection ├───────▶│ syncer ├──────────▶│ snapshot.Holder │
//	│ meta   │            └────────────┘        │        │           └─────────────────┘
//	│ lock   │     reads (blob, then meta)      │        │
//	│ blob   │◀──────────── store ──────────────┤        │
//	│ patches│                                  │        │
//	│ entry  │                                  └────────┘
//	│ fleet  │◀──────────── reporter (one goroutine, if there are reports)
//	└────────┘
//
// The syncer owns the feed's state. It handles messages, alarms and requests one after the other,
// so it needs no lock. The connection only receives, parses and passes on messages. If the queue to
// the syncer is full, it drops messages; then meta is read instead. A mutex guards the members, and
// what each knows about content that its client fetched itself.
//
// # Evidence
//
// Content that a client fetched itself yields to other content from Redis only once it is proven
// that the CDN confirmed that content later than the client's request. Each of these is proof:
//
//	a message reports a CDN answer that is   if messages state Redis's clock. The greatest
//	later than the client's request by more  offset seen converts the time of the request
//	than Dead
//	3 messages or reads of one epoch over    even if clocks differ, were set or are unknown.
//	30 s, the last of which names that       Answers reported within 20 s of the first do
//	content and a later CDN answer than the  not count: they may have been requested before
//	first
//	an entry that no leader wrote has a      by Redis's clock and the local one, if a message
//	later fetch time                         stated Redis's and Redis has meta; by the local
//	                                         clock alone if no leader was ever seen and Redis
//	                                         has no blob, as among official SDKs
//	3 reads of such an entry over 30 s,      even if those clocks are wrong
//	with rising fetch times
//	a message or a read that names that      always: an operator decided, not the CDN
//	content and an operator's control
//
// If Redis has the same content at a higher rev, the client adopts that rev at once. While a
// leader's content waits, a feed that does not subscribe reads every 10 s which content is
// current. After a start, content from a file or a Cache makes other content wait in the same
// way, if it states when the CDN was asked. Then a CDN answer that is more than 5 minutes later is
// proof even without Redis's clock.
//
// # States of the connection
//
//	                acknowledged                    no heartbeat for Dead
//	connecting ───────────────────▶ live ◀──────────────────────────────▶ no_leader
//	    ▲                            │           a heartbeat                 │
//	    │ random pause               │ the connection ends or is silent      │
//	    └────────── disconnected ◀───┴───────────────────────────────────────┘
//	                  ▲      │
//	 Redis is away    │      │  Redis answers, but the subscription fails
//	                  │      ▼
//	                  polling ───▶ tries to subscribe every Resubscribe
//
// # Many reconnections at once
//
// After a restart of Redis all followers reconnect. Each connection costs both ends CPU time,
// with TLS several milliseconds. If too many connect at once, all may be given up before they
// are established, again and again. Therefore:
//
//   - Pauses between attempts are random parts of a span that doubles up to BackoffMax. After
//     a timeout the span is at least that timeout, or BackoffMax.
//   - After a timeout the next one is longer, up to four times Ack.
//   - Feeds of one process that connect to the same address share slots: a feed holds one
//     while it connects and reads what is current. There are 32 slots at first. While feeds
//     wait, each slot that is released quickly adds one; a slot held for longer than half of
//     Ack halves the number. There are never fewer than 4 or more than 256.
//   - A feed that cannot connect does not read either, except every third time. If that read
//     succeeds, only new connections are refused, and the feed polls.
//
// # When a follower reads
//
// A follower reads after SUBSCRIBE is acknowledged, never before it, so it misses no change. A
// follower that has a config first asks which one is current, by a read of meta and lock, and
// reads the content only if it is newer. It spreads the reads of content over the window that
// the leader announced last, since many may reconnect at once. One pipeline reads blob, meta
// and lock, in this order, from one node.
//
//	message: newer rev, same content        the rev is adopted; no read
//	message: newer content, included        it is verified and put in force; no read
//	message: a patch of the content in      it is applied, verified and put in force; no read
//	force
//	message: newer content, not included    read after a random part of the spread window;
//	                                        the same read serves later announcements
//	the same, and the message says that     the patches, within a window of their own; if none
//	there are patches; or after a new       starts from the content in force, or the result does
//	connection                              not have its hash, the blob within the spread window
//	a read is older than the announcement   again after 50, 100, 200 … ms; the 4th read and
//	                                        later ones from the primary
//	every MetaReread, and while polling     meta and lock; the content if it is newer
//	every Poll
//	no live leader, or a bad blob           the official entry, too: the higher rev wins. Not
//	                                        while an operator's control is in force, see statedControl
//
// # Freshness
//
// The times of CDN answers are by Redis's clock. The age of the first answer that a follower
// sees is computed with the local clock, the only estimate at that point. If a message reports
// a later answer than the previous message did, the CDN answered between the two. This bounds
// the answer's age; within the bound the local clock is used. A wrong local clock therefore no
// longer matters once the follower has seen the leader poll.
//
// # Report
//
// A separate goroutine writes the reports, so a slow Redis delays neither sync nor evaluation.
// One pipeline adds the new report, removes the previous one by its score, which is unique, and
// removes expired ones. So there is one report per follower, although its text changes with each
// poll, without a read or a script.
//
// Besides the rev a report contains the hash, since the rev moves with every poll and does not
// show which follower is behind. It also contains the interval, which distinguishes a dead
// follower from one that reports rarely. Scores are by Redis's clock, see Freshness. Expiry is
// measured from the last CDN answer, so a follower with a wrong clock cannot remove the
// reports of others.
package feed
