package test

import (
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/catbridge/catbridge/test/redistest"
)

// account is what the rounds of one fault came to, in all worlds that played it.
type account struct {
	name         string
	mu           sync.Mutex
	lock         time.Duration // the lock's expiry at the end, which tells the timing
	count        int
	late         int
	worst, bound time.Duration // of the round that came closest to its bound
	lost         int           // writes that Redis had taken and did not have any more
	back         int           // versions that went back, in a follower or, unless it had lost them, in Redis
	failed       bool
}

var accounts = struct {
	sync.Mutex
	of map[string]*account
}{of: map[string]*account{}}

// accountOf gives the account of a world's fault, which all its lanes share.
func accountOf(w *world) *account {
	name, _, _ := strings.Cut(w.Name(), "/lane_")
	a := accountNamed(name, w.leader.LeaseDuration)
	w.Cleanup(func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		a.lock = w.leader.LeaseDuration // a test may have changed it
		a.failed = a.failed || w.Failed()
		a.count = max(a.count, 1) // of a test that plays no rounds
	})
	return a
}

func accountNamed(name string, lock time.Duration) *account {
	accounts.Lock()
	defer accounts.Unlock()
	a := accounts.of[name]
	if a == nil {
		a = &account{name: name, lock: lock}
		accounts.of[name] = a
	}
	return a
}

func (a *account) round() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.count++
}

func (a *account) recovered(took, bound time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.bound == 0 || took.Seconds()/bound.Seconds() > a.worst.Seconds()/a.bound.Seconds() {
		a.worst, a.bound = took, bound
	}
	if took > bound {
		a.late++
	}
}

func (a *account) add(lost, back int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.lost += lost
	a.back += back
}

// tell says how far this fault is, and keeps what was found so far, so that a run that is
// cut short is not lost.
func (a *account) tell(total int) {
	a.mu.Lock()
	count, worst, bound := a.count, a.worst, a.bound
	a.mu.Unlock()
	line := fmt.Sprintf("%s: %d of %d rounds", a.name, count, total)
	if bound > 0 {
		line += fmt.Sprintf(", worst %s of %s", seconds(worst), seconds(bound))
	}
	fmt.Fprintln(os.Stderr, time.Now().UTC().Format(time.TimeOnly), line)
	if *reportFile == "" {
		return
	}
	if err := report(*reportFile); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
}

const reportHead = `<!-- Made by make faults; do not edit. -->
# Faults, tried %s

%d rounds of those tried most, seed %d, on %d processors, %s, %s. "Worst" is the longest recovery, or that which came
closest to its bound; "late" counts those beyond it. "Lost" are writes that Redis had taken and did not have
any more, as it may after a failover; "back" are versions that went back, in a follower or in Redis, which
must not be. "Lock" is the expiry of the lock that the world ran with: 15 s by default, 6 s in the fast
profile, 3 s scaled down, with all other durations in keeping; bounds are scaled with them.

| Fault | Test | Lock | Rounds | Worst | Bound | Late | Lost | Back | |
|---|---|---|---|---|---|---|---|---|---|
`

// report writes what many rounds came to.
func report(path string) error {
	accounts.Lock()
	defer accounts.Unlock()
	var out strings.Builder
	redis, _ := redistest.Version(redistest.Named())
	fmt.Fprintf(&out, reportHead, time.Now().UTC().Format(time.DateOnly), *manyRounds, *seed, runtime.NumCPU(), runtime.Version(), redis)
	for _, name := range slices.Sorted(maps.Keys(accounts.of)) {
		m := rowName.FindStringSubmatch(name)
		if m == nil {
			continue
		}
		a := accounts.of[name]
		a.mu.Lock()
		worst, bound, state := "", "", "ok"
		if a.bound > 0 {
			worst, bound = seconds(a.worst), seconds(a.bound)
		}
		if a.failed || a.late > 0 {
			state = "FAILED"
		}
		fmt.Fprintf(&out, "| %s | %s | %s | %d | %s | %s | %d | %d | %d | %s |\n", strings.Replace(m[1], "F0", "F", 1),
			strings.TrimPrefix(name, m[0]), seconds(a.lock), a.count, worst, bound, a.late, a.lost, a.back, state)
		a.mu.Unlock()
	}
	return os.WriteFile(path, []byte(out.String()), 0o644)
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.4g s", d.Seconds()) }
