package e2e

import (
	"fmt"
	"maps"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/catbridge/catbridge/test/harness"
)

// used is a sample of the resources in use, after a garbage collection.
type used struct {
	at time.Duration // since the start

	followersHeap, followersGoroutines, followersFiles float64 // of the process with all followers
	leaderHeap, leaderGoroutines, leaderFiles          float64 // of the leader that is never killed
	redis                                              float64 // bytes
	polls                                              float64 // requests to the CDN, per minute since the previous sample
}

// measures are the names of the resources, and their permitted growth.
var measures = []struct {
	name    string
	of      func(u used) float64
	unit    float64
	allowed float64 // in addition to a tenth of the first value
}{
	{"heap of the followers' process, MB", func(u used) float64 { return u.followersHeap }, 1 << 20, 8 << 20},
	{"its goroutines", func(u used) float64 { return u.followersGoroutines }, 1, 20},
	{"its descriptors", func(u used) float64 { return u.followersFiles }, 1, 20},
	{"heap of the leader, MB", func(u used) float64 { return u.leaderHeap }, 1 << 20, 4 << 20},
	{"its goroutines", func(u used) float64 { return u.leaderGoroutines }, 1, 10},
	{"its descriptors", func(u used) float64 { return u.leaderFiles }, 1, 10},
	{"memory of Redis, MB", func(u used) float64 { return u.redis }, 1 << 20, 8 << 20},
}

// pollsAllowed is the permitted growth of the requests to the CDN per minute, in addition
// to a tenth of them.
const pollsAllowed = 15

// soakReport collects the results of a soak.
type soakReport struct {
	began    time.Time
	samples  []used
	faults   map[string]int
	worst    time.Duration
	requests int
	at       time.Time
	version  int64
	back     int
	verdicts []string
}

func (r *soakReport) begin(s *soak) {
	r.faults = map[string]int{}
	r.began, r.at, r.requests = time.Now(), time.Now(), len(s.CDN.Requests())
}

func (r *soakReport) count(fault string) { r.faults[fault]++ }

func (r *soakReport) recovered(took time.Duration) { r.worst = max(r.worst, took) }

// sample measures the resources in use now.
func (r *soakReport) sample(s *soak) {
	s.Helper()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		s.Fatal(err)
	}
	requests, now := len(s.CDN.Requests()), time.Now()
	u := used{
		at:            now.Sub(r.began),
		followersHeap: float64(m.HeapAlloc), followersGoroutines: float64(runtime.NumGoroutine()), followersFiles: float64(len(files)),
		polls: float64(requests-r.requests) / now.Sub(r.at).Minutes(),
	}
	r.requests, r.at = requests, now
	leader := s.leaders[0]
	leader.Page(s.T, "/debug/pprof/heap?gc=1")
	metrics := leader.Page(s.T, "/metrics")
	u.leaderHeap = field(s.T, metrics, "go_memstats_heap_alloc_bytes ")
	u.leaderGoroutines = field(s.T, metrics, "go_goroutines ")
	u.leaderFiles = field(s.T, metrics, "process_open_fds ")
	u.redis = float64(s.Info(s.Server, "memory", "used_memory"))
	r.samples = append(r.samples, u)
}

// field returns the number after a name at the start of a line.
func field(t *testing.T, text, name string) float64 {
	t.Helper()
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, name); ok {
			n, err := strconv.ParseFloat(strings.TrimSpace(rest), 64)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	t.Fatalf("no %s in %.300s", name, text)
	return 0
}

// finish compares the first third of the samples with the last third. Of resources it
// compares the minimum, which does not include what a fault uses for a moment.
func (r *soakReport) finish(s *soak) {
	s.Helper()
	http.DefaultClient.CloseIdleConnections()
	r.version = s.CDN.Version()
	for _, reader := range s.Followers {
		r.back += len(reader.Faults())
	}
	third := max(1, len(r.samples)/3)
	begin, end := r.samples[:third], r.samples[len(r.samples)-third:]
	for _, m := range measures {
		r.compare(s, m.name, m.unit, m.allowed, least(begin, m.of), least(end, m.of))
	}
	r.compare(s, "requests to the CDN per minute, average", 1, pollsAllowed, average(begin), average(end))
}

// compare records whether the last value is much higher than the first.
func (r *soakReport) compare(s *soak, name string, unit, allowed, first, last float64) {
	s.Helper()
	most, verdict := first*1.1+allowed, "flat"
	if last > most {
		verdict = "GROWS"
		s.Errorf("%s: %.1f at first, %.1f at the end", name, first/unit, last/unit)
	}
	r.verdicts = append(r.verdicts, fmt.Sprintf("| %s | %.1f | %.1f | %.1f | %s |", name, first/unit, last/unit, most/unit, verdict))
}

func least(samples []used, of func(u used) float64) float64 {
	low := of(samples[0])
	for _, u := range samples {
		low = min(low, of(u))
	}
	return low
}

// average returns the average of the requests to the CDN.
func average(samples []used) float64 {
	var sum float64
	for _, u := range samples {
		sum += u.polls
	}
	return sum / float64(len(samples))
}

const soakHead = `<!-- Generated by make soak; do not edit. -->
# Soak test report, %s

Duration %v, seed %d, on %d processors, %s: 3 leader processes and %d followers, one of them a separate process, on one Redis. All
faults stop every %v; the longest time until all followers had the next version was %v. The last version was %d. Versions that went back: %d.

| Measure | First third | Last third | Allowed | |
|---|---|---|---|---|
%s

Values are the minimum of each third after garbage collection; for requests to the CDN, the average. Faults: %s.

| Time | Followers: heap | goroutines | files | Leader: heap | goroutines | files | Redis | CDN/min |
|---|---|---|---|---|---|---|---|---|
`

func (r *soakReport) write(t *testing.T, path string) {
	t.Helper()
	var faults []string
	for _, name := range slices.Sorted(maps.Keys(r.faults)) {
		faults = append(faults, fmt.Sprintf("%s %d", name, r.faults[name]))
	}
	var out strings.Builder
	fmt.Fprintf(&out, soakHead, time.Now().UTC().Format(time.DateOnly), *soakFor, harness.Seed(), runtime.NumCPU(), runtime.Version(), soakFollowers, soakEvery,
		r.worst.Round(time.Millisecond), r.version, r.back, strings.Join(r.verdicts, "\n"), strings.Join(faults, ", "))
	for i, u := range r.samples {
		if i%max(1, len(r.samples)/30) != 0 && i != len(r.samples)-1 {
			continue
		}
		fmt.Fprintf(&out, "| %v | %.1f MB | %.0f | %.0f | %.1f MB | %.0f | %.0f | %.1f MB | %.0f |\n", u.at.Round(time.Second),
			u.followersHeap/(1<<20), u.followersGoroutines, u.followersFiles, u.leaderHeap/(1<<20), u.leaderGoroutines, u.leaderFiles, u.redis/(1<<20), u.polls)
	}
	if err := os.WriteFile(path, []byte(out.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}
