package ui

import (
	"sync"
	"time"
)

const (
	attemptsWithin = time.Minute
	// maxAttempts and maxAllAttempts bound the wrong tokens within that time of one client and of all.
	maxAttempts    = 20
	maxAllAttempts = 1000
)

// attempts bounds how often wrong tokens are tried. It is safe for concurrent use.
type attempts struct {
	mu     sync.Mutex
	began  time.Time // of the current minute
	all    int
	by     map[string]int // client
	logged bool           // the log says that there were too many
}

// begin counts an attempt of a client. It returns false, and how long to wait, if there were too
// many. An attempt with a valid token is taken back.
func (a *attempts) begin(client string, now time.Time) (wait time.Duration, ok bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if age := now.Sub(a.began); age < 0 || age >= attemptsWithin {
		a.began, a.all, a.by, a.logged = now, 0, map[string]int{}, false
	}
	if a.all >= maxAllAttempts || a.by[client] >= maxAttempts {
		return a.began.Add(attemptsWithin).Sub(now), false
	}
	a.all++
	a.by[client]++
	return 0, true
}

// takeBack takes an attempt of a client back.
func (a *attempts) takeBack(client string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.by[client] > 0 { // unless a new minute has begun
		a.all--
		a.by[client]--
	}
}

// tell reports whether to log that there were too many attempts: once in each time.
func (a *attempts) tell() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	before := a.logged
	a.logged = true
	return !before
}
