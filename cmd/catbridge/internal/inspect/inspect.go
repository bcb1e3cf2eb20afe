// Package inspect reads what the bridge keeps in Redis for an SDK key, and says what is
// wrong with it. It writes nothing, and does without what the Redis user has no right to.
package inspect

import "time"

// Key is what there is for one SDK key at one moment. What is nil could not be read, and
// Remarks say why. Ages are by Redis's clock if it may be asked for, else by this host's.
type Key struct {
	Name    string   `json:"name"`
	OK      bool     `json:"ok"`
	Faults  []string `json:"faults,omitempty"`  // what is wrong
	Remarks []string `json:"remarks,omitempty"` // what is not known, and why

	Leader      *Leader  `json:"leader"` // nil: nobody leads, or it is not known
	Content     *Content `json:"content"`
	Entry       *Part    `json:"entry"`       // for official SDKs
	Blob        *Part    `json:"blob"`        // for followers
	Subscribers *int64   `json:"subscribers"` // connections that hear messages; leaders have one each, too
	Fleet       *Fleet   `json:"fleet"`       // those that report
}

// Leader is who holds the lock.
type Leader struct {
	ID    string    `json:"id"`             // new for each start of a process
	Host  string    `json:"host,omitempty"` // as the ID tells it
	Epoch int64     `json:"epoch"`
	Since time.Time `json:"since"` // when its term began, by Redis's clock
	Leads float64   `json:"leads_seconds"`
	Left  *float64  `json:"lock_seconds,omitempty"` // until the lock expires, unless it is renewed
}

// Content is what is current, as meta says.
type Content struct {
	Rev        int64      `json:"rev"` // Unix milliseconds; 0: there is none yet
	Hash       string     `json:"hash,omitempty"`
	ETag       string     `json:"etag,omitempty"`
	Bytes      int        `json:"bytes,omitempty"` // of the config JSON
	Epoch      int64      `json:"epoch,omitempty"` // of the last term
	LastAnswer *time.Time `json:"last_answer,omitempty"`
	Age        *float64   `json:"age_seconds,omitempty"` // since the CDN last answered
	Poll       float64    `json:"poll_seconds,omitempty"`
	Waits      int64      `json:"waits,omitempty"` // the highest rev that the leader has seen, while it waits for the CDN

	changed int64 // when it became current, Unix ms; rather too late than too early
}

// PartState says how a copy of the content compares with meta.
type PartState string

const (
	Matches   PartState = "matches"   // it is the content that meta names, whole
	Missing   PartState = "missing"   // there is none
	Differs   PartState = "differs"   // it is well-formed, but another one
	Malformed PartState = "malformed" // it cannot be read, or its hash is wrong
)

// Part is one of the two copies of the content.
type Part struct {
	State PartState `json:"state"`
	Rev   int64     `json:"rev,omitempty"`
	Bytes int       `json:"bytes"` // as stored; of one over the size limit, what was read of it
	Why   string    `json:"why,omitempty"`
}

// Fleet is what followers report of themselves. Each counts as Following that reported
// within 3 of its intervals, and then as one of Current, Pending and Behind.
type Fleet struct {
	Following int `json:"following"`
	Current   int `json:"current"` // have the current content in force
	Pending   int `json:"pending"` // have not reported since it changed, but should soon
	Behind    int `json:"behind"`  // reported other content long after it changed
	Silent    int `json:"silent"`  // reported within 15 minutes, but not when they should have

	Versions map[string]int `json:"versions,omitempty"` // how many follow with each
	States   map[string]int `json:"states,omitempty"`   // how many follow in each
	// SlowestLag is the longest that a current follower's last change took.
	SlowestLag float64    `json:"slowest_lag_seconds,omitempty"`
	Laggards   []Follower `json:"laggards,omitempty"` // some of those behind, the furthest first
	Malformed  int        `json:"malformed,omitempty"`
	Truncated  bool       `json:"truncated,omitempty"` // there are more than were read
}

// Follower is one that is behind.
type Follower struct {
	ID      string  `json:"id"`
	Version string  `json:"version"`
	State   string  `json:"state"`
	Rev     int64   `json:"rev"`
	Hash    string  `json:"hash"`
	Heard   float64 `json:"reported_seconds_ago"`
}
