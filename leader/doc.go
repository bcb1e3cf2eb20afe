// Package leader elects one of many processes through a lock in Redis, lets it poll
// the ConfigCat CDN, and publishes what it finds to every follower.
//
// # States, for each SDK key
//
//	           lock is free, or mine
//	candidate ───────────────────────▶ warm ──── the CDN answered ────▶ steady
//	    ▲                                │                                │
//	    └──── fenced · lapsed · stopped ─┴────────────────────────────────┘
//
// A candidate tries to take the lock every Retry, at the moment when the holder's
// lock runs out, and when a leader resigns. With the lock begins a term of its own
// epoch. The leader fetches at once, then every PollInterval and when a refresh is
// asked for, and commits what changed. Every Renewal it touches: that renews the
// lock, checks that all stands in Redis as it was written, and is the heartbeat for
// the followers. The term ends when a write is refused because the lock is another's
// (fenced), when no renewal came through for RenewDeadline (lapsed), and when Run's
// context ends (stopped); unless it was fenced, the leader then gives the lock up.
//
// Each SDK key is elected, polled and published by itself. [Leader.SetSDKKeys] gives a
// running leader others: an SDK key that is removed ends its term as at a shutdown, and
// one that is to be fetched otherwise does the same and joins again.
//
// # Why it is safe
//
// The lock is for economy, so that one process polls. Safety comes from the write
// itself: one script checks that the lock holds this leader and this epoch, that meta
// still holds the rev that the leader takes for current, and only then writes entry,
// blob and meta and publishes (I2, I3). A leader that was stopped, and wakes after
// another took over, is refused. A write that is repeated after its reply was lost,
// or that arrives late, finds meta moved on and changes nothing (F32). Trust in the
// lock counts on the monotonic clock from before a renewal was sent.
//
// # Many SDK keys
//
// A renewal, a try to take the lock and a release that find another one under way to
// their node of Redis wait until that is back, but for 2 ms at most, and then share a
// round trip with all that wait. One that finds none is sent at once; so are commits,
// always, and by themselves. Each has its own time and its own outcome. One that Redis
// answers with an error is sent again by itself, as where Redis forgot the script or the
// slot has moved. So that renewals come together they are made at the beats of the
// process, which are a hundredth of Renewal or of Retry apart: up to one beat early, and
// never late.
//
// # What is current
//
// A rev orders contents, for followers and for the official SDKs alike: it is the
// fetch time in the entry. It only rises. Only an answer from the CDN moves it towards
// the present; what is written again to mend Redis gets the next free rev, and leaves
// the time of the CDN's last answer alone (I14). So a leader that the CDN does not
// answer never outranks one that it does. What arrives late makes no answer younger: a
// write tells its age, and of when it can be at the latest by Redis's clock as last heard.
//
//	touch finds                              the leader
//	meta is ahead, with its own content      takes its rev: a reply was lost
//	meta missing or of other content         commits again (REGRESSED)
//	entry or blob missing, or older, or of   commits again (OVERWRITTEN)
//	another type; a field of meta that no
//	leader wrote
//	entry newer than its own (a commit       asks the CDN, then commits: an official
//	finds that, too: newer than the answer)  SDK may have fetched what is new. While the
//	                                         CDN does not answer: commits that content
//	the lock missing                         begins a new term, and fetches
//
// Where there is nothing to commit again with, because the CDN has not answered since
// the take-over and the content in Redis is damaged, the next answer mends it. A touch
// looks at heads only: damage behind them lasts until the next change or the next leader.
// Followers then read the entry. Until it is mended, no heartbeat is published: followers
// that miss it read the entry, too.
//
// # Content does not go back
//
// Redis may hold other content than it did, at a rev below the highest that this process
// has seen: it restarted from a copy, or a replica that was behind took over, or it lost
// its data while its clock was set back. Then this process does not know what is current,
// whatever it remembers. Until the CDN answers it writes nothing above the highest rev,
// since followers would take it (I1), with one exception: content that it knows as
// current, if Redis's clock is past the highest rev, for then Redis fell back. A clock
// behind that rev was set back, or somebody else's was ahead, and revs prove nothing.
// What is missing of the content found is repaired at the rev found + 1: heartbeats go
// on, and new followers have flags, while those that hold a higher rev keep theirs. Event
// 6118, [KeyStats] and the field waits of meta say that the leader waits for the CDN.
//
// The CDN may answer from an edge that lags. So each process remembers for two minutes, by
// its own clock, every ETag that was replaced: of content that it believed and that other
// content followed, committed or not, in any term; and of what meta names, at each try of
// a candidate and at each take-over. A remembered ETag is believed only if the CDN serves
// it twice, 1 s apart, by 200 or 304, even if Redis holds it: Redis may have fallen back,
// or a commit may have come through with its reply lost. What is believed leaves the
// memory. A commit writes the newest eight to meta, for other processes.
//
// # Refresh requests and the webhook
//
// [Leader.RequestRefresh], and ConfigCat's webhook at any process ([Leader.WebhookHandler]),
// count up in meta and publish. The leader hears of it by the message, or from the count
// at its next renewal; one that is asked itself counts up and publishes nothing, since a
// message would keep followers busy just before the change. It polls, at most once a second. Where the CDN has nothing new it
// asks again 2, 5 and 10 seconds after that: an edge may lag behind the dashboard.
//
// A webhook is signed over ID, time and body. A time more than 300 s off, either way, is
// refused. An ID that any process accepted within the 15 minutes before is answered as
// before and polls nothing: Redis remembers it, in the script that counts. What is forged makes no command and no poll,
// and nothing of it is remembered.
//
// # Spread window
//
// Content above 4 KiB, compressed, is read by each follower at a random moment of the window
// that the message names. Random moments are not even: for the reads to stay within the
// budget in each tenth of the window, and not just on the average, it needs some room.
//
//	window = (n + 14·√n) × bytes of the blob ÷ ReadBudget      n: followers
//
// 14 is what holds after 999 of 1,000 changes, for 2 to 100,000 followers: 1,000 wait 1.44
// times as long as they would if they took turns, 100,000 wait 1.04 times as long. What would take less than
// 50 ms in turns is not spread at all.
//
// # Failures
//
//	the leader is killed             another leads within LeaseDuration
//	the leader is shut down          another leads at once
//	the leader is stopped and wakes  its writes are refused
//	Redis does not answer            trying again every Retry; what followers hold stays
//	Redis lost its data              all is written again with the next renewal; while the
//	                                 CDN does not answer, from an entry that an official
//	                                 SDK fetched since, or else from memory, if what is
//	                                 held there was current when last looked at
//	Sentinels replaced the primary,  connections to it that were being made meanwhile are
//	and the former one wakes up      closed, so that nobody leads there
//	the CDN does not answer          what is current stays; the next poll tries again
//	the CDN serves what is no config it is refused; what is current stays
//	Redis holds older content        nothing older is raised above what followers hold until
//	                                 the CDN answers; missing parts are repaired below that
//	an edge of the CDN lags          its ETag was replaced less than 2 minutes ago: asked
//	                                 again after 1 s, believed when it comes twice. Of a
//	                                 config that came and went between two polls nobody here
//	                                 knows: it is believed until the next poll
//	a clock of Redis is set back     a lock lasts as much longer: a candidate cuts one that
//	                                 lasts over 4 times its own LeaseDuration to that
//	a clock of Redis jumped ahead    followers stay ordered; an entry more than 5 minutes
//	                                 ahead is reported (event 6108)
//
// The longest until all was well again, in 10 to 100 rounds each of make faults, and the
// bound, which follows from the lock's expiry, that of the fast profile (6 s), the default
// (15 s) or one scaled down (3 s). docs/faults.md has every fault.
//
//	killed, lock of 6 s                        6.0 s of 6.5 s
//	stopped, and woken up, lock of 6 s         6.0 s of 6.5 s
//	shut down                                  0.01 s of 1 s
//	cut off without a sign, lock of 15 s       stops acting after 9.9 s of 10.25 s
//	                                           another leads after 14.9 s of 15.5 s
//	the same, only the replies are lost        another leads after 22.7 s of 25.5 s
//	Redis slept for longer than the lock       0.27 s of 0.74 s
//	Redis lost all keys, lock of 3 s           1.0 s of 1.5 s
//	Redis lost one of them                     0.25 s of 0.5 s
//	Sentinels replaced the primary             2.8 s of 4 s
//	they did, and the leader was killed        3.3 s of 6 s
//	the primary was stopped, replaced, woken   6.1 s of 8 s
//	a split healed                             1.0 s of 2 s
//
// # Traces
//
// With a TracerProvider each poll is a trace:
//
//	catbridge.poll                outcome: changed, unchanged, doubted, stopped
//	├─ catbridge.fetch            HTTP status, requests sent, ray ID
//	└─ catbridge.commit           rev, epoch, outcome of the script; catbridge.renew where
//	   └─ catbridge.publish       there was nothing new. Channel, rev, receivers
//
// The same script writes and publishes, so that publish has no length of its own. A commit
// that is tried again after its poll is a trace with a link to it. Heartbeats are none.
//
// # Rights
//
// A script that is refused a command half-way is not rolled back. So for each SDK key the
// leader asks Redis at its start, at the begin of each term and after failures whether it
// may do all that it does ([CheckRights]), and every 10 s while something is missing: of
// many SDK keys four at a time, while their terms go on. What is missing is reported by the
// rules that grant it, and stands in [KeyStats].
//
// # Events
//
// Log events carry an attribute event_id. A poll that failed has the ID of ConfigCat's
// SDKs, 1100 to 1106; the leader's own are these:
//
//	6100 info   a term began              6108 error  the entry is ahead of Redis's clock
//	6101 info   a term ended              6109 info   replaced content served again
//	6102 info   new content published     6110 warn   the own subscription is not there
//	6103 warn   content has broken flags  6111 error  a poll failed otherwise
//	6104 error  Redis cannot be written   6112 error  the lock has no expiry
//	6105 info   writes succeed again      6113 info   a webhook asked for a poll
//	6106 warn   Redis lost what was       6114 warn   webhooks are refused; told once a
//	            written                               minute at most
//	6107 warn   entry or blob are not as  6115 error  a webhook could not be passed on
//	            written                   6116 error  the user of Redis lacks rights
//	                                      6117 info   the user has all rights now
//	                                      6118 warn   Redis holds older content; the
//	                                                  leader waits for the CDN
package leader
