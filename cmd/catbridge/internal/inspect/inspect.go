// Package inspect reads the state of the bridge in Redis for an SDK key, and reports its
// faults. It writes nothing. Parts that the Redis user has no right to read are unknown.
package inspect

import "time"

// Key is the state of one SDK key at one time. Nil fields could not be read; Remarks say why.
// Ages are by Redis's clock, or by this host's if the user has no right to TIME.
type Key struct {
	Name    string   `json:"name"`
	OK      bool     `json:"ok"`
	Faults  []string `json:"faults,omitempty"`  // what is wrong
	Remarks []string `json:"remarks,omitempty"` // what is unknown, and why

	Leader  *Leader  `json:"leader"` // nil: no leader, or unknown
	Content *Content `json:"content"`
	Entry   *Part    `json:"entry"`   // for official SDKs
	Blob    *Part    `json:"blob"`    // for followers
	Patches *Patches `json:"patches"` // for followers that missed messages; nil: there are none, or unknown
	History *History `json:"history"` // the newest entry; nil: there is none, or unknown
	Control *Control `json:"control"` // what operators have put in force; nil: nothing, or unknown
	// Overwrites of the entry by official SDKs; nil: there were none, or unknown.
	Overwrites  *Overwrites `json:"overwrites,omitempty"`
	Subscribers *int64      `json:"subscribers"` // connections that receive messages, including one of each leader
	Fleet       *Fleet      `json:"fleet"`       // the followers that report

	lostControl bool
}

// Leader is the holder of the lock.
type Leader struct {
	ID    string    `json:"id"`             // new for each start of a process
	Host  string    `json:"host,omitempty"` // from the ID
	Epoch int64     `json:"epoch"`
	Since time.Time `json:"since"` // when its term began, by Redis's clock
	Leads float64   `json:"leads_seconds"`
	Left  *float64  `json:"lock_seconds,omitempty"` // until the lock expires, unless it is renewed
}

// Content is the current content according to meta.
type Content struct {
	Rev        int64      `json:"rev"` // Unix milliseconds; 0: no content yet
	Hash       string     `json:"hash,omitempty"`
	ETag       string     `json:"etag,omitempty"`
	Bytes      int        `json:"bytes,omitempty"` // of the config JSON
	Epoch      int64      `json:"epoch,omitempty"` // of the last term
	LastAnswer *time.Time `json:"last_answer,omitempty"`
	Age        *float64   `json:"age_seconds,omitempty"` // since the CDN last answered
	Poll       float64    `json:"poll_seconds,omitempty"`
	Waits      int64      `json:"waits,omitempty"` // the highest rev that the leader has seen, if it is waiting for the CDN

	changed int64 // when it became current, Unix ms; possibly too late, never too early
}

// Since returns when the content became current, by Redis's clock: possibly too late, never too
// early.
func (c *Content) Since() time.Time { return time.UnixMilli(c.changed).UTC() }

// Patches are the last changes, which lead to the current content.
type Patches struct {
	Steps int `json:"steps"`
	Bytes int `json:"bytes"`

	to string // the hash of what they lead to
}

// History is the newest entry of the history.
type History struct {
	Rev   int64     `json:"rev"` // that the config got first
	Hash  string    `json:"hash"`
	Time  time.Time `json:"time"` // when it came into force
	Cause string    `json:"cause"`
}

// PartState is the result of comparing a copy of the content with meta.
type PartState string

const (
	Matches   PartState = "matches"   // the complete content that meta names
	Missing   PartState = "missing"   // the key does not exist
	Differs   PartState = "differs"   // well-formed, but other content
	Malformed PartState = "malformed" // it cannot be parsed, or its hash is wrong
)

// Part is one of the two copies of the content.
type Part struct {
	State PartState `json:"state"`
	Rev   int64     `json:"rev,omitempty"`
	Bytes int       `json:"bytes"` // as stored; above the size limit, the number of bytes read
	Why   string    `json:"why,omitempty"`
}

// Fleet summarizes the reports of followers. A follower that reported within three of its
// intervals counts as Following, and as one of Current, Pending and Behind.
type Fleet struct {
	Following int `json:"following"`
	Current   int `json:"current"` // have the current content
	Pending   int `json:"pending"` // have not reported since the last change, but should soon
	Behind    int `json:"behind"`  // reported other content long after the last change
	Silent    int `json:"silent"`  // reported within 15 minutes, but not when they should have
	// SilentBehind is how many of the silent ones reported other content last.
	SilentBehind int `json:"silent_behind,omitempty"`

	Versions map[string]int `json:"versions,omitempty"` // number of followers by version
	States   map[string]int `json:"states,omitempty"`   // number of followers by state
	// SlowestLag is the longest time that the last change took to reach a current follower.
	SlowestLag float64    `json:"slowest_lag_seconds,omitempty"`
	Laggards   []Follower `json:"laggards,omitempty"` // the followers furthest behind, silent or not, the furthest first
	Malformed  int        `json:"malformed,omitempty"`
	Truncated  bool       `json:"truncated,omitempty"` // not all reports were read
}

// Follower is a follower that is behind.
type Follower struct {
	ID       string  `json:"id"`
	Version  string  `json:"version"`
	State    string  `json:"state"`
	Rev      int64   `json:"rev"`
	Hash     string  `json:"hash"`
	Reported float64 `json:"reported_seconds_ago"`
}
