package feed

import (
	"time"

	"github.com/catbridge/catbridge/internal/control"
)

// statedControl is what leaders said last about an operator's control (pin or force). While one is in
// force, leaders make content current that the CDN does not serve. The entry may then have the
// CDN's content: official SDKs that are online write it there, at a later fetch time than the rev
// of the leader's content. Therefore the entry does not count, see [syncer.fromEntry], and clients
// do not ask the CDN themselves.
//
// Messages and reads of meta are statements about controls. A leader changes the control only with
// a higher rev, and each term has a higher epoch, so these order the statements:
//
//   - An earlier statement that arrives late, or comes from a replica that is behind, changes
//     nothing, whatever it says.
//   - A leader of a version without controls makes the CDN's content current. Its messages do not
//     have the field, and it leaves the one in meta as it was, but without its stamp, see
//     [wire.Meta.HasProto]. In its term this ends the control. A late message of an earlier term
//     does not.
//   - A meta that is missing or malformed states nothing. After Redis has lost its data, the leader
//     restores the control. At a start nothing is known, and without meta the entry counts.
//   - Only a leader ends a control. If none is left, one that must have ended is not in force, see
//     [feed.inForce].
//   - If Redis lost its data and its clock is behind, later statements have lower numbers. They
//     count once there were as many, of a live leader, over as long a time as the rebase rule
//     requires.
type statedControl struct {
	epoch, rev int64 // of the last statement
	seq        int64 // 0: no control is in force

	lower lowerStatements
}

// lowerStatements are consecutive statements of one epoch with numbers below those of the last
// one that counts.
type lowerStatements struct {
	items int
	epoch int64
	first time.Time
}

// observe adds a statement, and reports whether it counts now. live reports whether a live leader
// made it: it is not one that a replica or a primary that lost data has left.
func (c *statedControl) observe(a assertion, seq int64, at time.Time, live bool) bool {
	isLower := a.epoch < c.epoch || a.epoch == c.epoch && a.rev < c.rev
	if a.rev == 0 || isLower && !(live && c.lower.suffice(a.epoch, at)) {
		return false
	}
	*c = statedControl{epoch: a.epoch, rev: a.rev, seq: seq}
	return true
}

// suffice adds a statement, and reports whether there are enough.
func (l *lowerStatements) suffice(epoch int64, at time.Time) bool {
	if l.items == 0 || epoch != l.epoch {
		*l = lowerStatements{epoch: epoch, first: at}
	}
	l.items++
	return l.items >= rebaseItems && at.Sub(l.first) >= rebaseSpan
}

const (
	// endsWithin is the time after which a control with a given seq has ended. The seq is not below
	// the time of the operator's last command. Clocks may differ by a day.
	endsWithin = control.MaxDuration + 24*time.Hour
	// leaderless is the time without a live leader after which the local clock decides that.
	leaderless = 2 * time.Minute
)

// inForce returns the seq of a control that leaders stated, or 0 if it must have ended: it is too old,
// and there is no leader that would end it. While there is one, a wrong local clock does not matter.
func (f *feed) inForce(seq int64) int64 {
	now := time.Now()
	if now.Sub(f.born)-time.Duration(f.led.Load()) >= leaderless && now.Sub(time.UnixMilli(seq)) > endsWithin {
		return 0
	}
	return seq
}
