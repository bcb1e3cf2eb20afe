package e2e

import (
	"flag"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
	"github.com/catbridge/catbridge/internal/testenv/program"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/test/harness"
	"github.com/redis/go-redis/v9"
)

var soakFor = flag.Duration("soak", 0, "duration of the soak test; 0: skip it")

const (
	soakFollowers = 200
	// soakEvery is the interval at which all faults stop, all followers get the same
	// content, and the resources in use are measured.
	soakEvery = 20 * time.Second
)

// soak is a fleet that runs for long. Its first leader is never killed, so that its growth
// can be measured.
type soak struct {
	*harness.Fleet
	leaders []*harness.Process
	report  soakReport
	calm    []func() // end the faults that have begun
}

// Leaders, followers and the CDN meet random faults, one after the other and several at
// once. Nothing grows, nothing goes back, and all processes regularly have the same
// content.
func TestSoak(t *testing.T) {
	if *soakFor == 0 {
		t.Skip("see make soak")
	}
	s := &soak{Fleet: harness.NewFleet(t, program.Path(t))}
	// The log of a test stays in its memory.
	s.FollowerLog = harness.NewLog(t, io.Discard, slog.LevelWarn)
	s.Connect = func(t testing.TB, _ harness.Role, _ *redistest.Link) redis.UniversalClient {
		opts := *s.Server.Client(t, nil).Options()
		opts.PoolSize, opts.PipelinePoolSize = 1, -1 // a second connection would stay for half an hour, and look like growth
		client := redis.NewClient(&opts)
		t.Cleanup(func() { _ = client.Close() })
		return client
	}
	s.live()
	s.report.finish(s)
	if path := harness.ReportPath(); path != "" {
		s.report.write(t, path)
	}
}

func (s *soak) live() {
	for range 3 {
		s.startLeader()
	}
	s.awaitLeader()
	s.Join(3, soakFollowers)
	s.report.begin(s)
	for end := time.Now().Add(*soakFor); time.Now().Before(end); {
		for round := time.Now().Add(soakEvery); time.Now().Before(round); {
			s.fault()
			s.Pass(s.RandomBelow(3 * time.Second))
		}
		s.endFaults()
		s.report.sample(s)
	}
}

func (s *soak) startLeader() {
	s.Helper()
	s.leaders = append(s.leaders, s.Launch("CATBRIDGE_LISTEN=127.0.0.1:0", "CATBRIDGE_PPROF=true"))
}

func (s *soak) awaitLeader() {
	s.Helper()
	s.Eventually(s.TakeoverBound(), "a process leads", func() bool { return s.Holder() != "" })
}

// replace ends a leader, but never the first, and starts another.
func (s *soak) replace(sig syscall.Signal) {
	s.Helper()
	i := 1 + s.Random.IntN(len(s.leaders)-1)
	ended := s.leaders[i]
	s.Signal(ended, sig)
	<-ended.Exited
	s.leaders = append(s.leaders[:i], s.leaders[i+1:]...)
	s.startLeader()
}

// until registers the end of a fault that lasts until the next calm. The fault may end
// earlier.
func (s *soak) until(end func()) { s.calm = append(s.calm, end) }

func (s *soak) fault() {
	s.Helper()
	faults := s.faults()
	f := faults[s.Random.IntN(len(faults))]
	s.report.count(f.name)
	f.happen()
}

type soakFault struct {
	name   string
	happen func()
}

func (s *soak) faults() []soakFault {
	any := func(args ...any) func() { return func() { _, _ = s.Server.Do(s.T, args...) } }
	return []soakFault{
		{"config changed", func() { s.CDN.Publish() }},
		{"config changed", func() { s.CDN.Publish() }},
		{"config of another size", func() { s.CDN.SetMinBytes(s.Random.IntN(100 << 10)) }},
		{"leader killed", func() { s.replace(syscall.SIGKILL) }},
		{"leader shut down", func() { s.replace(syscall.SIGTERM) }},
		{"leader stopped", func() { s.StopFor(s.leaders[s.Random.IntN(len(s.leaders))], s.RandomBelow(2*s.Leader.LeaseDuration)) }},
		{"followers disconnected", any("CLIENT", "KILL", "TYPE", "pubsub")},
		{"all disconnected", any("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")},
		{"scripts forgotten", any("SCRIPT", "FLUSH")},
		{"strange message", any("PUBLISH", s.Keys.Events, strings.Repeat("x", s.Random.IntN(10_000)))},
		{"key lost", func() {
			keys := []string{s.Keys.Entry, s.Keys.Blob, s.Keys.Meta, s.Keys.Lock}
			any("DEL", keys[s.Random.IntN(len(keys))])()
		}},
		{"all keys lost", func() {
			s.Audit.Forget()
			any("FLUSHALL")()
			s.Audit.Forget()
		}},
		{"Redis pauses", any("CLIENT", "PAUSE", s.RandomBelow(3*time.Second).Milliseconds(), "ALL")},
		{"Redis stopped", func() {
			s.Server.Pause(s.T)
			s.Pass(s.RandomBelow(4 * time.Second))
			s.Server.Resume(s.T)
		}},
		{"CDN fails", func() {
			faults := []fakecdn.Fault{fakecdn.Status(http.StatusInternalServerError), fakecdn.Garbage(), fakecdn.HTML(), fakecdn.Truncated(), fakecdn.Down}
			s.CDN.Break(faults[s.Random.IntN(len(faults))])
			s.until(s.CDN.Repair)
		}},
	}
}

// endFaults ends all faults, and waits until all followers have one more version.
func (s *soak) endFaults() {
	s.Helper()
	for _, end := range s.calm {
		end()
	}
	s.calm = nil
	ended := time.Now()
	version := s.CDN.SetMinBytes(0) // followers have content of the same size at each measurement
	s.AwaitVersion(version, s.TakeoverBound()+s.PollBound()+s.Follower.MetaReread)
	s.Recovered(ended, s.TakeoverBound()+s.PollBound()+s.Follower.MetaReread)
	s.report.recovered(time.Since(ended))
	for _, r := range s.Followers {
		// A follower reads when it must; here all have the connection that a read needs.
		if err := r.Client.Refresh(s.Context()); err != nil {
			s.Errorf("%s: %v", r.Name, err)
		}
	}
	s.Audit.Check(s.T)
}
