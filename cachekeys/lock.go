package cachekeys

import "strings"

const maxLeaderIDBytes = 64

// LockValue returns the content of the lock: who holds it, in which epoch. The
// leader's ID is random for each start of a process and has no colon.
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
