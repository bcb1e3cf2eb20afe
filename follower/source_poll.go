package follower

import (
	"context"
	"time"

	"github.com/catbridge/catbridge/follower/internal/feed"
	"github.com/catbridge/catbridge/follower/internal/snapshot"
)

// expiryTolerance makes a config expire this much sooner. Otherwise a poll one interval after a
// fetch might find it not quite expired, and not ask the CDN (S42).
const expiryTolerance = 500 * time.Millisecond

// expired reports whether the content in force is missing or older than age. The answer that
// the config does not exist counts, so the CDN is not asked again and again (S83).
func (u *updater) expired(age time.Duration) bool {
	now := time.Now()
	if notFoundAt := u.notFoundAt.Load(); notFoundAt != nil && now.Sub(*notFoundAt) < age-expiryTolerance {
		return false
	}
	return u.holder.OlderThan(age-expiryTolerance, now)
}

// isControlled reports whether an operator's control is in force. The CDN does not serve what
// is current then, so the client does not ask it, as far as that is known: even if Redis is away.
func (u *updater) isControlled() bool { return u.feed != nil && u.feed.Status().Control != 0 }

// lifetime returns the age at which the content in force expires. While a leader is alive, or
// may be, that is its poll interval plus [snapshot.UpToDateSlack].
func (u *updater) lifetime() time.Duration {
	if u.mode == Subscribe {
		if s := u.feed.Status(); s.State != feed.NoLeader && s.State != feed.Disconnected {
			return s.Poll + snapshot.UpToDateSlack
		}
	}
	return u.interval
}

// periodWhen returns the interval of the background work; 0: there is none.
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
		switch {
		case !u.noWait:
			_ = u.await(context.Background(), u.interval)
		case u.ctx.Err() == nil && !u.requested.Swap(true):
			u.request(u.interval)
		}
	default:
		if u.noWait {
			return
		}
		<-u.ready
		if u.mode == Manual && u.holder.Current() == nil && u.readable.Load() {
			_ = u.await(context.Background(), sharedOnly)
		}
	}
}

func (u *updater) upToDate() bool {
	switch u.mode {
	case Manual:
		return false
	case Subscribe:
		return u.holder.Answer().UpToDate(time.Now())
	default:
		return !u.holder.OlderThan(u.interval, time.Now())
	}
}
