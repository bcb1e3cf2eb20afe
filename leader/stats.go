package leader

import (
	"slices"
	"sync"
	"time"

	"github.com/catbridge/catbridge/internal/histogram"
	"github.com/catbridge/catbridge/internal/wire"
)

// State is the state of a leader for one SDK key.
type State string

const (
	StateCandidate State = "candidate" // another process leads, or none does
	StateWarm      State = "warm"      // holds the lock; the CDN has not answered yet in this term
	StateSteady    State = "steady"    // holds the lock, and the CDN has answered
	StateStopped   State = "stopped"   // Run has ended
)

// Stats is the state of a leader, see [Leader.Stats].
type Stats struct {
	ID   string     // of this leader
	Keys []KeyStats // one for each SDK key, in the order of the configuration

	UnknownWebhooks uint64 // webhook requests with an unknown name
}

// KeyStats is the state of one SDK key. Rev, Hash, ETag and Length describe the content that
// this leader last wrote or read. The counters start when the SDK key is passed to [New] or
// [Leader.SetSDKKeys].
type KeyStats struct {
	Name       string    // of the SDK key, or the masked key if it has none
	State      State     // of this process
	LockHolder string    // the last known holder's leader ID; empty: unknown
	Epoch      int64     // of the last known term
	Since      time.Time // when this leader's last term started; zero: it has had none

	// Due is the deadline of the next iteration of the SDK key's loop, by the local clock,
	// even if Redis and the CDN do not answer. If Due is long past, the loop hangs. Zero: Run
	// was not called.
	Due time.Time
	// LastContact is when Redis last answered a script, by the local clock; zero: never.
	LastContact time.Time
	ClockOffset time.Duration // how far Redis's clock was ahead of the local one then

	Rev        int64         // of the current config, in Unix milliseconds; 0: there is none
	Hash       string        // SHA-256 of the config JSON, hexadecimal
	ETag       string        // as stored
	Length     int           // of the config JSON, in bytes
	LastAnswer time.Time     // when the CDN last answered, by Redis's clock; zero: never
	Ahead      time.Duration // how far the entry is ahead of Redis's clock
	Receivers  int64         // of the last message

	PollInterval time.Duration // between two polls of the CDN
	HeldUntil    time.Time     // the end of the CDN's Retry-After (S85); zero: it sent none

	// Waits reports whether this process leads and waits for the CDN because Redis holds
	// different content at a lower rev. See the package documentation.
	Waits bool

	BrokenFlags int    // flags of the current config whose evaluation can fail
	PollError   string // of the last poll; empty: it succeeded
	WriteError  string // of the last write to Redis; empty: it succeeded
	// MissingRights are the rules for ACL SETUSER that grant the rights that the Redis user
	// lacks, sorted, for example +hset. Empty: no right is known to be missing.
	MissingRights []string

	// HistoryEntries and HistoryBytes are the size of the history, as of this process's last change;
	// 0: it has made none.
	HistoryEntries int64
	HistoryBytes   int64 // about what the entries take in Redis
	// HistoryError is why the history is not extended; empty: it is, or it is turned off.
	HistoryError string

	// InForce is the seq of the pins and forced flags with which the current config was made, in Unix
	// milliseconds; 0: nothing is in force.
	InForce int64
	// Suspended is why they have no effect for now, or not all of them; empty: they have. Only
	// a leader sets it.
	Suspended string

	Terms       uint64 // terms started
	Fenced      uint64 // terms that ended because another process held the lock
	Lapsed      uint64 // terms that ended because no renewal succeeded in time
	Commits     uint64 // contents written, repairs included
	Repairs     uint64 // contents written again because Redis lost them or others overwrote them
	Renewals    uint64 // successful renewals
	Polls       uint64 // fetches from the CDN
	Fetched     uint64 // fetches answered with a config
	NotModified uint64 // fetches answered with 304
	PollErrors  uint64 // fetches that failed
	Suspect     uint64 // fetches that served a recently replaced ETag
	Refreshes   uint64 // refresh requests received while leading; simultaneous ones count as one
	BadMessages uint64 // malformed messages
	// HistoryErrors counts the changes that could not be added to the history, or after which the
	// history could not be trimmed.
	HistoryErrors uint64
	ControlsLost  uint64 // how often Redis had lost or damaged what was in force

	Webhooks WebhookStats // at this process

	FetchTimes Durations // of the fetches from the CDN, including failed ones
}

// Durations counts durations by length. The zero value has none.
type Durations struct {
	// Counts has the number of durations in each bucket: above the previous bound, up to and
	// including its own. The bounds are 1, 2.5, 5, 10, 25, 50, 100, 250 and 500 ms, 1, 2.5, 5,
	// 10 and 30 s, and 1, 2 and 5 min. The last bucket has no bound.
	Counts [18]uint64
	Sum    time.Duration // of all durations
}

func (d *Durations) add(length time.Duration) { (*histogram.Durations)(d).Add(length) }

// Count returns the number of all durations.
func (d Durations) Count() uint64 { return histogram.Durations(d).Count() }

// Stats returns the state of every SDK key. It does not ask Redis.
func (l *Leader) Stats() Stats {
	electors := l.set.Load().electors
	s := Stats{ID: l.id, UnknownWebhooks: l.unknownHooks.Load(), Keys: make([]KeyStats, 0, len(electors))}
	for _, e := range electors {
		key := e.stats.read()
		key.PollInterval, key.MissingRights = e.settings().poll, slices.Clone(key.MissingRights)
		s.Keys = append(s.Keys, key)
	}
	return s
}

func (s *KeyStats) contact() { s.LastContact = time.Now() }

// clock records the time of Redis's clock from a reply that has just arrived.
func (s *KeyStats) clock(redisNow int64) { s.ClockOffset = time.Until(time.UnixMilli(redisNow)) }

type keyStats struct {
	mu sync.Mutex
	v  KeyStats
}

func (s *keyStats) update(change func(*KeyStats)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.v)
}

func (s *keyStats) read() KeyStats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.v
}

func parseHolder(lock string) (id string, epoch int64) {
	id, epoch, err := wire.ParseLock(lock)
	if err != nil {
		return "", 0
	}
	return id, epoch
}

func unixMilli(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
