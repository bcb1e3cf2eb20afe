package wire

import (
	"crypto/rand"
	"strings"
)

const maxLeaderIDBytes = 64

// MaxLockBytes is the greatest size of the lock's value.
const MaxLockBytes = maxLeaderIDBytes + 1 + MaxDigits

// maxHostBytes bounds the host in a leader's ID. It leaves room for a slash and the random part.
const maxHostBytes = 36

// NewLeaderID returns an ID for one start of a leader: host/RANDOM, or RANDOM if host is empty.
// The host is for operators only: it is cut to 36 bytes, and each character other than ASCII
// letters, digits, dots, hyphens and underscores becomes a hyphen. Only the random part makes the
// ID unique.
func NewLeaderID(host string) string {
	host = strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '.', r == '-', r == '_':
			return r
		}
		return '-'
	}, host)
	if host = host[:min(len(host), maxHostBytes)]; host != "" {
		host += "/"
	}
	return host + rand.Text()
}

// LeaderHost returns the host in a leader's ID, or an empty string if it has none. IDs of earlier
// versions have none.
func LeaderHost(leaderID string) string {
	host, _, ok := strings.Cut(leaderID, "/")
	if !ok {
		return ""
	}
	return host
}

// LockValue returns the value of the lock: the ID of the leader that holds it, and the epoch.
// leaderID is the result of [NewLeaderID], or any string of at most 64 bytes without a colon.
func LockValue(leaderID string, epoch int64) string {
	return string(AppendNumber([]byte(leaderID+":"), epoch))
}

// ParseLock reads the value of a lock. All errors are [*ParseError].
func ParseLock(value string) (leaderID string, epoch int64, err error) {
	leaderID, number, ok := strings.Cut(value, ":")
	if !ok || leaderID == "" || len(leaderID) > maxLeaderIDBytes {
		return "", 0, malformed("lock", "leader", "want leader:epoch, have "+Excerpt(value))
	}
	epoch, ok = ParseNumber(number)
	if !ok {
		return "", 0, malformed("lock", "epoch", "not a number: "+Excerpt(number))
	}
	return leaderID, epoch, nil
}
