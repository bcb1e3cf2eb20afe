package control

import (
	"errors"
	"time"

	"github.com/catbridge/catbridge/evaluate"
	state "github.com/catbridge/catbridge/internal/control"
	"github.com/catbridge/catbridge/leader/internal/script"
)

const (
	// MaxDuration is the longest time for which a pin or a force can be in force: 7 days.
	MaxDuration = state.MaxDuration
	// MaxForced is the greatest number of forced flags.
	MaxForced = state.MaxForced
	// MaxByBytes is the greatest length of Order.By.
	MaxByBytes = state.MaxByBytes
	// MaxReasonBytes is the greatest length of Order.Reason.
	MaxReasonBytes = state.MaxReasonBytes
)

var (
	// ErrConflict is returned by [Change.Apply] if something else was written since [Read]. Read
	// again to see it.
	ErrConflict = errors.New("another operator has changed what is in force meanwhile")
	// ErrEarlierLeader is returned if the latest leader has an earlier version, which acts on
	// nothing that operators order. Upgrade all leaders.
	ErrEarlierLeader = errors.New("the leader has an earlier version, which acts on no pin and no force: upgrade all leaders")
	// ErrNotInForce is returned for withdrawing what is not in force.
	ErrNotInForce = errors.New("not in force")
	// ErrNoConfig is returned if Redis has no config whose flags could be forced.
	ErrNoConfig = errors.New("no config yet: the leader has not published one")
	// ErrLost is returned for a change while [Controls.Lost] is set and the current config was made
	// with what is lost. The change would end that.
	ErrLost = errors.New("Redis has lost what operators put in force: the leader writes it again, so try again in a few seconds")
	// ErrPinnedLost is returned if Redis has lost the content of the pin. A leader that has acted
	// on the pin writes it again. Otherwise pin it again, or withdraw the pin.
	ErrPinnedLost = errors.New("Redis has lost the pinned config: pin it again, or withdraw the pin")
	// ErrNoLeader is returned by [Change.Await] if there is no leader. The next leader acts on
	// the change.
	ErrNoLeader = errors.New("there is no leader; the next one acts on the change")
)

// Order says who puts something in force, why, and for how long.
type Order struct {
	By     string        // 1 to [MaxByBytes] bytes, for example user@host
	Reason string        // 1 to [MaxReasonBytes] bytes
	For    time.Duration // above 0, at most [MaxDuration]; it counts from Apply on
}

// InForce is what a pin and a force have in common. Times are by Redis's clock.
type InForce struct {
	By     string    // who ordered it
	Reason string    // why
	Since  time.Time // it began then
	Until  time.Time // it ends then
}

// Pin is a config that replaces the CDN's.
type Pin struct {
	Rev  int64  // the rev of the config when it was in force; 0: it was not
	Hash string // SHA-256 of the config JSON, hexadecimal
	InForce
}

// Force is a flag that serves one value to all users.
type Force struct {
	Flag  string         // its key
	Value evaluate.Value // what all users get
	// Suspended says why the flag does not serve the value now: the config has no such flag, or
	// it is of another type there. The flag is forced again as soon as that changes.
	Suspended string
	InForce
}

// Controls is what operators have put in force for one SDK key, at the time of [Read]. It is
// immutable, and its methods are safe for concurrent use if its Redis client is.
type Controls struct {
	Pinned *Pin    // nil: no config is pinned
	Forced []Force // sorted by flag
	// Rev is the current rev; 0: there is no config.
	Rev int64
	// Applied reports whether the leader has acted: the current config was made with exactly this.
	Applied bool
	// Earlier reports whether the latest leader has an earlier version. Nothing is in force then,
	// whatever Pinned and Forced say, until a leader of this version takes over.
	Earlier bool
	// Lost says what is wrong if Redis has lost what is in force, or has something malformed
	// instead. Pinned and Forced are empty then. A leader that acted on it writes it again.
	Lost error
	// PinnedLost says what is wrong if Redis does not have the content of the pin.
	PinnedLost error
	// Overwrites is how often the leader had to repair the entry because an official SDK had
	// overwritten it. Such an SDK is not offline: it follows the CDN and not what is in force.
	Overwrites int64
	// Overwritten is when that happened last; zero: never.
	Overwritten time.Time
	// Now is the time of Redis's clock, or of this host's if the user has no right to TIME.
	Now time.Time

	redis   reader
	stored  script.StoredControl
	acted   int64  // the seq with which the current config was made; 0: nothing was in force
	current []byte // the config in force; nil: unknown
	source  []byte // the CDN's config; nil: unknown
	read    time.Time
}

// Current returns the JSON of the config that is in force, or nil if Redis does not have it. The
// caller must not change it.
func (c *Controls) Current() []byte { return c.current }

// Source returns the JSON of the config that the CDN served last, or nil if Redis does not have it.
// The caller must not change it.
func (c *Controls) Source() []byte { return c.source }

func inForce(o state.Order) InForce {
	return InForce{By: o.By, Reason: o.Reason, Since: time.UnixMilli(o.Since).UTC(), Until: time.UnixMilli(o.Until).UTC()}
}
