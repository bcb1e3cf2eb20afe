package model

// always is later than every entry.
const always = 1 << 60

// Guard is a set of the protocol's rules. A System runs without some of them to show that the
// model notices.
type Guard uint64

// The rules. Each name says what the rule guarantees.
const (
	FencedCommit            Guard = 1 << iota // commit: only the holder of the lock writes (I2)
	FencedRenewal                             // renew: only the holder of the lock writes (I2)
	LockEnds                                  // acquire: a lock that lasts too long is cut
	Base                                      // commit: meta still has the rev that the leader takes for current (F32)
	RevRises                                  // commit: rev is above all known revs (I1)
	EntryFloor                                // commit: rev is above the entry's fetch time (I9)
	RepairStaysBehind                         // commit: only an answer of the CDN moves rev to the present
	OneScript                                 // commit: one script writes and publishes (I3)
	RenewalChecks                             // renew: meta, entry and blob are checked
	RepairConfirmsNothing                     // leader: a repair does not claim an answer of the CDN (I14)
	AnswerIsAboutOne                          // leader: an answer of the CDN confirms its content only (I14)
	SuspectReplaced                           // leader: a recently replaced ETag is fetched again (F27)
	RememberReplaced                          // leader: replaced ETags are remembered even if Redis lost them
	KeepCurrent                               // leader: the current content stays current when Redis rolls back
	RepairCurrentOnly                         // leader: Redis is repaired from memory only with current content
	KeepFetchedLater                          // leader: an SDK's later entry is not overwritten unseen
	AskBeforeRepair                           // leader: a newer entry makes the leader ask the CDN first
	HashChecked                               // follower: content must have the announced hash (I4)
	MetaNamesContent                          // follower: the blob must have the hash in meta
	NeverLower                                // follower: a lower rev is not accepted (I1)
	ReadOnConnect                             // follower: each subscription is followed by a read
	ReadMetaAgain                             // follower: meta is read again periodically
	RebaseItems                               // rebase rule: at least three items
	RebaseSpan                                // rebase rule: over at least 30 s
	RebaseAnswer                              // rebase rule: with an answer of the CDN meanwhile
	RebaseInFlight                            // rebase rule: not an answer that was already in flight
	RebaseClock                               // rebase rule: a clock that is set back again restarts the rule
	Rebase                                    // the rebase rule as a whole
	AnswerIsAboutHeld                         // follower: an answer confirms its content only (I14)
	Heartbeats                                // leader: heartbeats are published
	ClockBehind                               // leader: while Redis's clock is behind the highest rev, revs prove nothing
	RememberByTime                            // leader: the memory of replaced ETags is bounded by time, not by number
	TellReplaced                              // leader: a commit publishes the replaced ETags to other processes
	BelievedReplaces                          // leader: believed content counts as replaced later, committed or not
	SuspectUnmodified                         // leader: a 304 may be suspect, too
	OverwriteFoundOnly                        // leader: only the entry that was found or read is overwritten
	KeepLaterThanAnswer                       // leader: an entry later than an unpublished answer is not overwritten
	LatestIsFixed                             // leader: a clock that jumps ahead does not make an earlier answer later
	RepairBelow                               // leader: content that is not known as current is repaired in place
	FetchedWaits                              // follower: content that it fetched itself yields to a later answer only (I1)
	FetchedYieldsToEvidence                   // follower: and, if clocks do not decide, to evidence (I8)
	SuspectHeld                               // follower: an ETag that it held recently is fetched again (F27)
	BlobIsALeaders                            // follower: if there is a blob, the entry may be a leader's, dated by Redis's clock
	LostMetaProvesNothing                     // follower: without meta, the entry may be a leader's, dated by a clock that was set since
	PatchBase                                 // follower: a patch applies to its base only (F38)
	PatchResult                               // follower: what patches make must have the announced hash (F38)
	PatchesDeleted                            // commit: patches that do not lead to the new content are deleted (I3)
	ChannelNamesFleet                         // the name of the channel contains the database and the namespace (F37)
)

func (g Guard) has(one Guard) bool { return g&one != 0 }
