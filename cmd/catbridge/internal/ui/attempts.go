package ui

import (
	"sync"
	"time"
)

const (
	attemptsWithin = time.Minute
	// maxAttempts and maxAllAttempts are how many wrong tokens of one client and of all are answered
	// as such within that time.
	maxAttempts    = 20
	maxAllAttempts = 1000
)

// attempts counts wrong tokens. It is safe for concurrent use.
//
// Too many of them keep nobody out who has a valid token: all people behind a proxy have one address.
// What prevents guessing is the length of tokens.
type attempts struct {
	mu     sync.Mutex
	began  time.Time // of the current minute
	all    int
	by     map[string]int // client
	logged bool           // the log says that there were too many
}

// add counts a wrong token of a client. It returns zero, or if there were too many the time until
// the next minute begins. first reports whether the log should say so.
func (a *attempts) add(client string, now time.Time) (wait time.Duration, first bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if age := now.Sub(a.began); age < 0 || age >= attemptsWithin {
		a.began, a.all, a.by, a.logged = now, 0, map[string]int{}, false
	}
	if a.all >= maxAllAttempts || a.by[client] >= maxAttempts {
		first, a.logged = !a.logged, true
		return a.began.Add(attemptsWithin).Sub(now), first
	}
	a.all++
	a.by[client]++
	return 0, false
}
