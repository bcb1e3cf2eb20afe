package follower

import (
	"fmt"
	"time"
)

// PollingMode says when a client looks for a newer config (S5).
type PollingMode int

const (
	// Subscribe: Redis tells of each change by pub/sub. An evaluation waits for nothing.
	// Online, the CDN is asked when what Redis holds is missing, or older than the
	// leader's poll interval and 15 s, or, without leader, than PollInterval.
	Subscribe PollingMode = iota
	// AutoPoll: every PollInterval, Redis or the Cache is read, and, online, the CDN
	// asked if what they hold has expired (S42). Evaluations wait for the first time
	// that this is done, for at most MaxInitWait (S41).
	AutoPoll
	// Lazy: the same, but within an evaluation that finds what is held expired. It
	// waits for that unless NoWaitForRefresh is set (S43).
	Lazy
	// Manual: Redis or the Cache is read every PollInterval, and by an evaluation that
	// finds nothing held, unless they cannot be read; the CDN is asked by [Client.Refresh]
	// alone (S44).
	Manual
)

// String gives the constant's name.
func (m PollingMode) String() string {
	switch m {
	case Subscribe:
		return "Subscribe"
	case AutoPoll:
		return "AutoPoll"
	case Lazy:
		return "Lazy"
	case Manual:
		return "Manual"
	}
	return fmt.Sprintf("PollingMode(%d)", int(m))
}

const (
	// DefaultPollInterval is the interval of polling, and the age at which a config
	// expires, by default (S40, S43).
	DefaultPollInterval = 60 * time.Second
	minPollInterval     = time.Second
	// expiryTolerance makes a config expire this much sooner, so that of two clients
	// with one interval the second finds what the first fetched (S42).
	expiryTolerance = 500 * time.Millisecond
	// maxAhead is how far ahead of the local clock the time of an entry may be.
	maxAhead = 5 * time.Minute
)

// expired tells whether what is held is missing or older than age. An answer that said
// that there is no such config counts like one, so that it is not asked for on and on (S83).
func (s *source) expired(age time.Duration) bool {
	now := time.Now()
	if refused := s.refused.Load(); refused != nil && now.Sub(*refused) < age-expiryTolerance {
		return false
	}
	return s.holder.olderThan(age-expiryTolerance, now)
}

// olderThan tells whether the CDN's last answer about what is held is older than age,
// or not known of at all.
func (h *holder) olderThan(age time.Duration, now time.Time) bool {
	held := h.current.Load()
	if held == nil {
		return true
	}
	old, known := h.age(now)
	switch {
	case known && old < age:
		return false
	case held.source == SourceEntry, held.source == SourceCache: // others asked the CDN since
	case known, held.source == SourceFile:
		return true
	}
	old = now.Sub(held.fetched())
	return old >= age || old < -maxAhead
}

// lifetime is the age at which what is held expires. As long as a leader is heard, or
// might be alive, it is the leader's to ask the CDN.
func (s *source) lifetime() time.Duration {
	if s.mode == Subscribe {
		if l := s.feed.link.Load(); l.state != NoLeader && l.state != Disconnected {
			return l.poll + upToDateSlack
		}
	}
	return s.interval
}

// period is the interval of the background's work; 0: it has none.
func (s *source) period() time.Duration { return s.periodWhen(s.isOnline()) }

func (s *source) periodWhen(online bool) time.Duration {
	if s.mode == Lazy || s.mode == Subscribe && !online {
		return 0
	}
	return s.interval
}

// beforeGet does what the polling mode wants done before an evaluation.
func (s *source) beforeGet() {
	switch s.mode {
	case Subscribe:
		return
	case Lazy:
		if !s.expired(s.interval) {
			return
		}
		j := s.request(s.interval)
		if !s.noWait {
			j.wait()
		}
	default:
		if s.noWait {
			return
		}
		<-s.ready
		if s.mode == Manual && s.holder.current.Load() == nil && s.readable.Load() {
			_ = s.request(sharedOnly).wait()
		}
	}
}

// upToDate tells what S47 does.
func (s *source) upToDate() bool {
	switch s.mode {
	case Manual:
		return false
	case Subscribe:
		return s.holder.answer().upToDate(time.Now())
	default:
		return !s.holder.olderThan(s.interval, time.Now())
	}
}
