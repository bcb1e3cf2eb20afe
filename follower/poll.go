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
func (u *updater) expired(age time.Duration) bool {
	now := time.Now()
	if notFoundAt := u.notFoundAt.Load(); notFoundAt != nil && now.Sub(*notFoundAt) < age-expiryTolerance {
		return false
	}
	return u.holder.olderThan(age-expiryTolerance, now)
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
	old = now.Sub(held.fetchedAt())
	return old >= age || old < -maxAhead
}

// lifetime is the age at which what is held expires. As long as a leader is heard, or
// might be alive, it is the leader's to ask the CDN.
func (u *updater) lifetime() time.Duration {
	if u.mode == Subscribe {
		if l := u.feed.status.Load(); l.state != NoLeader && l.state != Disconnected {
			return l.poll + upToDateSlack
		}
	}
	return u.interval
}

// period is the interval of the background's work; 0: it has none.
func (u *updater) period() time.Duration { return u.periodWhen(u.isOnline()) }

func (u *updater) periodWhen(online bool) time.Duration {
	if u.mode == Lazy || u.mode == Subscribe && !online {
		return 0
	}
	return u.interval
}

// beforeGet does what the polling mode wants done before an evaluation.
func (u *updater) beforeGet() {
	switch u.mode {
	case Subscribe:
		return
	case Lazy:
		if !u.expired(u.interval) {
			return
		}
		j := u.request(u.interval)
		if !u.noWait {
			j.wait()
		}
	default:
		if u.noWait {
			return
		}
		<-u.ready
		if u.mode == Manual && u.holder.current.Load() == nil && u.readable.Load() {
			_ = u.request(sharedOnly).wait()
		}
	}
}

// upToDate tells what S47 does.
func (u *updater) upToDate() bool {
	switch u.mode {
	case Manual:
		return false
	case Subscribe:
		return u.holder.answer().upToDate(time.Now())
	default:
		return !u.holder.olderThan(u.interval, time.Now())
	}
}
