package history

import (
	"time"

	"github.com/catbridge/catbridge/internal/wire"
)

// A Cause is why a config came into force. Later versions may have more causes.
type Cause string

const (
	First   = Cause(wire.CauseFirst)   // nothing was known before
	Poll    = Cause(wire.CausePoll)    // a poll of the CDN by its interval, or at the start of a leader's term
	Webhook = Cause(wire.CauseWebhook) // a poll that a webhook requested
	Refresh = Cause(wire.CauseRefresh) // a poll that was requested otherwise
	SDK     = Cause(wire.CauseSDK)     // taken over from the entry that an official SDK wrote
	Repair  = Cause(wire.CauseRepair)  // written again after Redis had lost it, or kept only part of it; why it came before is unknown

	Pin       = Cause(wire.CausePin)       // an operator pinned it
	Force     = Cause(wire.CauseForce)     // an operator forced a flag
	Withdrawn = Cause(wire.CauseWithdrawn) // an operator withdrew a pin or a force
	Expired   = Cause(wire.CauseExpired)   // a pin or a force ended
)

// A Gap is why the content before a version cannot be made of that version.
type Gap string

const (
	NoGap      Gap = ""           // it can
	Unrecorded Gap = "unrecorded" // there were, or may have been, configs in between that the history does not have
	Unknown    Gap = "unknown"    // the leader did not hold the content before
	TooLarge   Gap = "too large"  // the content before did not fit into the history
	Corrupt    Gap = "corrupt"    // what leads back is malformed, or does not make the content before
)

// Version is a config that came into force.
type Version struct {
	Rev  int64  // that it got first
	Hash string // SHA-256 of the config JSON, hexadecimal
	ETag string // as stored
	Size int    // of the config JSON, in bytes

	// Time is when the config came into force, by Redis's clock. Time, Cause and Leader are zero if the
	// config is in force, but the history does not have it.
	Time   time.Time
	Cause  Cause  // why it came into force
	Leader string // the ID of the leader that wrote it

	// Gap says why the content before cannot be made of this one. [History.Content] may add
	// Corrupt when it finds that.
	Gap Gap
}

// Recorded reports whether the history has the version. Otherwise it is in force, and the leader
// could not add it.
func (v Version) Recorded() bool { return !v.Time.IsZero() }

// History is the history of one SDK key at the time of [Read]. It is not safe for concurrent use.
type History struct {
	// Versions are the configs, the newest first. The first is in force. It is empty if there is
	// no config.
	Versions []Version
	// Rev is the current rev. It rises with each answer of the CDN, so it may be above the first
	// version's.
	Rev int64
	// Now is the time of Redis's clock, or of this host's if the user has no right to TIME.
	Now time.Time
	// Cut reports whether there are older versions, which [ReadNewest] did not read.
	Cut bool
	// Malformed is the number of entries that could not be read. They are left out.
	Malformed int

	current []byte // the content in force; nil: Redis does not have it
	steps   []step // steps[i] leads from Versions[i] to Versions[i+1]

	at   int    // the version that [History.Content] made last
	json []byte // its content; nil: unavailable
}

// step is how to make the content before a version.
type step struct {
	from string // hash of the content before; empty: unknown
	size int
	back wire.Back
}
