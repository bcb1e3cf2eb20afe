// Package follower is a ConfigCat SDK for Go that takes its config out of Redis, where
// a leader of this project keeps it, and hears of each change by pub/sub.
//
//	client, err := follower.NewClient(sdkKey, redis.NewClient(&redis.Options{Addr: "localhost:6379"}))
//	...
//	defer client.Close()
//	user := &follower.UserData{Identifier: "42", Email: "jane@example.com"}
//	if client.GetBoolValue("newCheckout", false, user) {
//
// An evaluation takes the config in force from memory by one atomic load. It waits
// for nothing, and allocates nothing but what evaluate.Config.Evaluate names. All the
// rest happens in the background. Only the polling modes AutoPoll, Lazy and Manual may have
// it wait, as the official SDKs do, see [PollingMode].
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
// The sync goroutine owns all state. Messages, alarms and requests come to it one
// after the other, so it needs no lock. The connection's goroutine only reads, parses
// and passes on; should more messages come than can wait, the rest is dropped and
// meta is read instead. Hooks are called by a goroutine of their own, which is there while
// there are calls; those of OnFlagEvaluated by another one, which takes evaluations from a queue and
// is there from the first of them until Close.
//
// Clients of one SDK key, the same Redis client value and the same timings share a feed:
// one subscription, one read, one compiled config. It ends with the last of them. Clients
// whose Redis clients differ read for themselves, and still share the compiled config of
// a content that one of them holds. A client that joins others costs about 2 KB and no goroutine.
//
// What Redis does not have, each client's source brings: it reads the Cache, and, if the
// client is online, asks the CDN. It does one thing after the other, so that there is one
// refresh at a time, in a goroutine that is there while there is something to do. In the polling modes that do not subscribe it
// has the feed read Redis when it is time to.
//
// # Sources
//
// Redis orders all content by its rev. What a client fetched itself is written to the Cache
// and the snapshot file, and never to Redis. It keeps the rev that was held before, which
// does not order it: a leader may have fetched what it commits sooner or later. Other content
// of Redis is therefore taken only once the CDN is known to have answered about it later:
//
//	a message tells a CDN answer later, by   messages tell Redis's clock, and the greatest
//	more than Dead, than the client's        difference heard converts the local time
//	request
//	3 messages or reads of one epoch over    at any time, so also where clocks differ, were
//	30 s name other content, and one of      set, or are not told; an answer told within 20 s
//	them a later CDN answer than the first   of the first may have been under way
//	an entry that no leader wrote has a      by Redis's clock if a message told it; by the
//	later fetch time                         local one where no leader was ever seen, as
//	                                         among official SDKs
//	3 reads of such an entry over 30 s,      where those clocks are wrong
//	with fetch times that rise
//
// Until then it waits, which Counters.Waits counts: at most 30 s and a poll from when the CDN
// answered the leader. Where Redis has the same content at a higher rev, that counts at once. While a leader's content waits,
// a client that does not subscribe reads every 10 s which content is current. Clients that
// share a feed wait each for itself. What comes from a file or a Cache that says when the CDN was
// asked waits in the same way after a start; there, a CDN answer that is 5 minutes later by
// the clocks suffices.
//
// An online client asks the CDN once more, a second later, where that serves a config that the client
// held and replaced within the last 2 minutes. It believes what it gets twice. Two such configs
// by turns change nothing.
//
// The CDN is asked only when what is held is
// missing or has expired, which does not happen while a leader is alive and the CDN
// answers it, unless PollInterval is shorter than the leader's.
//
// What a start finds, in the mode Subscribe (the others differ in that an entry that has
// not expired counts as up to date, and that Manual never asks the CDN by itself):
//
//	Redis             CDN        Cache     file      what is in force  CacheState
//	----------------  ---------  --------  --------  ----------------  ---------------------
//	leader's content  -          -         -         Redis's           HasUpToDateFlagData
//	leader's content  answers    newer     older     Redis's           HasUpToDateFlagData
//	bad blob, entry   offline    -         -         the entry         HasCachedFlagDataOnly
//	fresh entry       answers    -         -         the entry         HasCachedFlagDataOnly
//	expired entry     offline    -         -         the entry         HasCachedFlagDataOnly
//	expired entry     answers    -         -         the CDN's         HasUpToDateFlagData
//	expired entry     fails      newer     -         the entry         HasCachedFlagDataOnly
//	expired entry     offline    -         older     the entry         HasCachedFlagDataOnly
//	expired entry     offline    -         newer     the file's        HasCachedFlagDataOnly
//	empty             answers    -         -         the CDN's         HasUpToDateFlagData
//	empty             answers    older     older     the CDN's         HasUpToDateFlagData
//	empty             fails      -         newer     the file's        HasCachedFlagDataOnly
//	empty             offline    newer     -         the Cache's       HasCachedFlagDataOnly
//	empty             offline    newer     older     the file's        HasCachedFlagDataOnly
//	empty             offline    -         newer     the file's        HasCachedFlagDataOnly
//	empty             offline    -         spoiled   nothing           NoFlagData
//	empty             fails      -         -         nothing           NoFlagData
//	empty             offline    -         -         nothing           NoFlagData
//	away              answers    -         -         the CDN's         HasUpToDateFlagData
//	away              answers    -         older     the CDN's         HasUpToDateFlagData
//	away              fails      -         newer     the file's        HasCachedFlagDataOnly
//	away              offline    newer     -         the Cache's       HasCachedFlagDataOnly
//	away              offline    -         newer     the file's        HasCachedFlagDataOnly
//	away              offline    -         -         nothing           NoFlagData
//
// The file's content is there when New returns, all other as soon as its source answers.
// Evaluations give their default values while nothing is in force. A start never fails
// for want of a source, and goes on trying all of them.
//
// # States of the connection
//
//	                acknowledged                    no heartbeat for Dead
//	connecting ───────────────────▶ live ◀──────────────────────────────▶ noLeader
//	    ▲                            │           a heartbeat                 │
//	    │ pause, at random           │ the connection ends or is silent      │
//	    └────────── disconnected ◀───┴───────────────────────────────────────┘
//	                  ▲      │
//	 Redis is away    │      │  Redis answers, but cannot be subscribed to
//	                  │      ▼
//	                  polling ───▶ tries to subscribe again now and then
//
// # Many that come back at once
//
// After a restart of Redis all followers connect again, and each connection costs both ends
// CPU time, with TLS milliseconds of it. What is given up half-way is lost, and tried
// anew, so that too many at once may never get through. Therefore:
//
//   - Pauses are random, and are drawn from a span that doubles. After a try that took
//     too long it is at least what was waited for in vain.
//   - What took too long is waited for longer the next time, up to four times as long. A handshake that
//     ends late after all is used.
//   - Feeds of a process that go to the same address share connection slots, to connect and to read what
//     is current: 32 at first, more while each is quick, half as many when they take
//     longer than half of Ack, never below 4 or above 256.
//   - Who has no connection to subscribe does not try to read over another one. Each
//     third time it does: where just no further connection can be had, it polls.
//
// # What is read when
//
// After the acknowledgement of SUBSCRIBE, never before it: so no change falls between.
// A follower that holds a config first asks which one is current, by a read of meta
// and lock, and reads the content only if it is newer; many that come back at once
// spread that over the window that the leader told last. Blob, meta and lock are read
// by one pipeline, in this order, from one node.
//
//	message: newer rev, same content        the rev is taken; no read
//	message: newer content, and it is there it is checked and taken; no read
//	message: newer content                  read after a random part of its spread window;
//	                                        what is announced until then is read along
//	read older than what was announced      again after 50, 100, 200 … ms, from the 4th on
//	                                        from the primary
//	every MetaReread, and every Poll        meta and lock; the content if it is newer
//	while polling
//	no live leader, or a bad blob           the official entry, too: the higher rev wins
//
// # Guarantees
//
//   - The rev only rises, and content changes only together with it, or by what the client
//     fetched itself, as told under Sources (I1). The one exception is a Redis that lost its data, with a clock behind the former one:
//     then a lower rev is taken after at least 3 messages or reads over at least 30 s,
//     all of one epoch and one connection, that name it, and an answer from the CDN that
//     was asked for meanwhile: later than those told of within 20 s of the first. It is
//     read from the primary. Counters.Rebases counts it.
//   - Content is put in force only if it has the hash that was announced, and is a
//     config (I4). What fails this is counted, logged once, and changes nothing.
//   - Once there was a config, evaluation works through any outage (I5).
//   - Staleness (I7): the leader's poll and the spread window; a heartbeat more if a
//     message was lost; Dead and a pause more if the connection died; 6 s more without
//     pub/sub.
//   - A follower never writes to Redis, but for the report below where it is asked for, and
//     needs the rights GET, HMGET, SUBSCRIBE, UNSUBSCRIBE and PING on the keys and the
//     channel of its SDK key (I11); in a cluster those of the Redis client besides.
//   - "Up to date" is claimed only after an answer from the CDN about the very content
//     that is in force (I14).
//
// # Freshness
//
// Times of the CDN's answers are of Redis's clock. The first one heard of is compared
// with the local clock, for want of better. When a later one is heard of, it came
// after the message before: that bounds its age whatever the local clock says, which
// counts only as far as it agrees. So a wrong local clock stops mattering with the
// first poll that a follower lives through.
//
// # Report
//
// With Config.FleetReport a feed writes into a sorted set, at intervals, what it has in
// force, a [cachekeys.FleetReport]. From that operators see how many follow and who is
// behind; nothing else depends on it. A goroutine of its own writes, so that a Redis that
// is slow delays neither sync nor evaluation. One pipeline adds the report, removes the
// one before by its score, which no other has, and removes what expired; a feed that is
// stopped removes its own. A member that holds the follower's state is another one with
// each poll, and ZADD and ZREMRANGEBYSCORE are all that it takes to have one for each
// follower, with nothing to read and no script.
//
// What it tells besides rev are the hash, since a rev moves with every poll and says
// nothing about who is behind, and its interval, so that a follower that died is told from
// one that reports rarely. Scores are of Redis's clock as told under Freshness. What
// expired is counted from the CDN's last answer, so that a follower with a wrong clock
// cannot remove the reports of others. So there is a report for each follower that
// lives, and for each that was killed within the last 15 minutes or while the CDN does not
// answer, of at most 384 bytes each.
//
// The first report comes after a random part of the interval, the others after the
// interval ± 20 %; after a change, once, within half of it, but no sooner than 5 s after
// the last. Refused for want of a right, they are tried again every 10 minutes.
//
// # Failures
//
//	a message is lost                    the next heartbeat names the content, too
//	messages repeated, reordered, late   ignored: their revs are lower
//	garbage, other versions, 1 MB        ignored and counted; the connection stays
//	the connection is closed             again after 0–0.2 s, at most 0–5 s
//	connecting takes longer than Ack     given up, and waited for up to four times as long
//	no further connection can be had     polling over those that there are
//	the connection is silent             PING after Idle, given up after Dead
//	PING is answered, heartbeats missing meta is read on the primary: if it moved, or the
//	                                     lock was renewed, connected anew; else noLeader
//	that three times in a row            polling, until a message is heard
//	SUBSCRIBE refused, not answered, or  polling, and an error in the log; tried again
//	the connection closed upon it        every Resubscribe
//	reads refused                        an error in the log, tried again; content within
//	                                     messages is taken
//	Redis away, stopped, restarted       evaluation goes on; connected again as above
//	Redis lost its data                  what is held stays, until a leader writes again
//	a replica is behind                  read again, then from the primary
//	bits flipped, a blob of another rev  refused; the official entry is taken
//	content that is no config            refused; the one in force stays
//	no leader at all                     the entry that official SDKs fill is enough
//	reports refused                      an error in the log, tried again after 10 min
//	reports fail otherwise               a warning in the log, the next one comes in its time
//
// The longest that it took in 2 to 100 rounds each of make faults, and the bound, with the
// default durations where they are said to be, else with those scaled down to a lock of
// 3 s (docs/faults.md has every fault):
//
//	a message is lost, heartbeats each 0.25 s   0.3 s of 0.5 s
//	cut off without a sign, default             noticed after 10.0 s of 10.25 s since the
//	                                            last that arrived
//	the connection is silent, Dead of 1.5 s     noticed after 1.5 s of 1.75 s
//	stopped until Redis dropped it, lock of 6 s 4.9 s of 12 s
//	no right to subscribe                       polling after 0.9 s of 5 s
//	a slot of a cluster moved                   0.8 s of 1.25 s
//	revs are lowered by rule 6                  30.0 s of 32.25 s
//
// # Not guaranteed
//
//   - Of several quick changes a follower may see only the last.
//   - After a start, with a local clock that is behind and a leader whom the CDN does not
//     answer, content may count as fresh for up to the leader's poll interval and 15 s.
//   - While messages are held up on their way, content may count as fresher by as long, at
//     most by Dead: the local clock is not trusted to tell.
//   - What an edge of the CDN serves that lags counts as the CDN's answer. So a client that fetched
//     for itself goes back where such an edge answers the leader later. So it does where Redis's clock
//     was set back after the CDN answered the leader and before the client heard of that clock at all.
//   - Durations must be in keeping with the leader's, see [Timings]: with a lock that
//     expires later than 2 × Dead, a leader's death looks like a connection that delivers nothing first.
//
// # Events
//
// Events of evaluation, and those with an id below 6000, are ConfigCat's (S102); these
// are this package's own:
//
//	6000 info   subscribed to changes       6008 warn   the rev was lowered (rule above)
//	6001 warn   Redis is out of reach       6009 warn   other content at the rev held
//	6002 error  polling instead of pub/sub  6010 warn   announced content cannot be read
//	6003 warn   no leader is heard          6011 warn   messages do not arrive
//	6004 info   a leader is heard           6012 debug  a message was ignored
//	6005 debug  a config was put in force   6013 error  a hook panicked
//	6006 warn   content was refused         6014 warn   hooks are too slow
//	6007 error  content is no config        6015 info   reads succeed again
//	6016 error  the snapshot file is refused
//	6017 error  the snapshot file cannot be written
//	6018 error  reports to the fleet are refused
//	6019 warn   a report to the fleet failed
//	6020 info   reports to the fleet succeed again
//	6021 info   Redis's config waits for what the client fetched itself
//	6022 info   the CDN served what was replaced a moment ago
//	6023 warn   values in Redis are read whole, whatever their size, for want of +getrange
package follower
