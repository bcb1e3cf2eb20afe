package observe

import (
	"time"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/inspect"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/words"
	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/history"
	"github.com/catbridge/catbridge/leader"
)

// View is what is known of one SDK key at one time. It does not change. It contains no SDK key.
type View struct {
	Label string // of the SDK key: its name, or the masked key

	// Read is when the state in Redis was last read, by this machine's clock; zero: never.
	Read time.Time
	// Ahead is how far Redis's clock was ahead of this machine's then.
	Ahead time.Duration
	// Pace is about how long it takes, while somebody looks, until the state of each SDK key has been
	// read again: longer for large fleets.
	Pace time.Duration
	// Err is why the last attempt to read it failed, with what to do; empty: it did not fail. The
	// rest is then as old as Read says.
	Err string
	// State is what Redis has, with what is wrong and what to do; its zero value before the first
	// read.
	State inspect.Key
	// Local is the state of this process's leader for the SDK key; nil: this process is not a leader.
	Local *leader.KeyStats
	// Advice is what is wrong with this process's own part, and what to do, in the words of
	// catbridge doctor.
	Advice []string

	// Config is the config in force in this process; nil: none yet. Rev and Hash are its own.
	Config *evaluate.Config
	Rev    int64
	Hash   string

	// Changed is the last change of each flag within the history; a flag that is missing did not
	// change within it. Complete reports whether the history reaches back to the first config.
	Changed  map[string]Changed
	Complete bool
	// History is the history, the newest first. HistoryErr is why it could not be read, with what to
	// do; empty: it could, or not yet. Older reports whether the history has older configs, which are
	// left out. Malformed is the number of entries that could not be read.
	History    []Version
	HistoryErr string
	Older      bool
	Malformed  int

	Followers []Follower // furthest behind first
	Answers   []Answer   // the age of the CDN's answer over the last hours, oldest first
	Spreads   []Spread   // the last changes and how they reached the followers, oldest first
}

// Changed is the last change of a flag.
type Changed struct {
	Rev   int64 // of the config that has the change
	Time  time.Time
	Cause history.Cause
}

// Version is a config that came into force, with what it changed.
type Version struct {
	history.Version
	// Known reports whether Changes is known. If it is not, Why says why, after "what changed is not
	// known: ".
	Known bool
	Why   string
	// Changes are those of segments, sorted by name, and then of flags, sorted by key; at most
	// MaxChanges of them. Left is the number of the others.
	Changes []Change
	Left    int
}

// NotCompared is the Why of a version that a later look compares.
const NotCompared = "it was not compared yet"

// MaxChanges is the greatest number of changes of a version that a view has.
const MaxChanges = 1000

// Change is a change of a flag or of a segment. It shares no memory with configs.
type Change struct {
	words.Subject
	Kind  evaluate.ChangeKind
	Lines []string // in words, at most 100
}

// Follower is the last report of a follower, which is a service or a serve process.
type Follower struct {
	Name     string // host, or the name that the process gave itself
	ID       string // of this start
	Version  string
	State    string // of its connection, as it says
	Standing Standing
	Other    bool          // its config is another one than the current one
	Rev      int64         // of its config; 0: none
	Hash     string        // the first digits of that of its config; empty: none
	Lag      time.Duration // that the last change took to reach it; 0: unknown
	Reported time.Time     // by Redis's clock
	Interval time.Duration // between its reports
}

// Standing says how a follower compares with the current config.
type Standing string

const (
	Current = Standing(inspect.Current)
	Pending = Standing(inspect.Pending) // it has not reported since the last change, but should soon
	Behind  = Standing(inspect.Behind)  // it reported another config long after the last change
	Silent  = Standing(inspect.Silent)  // it did not report when it should have
)

// IsBehind reports whether the follower's last report names another config than the current one, although
// it has had time to receive it, or is silent.
func (f *Follower) IsBehind() bool { return f.Standing == Behind || f.Standing == Silent && f.Other }

// Answer is a sample of the age of the CDN's last answer.
type Answer struct {
	At    time.Time
	Age   time.Duration
	Known bool // false: nothing was known at that time
}

// Spread is a change and the time that it took from the leader's request to the CDN until followers
// had it, as they reported.
type Spread struct {
	Rev          int64
	Hash         string    // of the config
	Time         time.Time // when it came into force
	Median, Last time.Duration
	Reported     int // number of followers that reported a time; 0: none yet, and the times are unknown
}
