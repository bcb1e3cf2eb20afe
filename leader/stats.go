package leader

import (
	"sync"
	"time"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/internal/histogram"
)

// Durations counts durations by their length.
type Durations = histogram.Durations

// State says where a leader stands with one SDK key.
type State string

const (
	Candidate State = "candidate" // another leads, or nobody yet
	Warm      State = "warm"      // holds the lock; the CDN has not answered yet in this term
	Steady    State = "steady"    // holds the lock, and the CDN has answered
	Stopped   State = "stopped"   // Run has ended
)

// Stats is what [Leader.Stats] tells.
type Stats struct {
	ID   string     // of this leader
	Keys []KeyStats // one for each SDK key, in the order of the configuration

	UnknownWebhooks uint64 // requests to the webhook of a name that has none
}

// KeyStats tells of one SDK key. What it says of the content is what this leader last
// wrote or saw; the counters count since the SDK key was given to [New] or
// [Leader.SetSDKKeys].
type KeyStats struct {
	Name       string
	State      State
	LockHolder string    // ID of who was last known to hold the lock; empty: unknown
	Epoch      int64     // of the term last known
	Since      time.Time // when this leader's last term began; zero: it had none

	// Due is by when the loop for this SDK key goes round again, whatever Redis and the
	// CDN do, by the local clock: long after that, it hangs. Zero: Run has not begun.
	Due time.Time
	// LastContact is when Redis last answered a script, by the local clock; zero: never.
	LastContact time.Time
	ClockOffset time.Duration // how far Redis's clock was ahead of the local one then

	Rev        int64
	Hash       string        // SHA-256 of the config JSON, hexadecimal
	ETag       string        // as stored
	Length     int           // of the config JSON, in bytes
	LastAnswer time.Time     // when the CDN last answered, by Redis's clock; zero: never
	Ahead      time.Duration // how far the entry is ahead of Redis's clock
	Receivers  int64         // of the last message

	PollInterval time.Duration // between two polls of the CDN
	HeldUntil    time.Time     // until when the CDN asked not to be polled (S85); zero: it did not

	// Waits reports whether this process leads and waits for the CDN, because Redis holds other
	// content than it did, at a lower rev. See the package documentation.
	Waits bool

	BrokenFlags int    // flags of the current config with an error in their model
	PollError   string // of the last poll; empty: it succeeded
	WriteError  string // of the last write to Redis; empty: it succeeded
	// MissingRights are the rules that grant what Redis denies, see [CheckRights].
	MissingRights []string

	Terms       uint64 // terms begun
	Fenced      uint64 // terms ended by a write that was refused
	Lapsed      uint64 // terms ended because no renewal came through
	Commits     uint64 // contents written, heals included
	Repairs     uint64 // contents written again because Redis lost or changed them
	Renewals    uint64 // renewals
	Polls       uint64 // fetches from the CDN
	Fetched     uint64 // of them answered with a config
	NotModified uint64 // of them answered by 304
	PollErrors  uint64 // of them failed
	Suspect     uint64 // of them served an ETag that had just been replaced
	Refreshes   uint64 // times that this process, leading, was asked to poll; many at once count as one
	BadMessages uint64 // messages that could not be read

	Webhooks WebhookStats // at this process

	FetchTimes Durations // of the fetches from the CDN, those that failed included
}

// Stats tells the state of every SDK key. It asks nothing of Redis.
func (l *Leader) Stats() Stats {
	electors := l.set.Load().electors
	s := Stats{ID: l.id, UnknownWebhooks: l.unknownHooks.Load(), Keys: make([]KeyStats, 0, len(electors))}
	for _, e := range electors {
		key := e.stats.read()
		key.PollInterval = e.settings().poll
		s.Keys = append(s.Keys, key)
	}
	return s
}

// contact notes that Redis answered.
func (s *KeyStats) contact() { s.LastContact = time.Now() }

// clock notes what Redis's clock showed in an answer that has just come.
func (s *KeyStats) clock(redisNow int64) { s.ClockOffset = time.Until(time.UnixMilli(redisNow)) }

// keyStats guards the statistics of one SDK key.
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
	id, epoch, err := cachekeys.ParseLock(lock)
	if err != nil {
		return "", 0
	}
	return id, epoch
}
