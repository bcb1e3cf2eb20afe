package model

// always is later than any entry.
const always = 1 << 60

// Guard is a set of rules of the protocol that a world goes without, to show that the
// model would notice.
type Guard uint64

// The rules. Each is named for what it holds.
const (
	FencedCommit            Guard = 1 << iota // commit: only who holds the lock (I2)
	FencedRenewal                             // touch: only who holds the lock (I2)
	LockEnds                                  // acquire: a lock that lasts longer than any is cut, whatever the clock did
	Base                                      // commit: meta still has the rev taken for current (F32)
	RevRises                                  // commit: rev is above all that is known (I1)
	EntryFloor                                // commit: rev is above the entry's fetch time (I9)
	RepairStaysBehind                         // commit: only an answer of the CDN moves rev to the present
	OneScript                                 // commit: writes and message in one (I3)
	RenewalChecks                             // touch: meta, entry and blob are as written
	RepairConfirmsNothing                     // leader: what is healed claims no answer of the CDN (I14)
	AnswerIsAboutOne                          // leader: an answer of the CDN is told of the content that it was about alone (I14)
	SuspectReplaced                           // leader: an ETag just replaced is asked for again (F27)
	RememberReplaced                          // leader: what was replaced is remembered when Redis lost it
	KeepCurrent                               // leader: what was current stays so when Redis fell back
	RepairCurrentOnly                         // leader: Redis is seeded only with what was current
	SpareFetchedLater                         // leader: an SDK's later entry is not written over unseen
	AskBeforeRepair                           // leader: a newer entry makes it ask the CDN first
	HashChecked                               // follower: content has the hash that was announced (I4)
	MetaNamesContent                          // follower: the blob is the content that meta names
	NeverLower                                // follower: a lower rev is not taken (I1)
	ReadOnConnect                             // follower: read upon each subscription
	ReadMetaAgain                             // follower: meta is read again now and then
	RebaseItems                               // rebase rule: three items
	RebaseSpan                                // rebase rule: over 30 s
	RebaseAnswer                              // rebase rule: with an answer of the CDN meanwhile
	RebaseUnderWay                            // rebase rule: and not one that was under way already
	RebaseClock                               // rebase rule: a clock that is set back once more begins it anew
	Rebase                                    // the rebase rule at all
	AnswerIsAboutHeld                         // follower: an answer confirms the content it is about only (I14)
	Heartbeats                                // leader: heartbeats are published
	ClockBehind                               // leader: while Redis's clock is behind the highest rev, revs prove nothing
	RememberByTime                            // leader: what was replaced is remembered by time, not by number
	TellReplaced                              // leader: a commit tells others what was replaced
	BelievedReplaces                          // leader: what was believed counts as replaced, committed or not
	SuspectUnmodified                         // leader: a 304 is doubted, too
	OverSeenOnly                              // leader: only the entry that made it ask, or that it read, is written over
	SpareAfterAnswer                          // leader: an entry later than an answer that is still to be told is spared, too
	LatestIsFixed                             // leader: a clock that jumps ahead makes no answer later that was given before
	RepairBelow                               // leader: what is not known as current is repaired where it stands
	FetchedWaits                              // follower: what it fetched itself yields to a later answer only (I1)
	FetchedYieldsToEvidence                   // follower: and where clocks do not tell, to evidence (I8)
	SuspectHeld                               // follower: an ETag that it held a while ago is asked for again (F27)
	ChannelNamesFleet                         // the channel's name has the database and the namespace in it (F37)
)

func (g Guard) has(one Guard) bool { return g&one != 0 }
