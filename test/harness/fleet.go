package harness

import (
	"net"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/catbridge/catbridge/internal/testenv/program"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/internal/wire"
)

// Fleet is an environment whose leaders, and some of its followers, are processes of the
// program.
type Fleet struct {
	*Environment
	path     string
	redisURL string
	CDNURL   string
	Env      []string // of all processes
	Watchers []*watcher
}

// OnProcesses runs with processes on a real server, with the program's fast timing.
func OnProcesses(t *testing.T, run func(f *Fleet)) {
	t.Helper()
	OnProcessesOf(t, program.Plain, run)
}

// OnProcessesOf runs with another build of the program.
func OnProcessesOf(t *testing.T, build program.Build, run func(f *Fleet)) {
	t.Helper()
	OnProcessesAs(t, build, false, run)
}

// OnProcessesAs runs with another build of the program; without other tests at the same
// time if alone is set.
func OnProcessesAs(t *testing.T, build program.Build, alone bool, run func(f *Fleet)) {
	t.Helper()
	Real(t)
	path := build.Path(t)
	if !alone {
		t.Parallel()
	}
	InLanes(t, func(t *testing.T) *Fleet { return NewFleet(t, path) }, run)
}

// NewFleet returns a fleet on a Redis without users, with the program at path.
func NewFleet(t *testing.T, path string) *Fleet {
	server := redistest.Start(t)
	f := &Fleet{Environment: NewPlain(t, server, FastProfile()), path: path, redisURL: server.URL()}
	f.Tap(server)
	f.serveCDN()
	return f
}

// serveCDN serves the CDN to processes.
func (f *Fleet) serveCDN() {
	web := httptest.NewServer(f.CDN)
	f.Cleanup(web.Close)
	f.CDNURL = web.URL
}

// Launch starts a leader and waits until it logs its ID.
func (f *Fleet) Launch(env ...string) *Process {
	f.Helper()
	p := f.Run(env, "leader", "--fast", "--poll-interval", f.Leader.PollInterval.String(), "--base-url", f.CDNURL,
		"--log-format", "json", "--log-level", "debug")
	f.Eventually(10*time.Second, "the process logs its ID", p.HasStarted)
	return p
}

// LaunchBehind starts a leader whose connections to Redis go through a link.
func (f *Fleet) LaunchBehind(link *redistest.Link) *Process {
	f.Helper()
	return f.Launch("CATBRIDGE_REDIS_URL=redis://" + link.Listen(f.T, f.Server.Addr()))
}

// Holder returns the ID in the lock; empty: there is no leader.
func (f *Fleet) Holder() string {
	id, _, _ := wire.ParseLock(f.Admin.Get(f.Context(), f.Keys.Lock).Val())
	return id
}

// AwaitHolder waits until a process leads.
func (f *Fleet) AwaitHolder(p *Process) {
	f.Helper()
	f.Eventually(f.TakeoverBound(), "process "+p.ID+" leads", func() bool { return f.Holder() == p.ID })
}

// LaunchAll starts leaders and waits until the first leads. It then starts followers, one
// of them a process, and waits until they have content.
func (f *Fleet) LaunchAll(leaders, followers int) []*Process {
	f.Helper()
	all := []*Process{f.Launch()}
	f.AwaitHolder(all[0])
	for len(all) < leaders {
		all = append(all, f.Launch())
	}
	f.Join(leaders, followers)
	return all
}

// Join starts followers, one of them a process, in a fleet with running leaders.
func (f *Fleet) Join(leaders, followers int) {
	f.Helper()
	f.FollowN(followers - 1)
	f.Watch()
	f.AwaitVersion(f.CDN.Version(), f.PollBound())
	f.AwaitSubscribers(leaders + followers)
}

// AwaitVersion waits until every follower has that version, processes included.
func (f *Fleet) AwaitVersion(version int64, bound time.Duration) {
	f.Helper()
	f.Environment.AwaitVersion(version, bound)
	for _, w := range f.Watchers {
		f.Eventually(bound, "the process "+w.name+" has the version", func() bool { return w.version() >= version })
	}
}

// Settle is [Environment.Settle] for all followers.
func (f *Fleet) Settle() {
	f.Helper()
	f.Environment.Settle()
	f.AwaitVersion(f.CDN.Version(), f.PollBound())
}

// ForbiddenServer starts a server that counts the connections to it.
func (f *Fleet) ForbiddenServer() (url string, asked *atomic.Int64) {
	f.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		f.Fatal(err)
	}
	asked = new(atomic.Int64)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			asked.Add(1)
			_ = conn.Close()
		}
	}()
	f.Cleanup(func() { _ = listener.Close(); <-done })
	return "http://" + listener.Addr().String(), asked
}
