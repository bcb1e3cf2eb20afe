package follower

import "time"

const (
	// expiryTolerance makes a config expire this much sooner. Otherwise a poll one interval
	// after a fetch might find it not quite expired, and not ask the CDN (S42).
	expiryTolerance = 500 * time.Millisecond
	// maxAhead is how far the fetch time of an entry may be ahead of the local clock.
	maxAhead = 5 * time.Minute
)

// expired reports whether the content in force is missing or older than age. The answer that
// the config does not exist counts, so the CDN is not asked again and again (S83).
func (u *updater) expired(age time.Duration) bool {
	now := time.Now()
	if notFoundAt := u.notFoundAt.Load(); notFoundAt != nil && now.Sub(*notFoundAt) < age-expiryTolerance {
		return false
	}
	return u.holder.olderThan(age-expiryTolerance, now)
}

// olderThan reports whether the CDN's last answer about the content in force is older than age,
// or unknown.
func (h *holder) olderThan(age time.Duration, now time.Time) bool {
	held := h.current.Load()
	if held == nil {
		return true
	}
	old, known := h.age(now)
	switch {
	case known && old < age:
		return false
	case held.source == SourceEntry, held.source == SourceCache: // another client may have asked the CDN since
	case known, held.source == SourceFile:
		return true
	}
	old = now.Sub(held.fetchedAt())
	return old >= age || old < -maxAhead
}

// lifetime returns the age at which the content in force expires. While a leader is alive, or
// may be, that is its poll interval plus upToDateSlack.
func (u *updater) lifetime() time.Duration {
	if u.mode == Subscribe {
		if l := u.feed.status.Load(); l.state != NoLeader && l.state != Disconnected {
			return l.poll + upToDateSlack
		}
	}
	return u.interval
}

// period returns the interval of the background work; 0: there is none.
func (u *updater) period() time.Duration { return u.periodWhen(u.isOnline()) }

func (u *updater) periodWhen(online bool) time.Duration {
	if u.mode == Lazy || u.mode == Subscribe && !online {
		return 0
	}
	return u.interval
}

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
