// Package leader elects one of several processes through a lock in Redis. The elected leader
// polls the ConfigCat CDN and publishes new content to all followers.
//
// docs/glossary.md explains the terms and package cachekeys the keys. I14 is a guarantee in
// docs/guarantees.md, F32 a fault in docs/faults.md, S85 a row of docs/sdk-surface.md.
//
// # States, for each SDK key
//
//	         acquired the lock
//	candidate ───────────────────────▶ warm ──── the CDN answered ────▶ steady
//	    ▲                                │                                │
//	    └──── fenced · lapsed · stopped ─┴────────────────────────────────┘
//
// A candidate tries to acquire the lock every RetryPeriod, when the holder's lock expires, and
// when a leader resigns. Acquiring the lock starts a term with a new epoch. The leader fetches
// at once, then every PollInterval and when a refresh is requested, and commits changed
// content. Every RenewInterval it renews: the renewal extends the lock, checks that Redis
// still has what the leader wrote, and publishes the heartbeat to the followers. A term ends
// when a write is refused because another process holds the lock (fenced), when no renewal
// succeeded for RenewDeadline (lapsed), and when Run's context is done (stopped). Unless it
// was fenced, the leader then releases the lock.
//
// Each SDK key is elected, polled and published independently. [Leader.SetSDKKeys] replaces
// the SDK keys of a running leader.
//
// # Why it is safe
//
// The lock only saves requests: one process polls. Safety comes from the write itself. One
// script checks that the lock has this leader's ID and epoch and that meta still has the rev
// that the leader considers current. Only then does it write entry, blob and meta and publish
// (I2, I3). If a leader is paused and resumes after another took over, its writes are refused.
// A write that arrives late or a second time finds another rev in meta and changes nothing
// (F32). The leader trusts its lock for RenewDeadline after it sent the last successful
// renewal, by the monotonic clock.
//
// # Guarantees
//
//   - At most one process writes for an SDK key; an overlap costs only requests to the CDN (I2, I10).
//   - Entry, blob, meta and message change together (I3).
//   - Content does not go back while the CDN's does not, and invalid content replaces none (I1, I4).
//   - What Redis loses returns without an operator (I6).
//   - Content counts as confirmed only by an answer from the CDN (I14).
//
// # Many SDK keys
//
// So that the scripts of many SDK keys share round trips to Redis, the loops of all SDK keys wake
// at common ticks: up to one tick early, never late. A tick is a hundredth of RenewInterval or of
// RetryPeriod, whichever is shorter. Commits are sent at once and alone.
//
// # What is current
//
// A rev orders contents. The official SDKs read it as the fetch time of the entry. The rev
// only rises, and only an answer from the CDN raises it to the present. A repair gets the next
// free rev and does not change the time of the CDN's last answer (I14). So a leader without
// answers from the CDN never outranks one that gets them. A late write does not make the CDN's
// answer look more recent: it carries the answer's age and an upper bound for the answer's
// time, by Redis's clock in an earlier reply.
//
//	a renewal finds                          the leader
//	meta ahead, with the leader's content    adopts its rev: a reply was lost
//	meta missing or with other content       commits again (REGRESSED)
//	entry or blob missing, older or of       commits again (OVERWRITTEN)
//	another type, or a malformed field of
//	meta
//	an entry that is newer than its own (a   asks the CDN, then commits: an official SDK
//	commit detects this, too, if the entry   may have fetched newer content. If the CDN does
//	is newer than the CDN's answer)          not answer, it commits the entry's content
//	no lock                                  starts a new term, and fetches
//
// A leader that takes over damaged content may have no copy to commit: the CDN's next answer
// then repairs Redis. A renewal checks only the first two lines of entry and blob. Other
// damage lasts until the next change or the next leader. Followers read the entry if the blob
// is damaged, or if heartbeats stop: a renewal that finds damage publishes none.
//
// # Content does not go back
//
// Redis may hold other content than before, at a rev below the highest that this process has
// seen: Redis restarted from a copy, a replica that was behind took over, or Redis lost its
// data and its clock was set back. This process then does not know what is current. Until the
// CDN answers, it writes nothing above the highest rev, since followers would accept it (I1).
// One exception: if Redis's clock is past the highest rev, Redis rolled back, and the process
// may write content that it knows to be current. If the clock is behind that rev, it was set
// back, or an SDK's clock was ahead: revs then do not show which content is newer. Missing
// parts of the content are repaired one above the rev in Redis: heartbeats continue, and new
// followers get flags, while followers with a higher rev keep their content. Event 6118,
// [KeyStats] and the field "waits" of meta show that the leader waits for the CDN.
//
// An edge of the CDN may lag and serve replaced content. So each process remembers every
// replaced ETag for two minutes, by its own clock: those that it believed or found in Redis
// before, and those that meta lists as replaced. The process believes a remembered ETag only
// if the CDN serves it twice, 1 s apart, with status 200 or 304, and then forgets it. This
// holds even if the ETag is current in Redis: Redis may have rolled back, or the reply to a
// commit may have been lost. A commit lists the eight last replaced ETags in meta, for other
// processes.
//
// # Refresh requests and the webhook
//
// [Leader.RequestRefresh], and ConfigCat's webhook at any process ([Leader.WebhookHandler]),
// increment a count in meta and publish a message. The leader receives the message, or the
// count at its next renewal. If the leader's own process is asked, it publishes no message: one
// would keep followers busy just before the change. The leader polls at most once per second.
// If the CDN has nothing new, it polls again 2, 5 and 10 seconds later: an edge may lag behind
// the dashboard.
//
// The script that increments the count stores a webhook's ID in Redis: if any process accepted
// the ID within the last 15 minutes, no poll follows. Forged requests cause no Redis command
// and no poll, and leave no state.
//
// # Patches
//
// The message of a change contains content of up to 4 KiB, compressed. For larger content it
// contains a patch: how the content differs from the content before (package internal/patch), if
// that has at most 4 KiB. A switched flag is about 20 bytes, whatever the size of the config.
// Followers with the content before apply the patch and compare the hash of the result. The
// key patches has the last eight patches of up to 64 KiB together, for followers that missed
// messages. Its last patch leads to the content that meta names, or there are none: a commit
// without a patch deletes them. The blob is written with each commit as well, for all others.
//
// The patch is made while the blob is compressed. A patch that takes longer than 250 ms, or
// that is not smaller than half the blob, is dropped.
//
// # History
//
// The last statement of the script that publishes new content adds it to the stream history: what
// came into force when and why, and a patch back to the content before it, or that content whole if
// that is smaller. An error there changes nothing else: the config has been published. It is counted and
// logged (event 6119). Then a script of its own, which checks the lock, removes the oldest entries until
// the history fits into Config.HistoryBytes. If the leader dies in between, the next change trims.
//
// If meta names the content already, a commit is a repair and adds nothing; if meta was lost,
// the newest entry is compared. A leader that does not hold the content before reads it from Redis, for
// example after the reply to its own commit was lost; if Redis does not have it either, the entry has no patch
// back. The trim returns the newest entry's hash: so an entry that Redis refused is noticed even if the
// reply that says so was lost.
//
// No script reads more of the history than what stays: any client may have written it.
// Package history reads the history.
//
// # Pins and forced flags
//
// Operators pin a config, or force flags to a value, until a given time: see package leader/control. The key
// control has what is in force, under a seq that rises with each change. The leader makes the current
// content of what the CDN serves, the source: the pinned config or else the source, with the forced
// flags reduced to their values. Everything that orders contents works on the result; what has to do
// with the CDN (ETags sent to it, its answers' time, replaced ETags) works on the source, which the key source keeps
// while anything is in force. So nothing has to be fetched, and nothing is suspect, when a pin or a force ends.
// An entry that an official SDK wrote has what the CDN serves: it becomes the source.
//
// A commit names the seq that its content was made from. If another is stored, nothing is written, and
// the leader makes the content again. A message tells the leader of a change, or else the next renewal,
// which returns the seq. When the time of a pin or a force is up, by Redis's clock in a reply, the leader writes the
// control without it: it stays out if that clock is set back.
//
//	a renewal returns                          the leader
//	a higher seq                               acts on that control
//	a lower seq, none, or the pinned config    writes what it acted on again, under the same seq;
//	is damaged                                 a process that knows of none leads without
//	meta with another seq, or a source that    commits again (OVERWRITTEN)
//	is damaged
//
// Candidates follow the control, and write it again, too, if Redis loses it: after a loss the lock is free, and
// the leader may not get it back. Since a lost control keeps its seq, processes that write different ones agree on the
// latest. A process that was cut off while another led forgets what it knew: that one may have acted on a
// later control. If the source is lost and the CDN does not answer, the current content stays until it does,
// except that a config can be pinned.
//
// # Spread window
//
// Followers that can use neither content nor patch in the message read the blob, at a random time within the window that the message names. Random times bunch, so
// the window has headroom: reads stay within the budget in each tenth of the window, not just
// on average.
//
//	window = (n + 14·√n) × bytes of the blob ÷ ReadBudget      n: followers
//
// The factor 14 suffices for that in 999 of 1,000 changes, with 2 to 100,000 followers. Reads
// that would take less than 50 ms if evenly spaced are not spread. The window for reads of the
// patches is shorter in proportion to their size.
//
// # Failures
//
//	the leader is killed             another leads within LeaseDuration
//	the leader is shut down          another leads at once
//	the leader is paused and resumes its writes are refused
//	Redis does not answer            candidates retry every RetryPeriod; followers keep
//	                                 their content
//	Redis lost its data              after the next renewal the leader writes everything
//	                                 again. While the CDN does not answer, it writes the
//	                                 entry's content if an official SDK has fetched since,
//	                                 or else its own if that was current when last checked
//	Sentinels replaced the primary,  connections that were being made to the former one are
//	and the former one resumes       closed: no process leads there
//	the CDN does not answer          the current content stays; the next poll retries
//	the CDN serves an invalid config it is refused; the current content stays
//	Redis holds older content        until the CDN answers, it stays below the rev that
//	                                 followers hold, also if missing parts are repaired
//	an edge of the CDN lags          a recently replaced ETag is believed only if it comes
//	                                 twice. If no poll saw a config before it was replaced,
//	                                 and an edge serves it later, it is believed until the
//	                                 next poll
//	a clock of Redis is set back     a lock lasts that much longer. If more than 4 times its
//	                                 LeaseDuration are left, a candidate cuts the lock to one
//	a clock of Redis jumped ahead    revs still rise; an entry more than 5 minutes ahead is
//	                                 reported (event 6108)
//
// docs/faults.md lists all faults, with the longest recovery measured for each.
//
// # Rights
//
// If Redis denies a command half-way through a script, it does not roll back the script. So
// for each SDK key the leader checks the rights of its Redis user: when it starts, at the start
// of each term, after failures, and every 10 s while rights are missing. At most four checks run
// at a time. They do not delay the terms. [KeyStats] and a log event list the rules that grant
// the missing rights.
//
// docs/events.md lists the events that a leader logs, docs/operations.md the traces of polls.
package leader
