package cachekeys

import (
	"crypto/rand"
	"strings"
)

const maxLeaderIDBytes = 64

// MaxLockBytes is the greatest size of a lock's content.
const MaxLockBytes = maxLeaderIDBytes + 1 + maxDigits

// maxHostBytes leaves room for a slash and the random part.
const maxHostBytes = 36

// NewLeaderID returns an ID for one start of a leader: host/RANDOM, or RANDOM where host
// is empty. The host's name is for operators alone: it is cut after 36 bytes, and all but
// letters, digits, dots, - and _ in it becomes a -. It makes no ID unique, the random part
// does.
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

// LeaderHost returns the host that a leader's ID names. Empty: it names none, like those of
// versions that did not know of it.
func LeaderHost(leaderID string) string {
	host, _, ok := strings.Cut(leaderID, "/")
	if !ok {
		return ""
	}
	return host
}

// LockValue returns the content of the lock: who holds it, in which epoch. The
// leader's ID is that of [NewLeaderID], or any text of at most 64 bytes without a colon.
func LockValue(leaderID string, epoch int64) string {
	return string(appendNumber([]byte(leaderID+":"), epoch))
}

// ParseLock reads the content of a lock. All errors are [*ParseError].
func ParseLock(value string) (leaderID string, epoch int64, err error) {
	leaderID, number, ok := strings.Cut(value, ":")
	if !ok || leaderID == "" || len(leaderID) > maxLeaderIDBytes {
		return "", 0, malformed("lock", "leader", "want leader:epoch, have "+excerpt(value))
	}
	epoch, ok = parseNumber(number)
	if !ok {
		return "", 0, malformed("lock", "epoch", "not a number: "+excerpt(number))
	}
	return leaderID, epoch, nil
}
