package test

import (
	"net/http/httptest"
	"testing"
	"time"

	"github.com/catbridge/catbridge/internal/testenv/program"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/internal/wire"
)

// fleet is an environment whose leaders, and some of its followers, are processes of the
// program.
type fleet struct {
	*environment
	path     string
	redisURL string
	cdnURL   string
	env      []string // of all processes
	watchers []*watcher
}

// onProcesses runs with processes on a real server, with the program's fast timing.
func onProcesses(t *testing.T, run func(f *fleet)) {
	t.Helper()
	onProcessesOf(t, program.Plain, run)
}

// onProcessesOf runs with another build of the program.
func onProcessesOf(t *testing.T, build program.Build, run func(f *fleet)) {
	t.Helper()
	onProcessesAs(t, build, false, run)
}

// onProcessesAs runs with another build of the program; without other tests at the same
// time if alone is set.
func onProcessesAs(t *testing.T, build program.Build, alone bool, run func(f *fleet)) {
	t.Helper()
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	path := build.Path(t)
	if !alone {
		t.Parallel()
	}
	inLanes(t, func(t *testing.T) *fleet { return newFleet(t, path) }, run)
}

func newFleet(t *testing.T, path string) *fleet {
	server := redistest.Start(t)
	f := &fleet{environment: onPlain(t, server, fastProfile()), path: path, redisURL: server.URL()}
	f.tap(server)
	f.serveCDN()
	return f
}

// serveCDN serves the CDN to processes.
func (f *fleet) serveCDN() {
	web := httptest.NewServer(f.cdn)
	f.Cleanup(web.Close)
	f.cdnURL = web.URL
}

// launch starts a leader and waits until it logs its ID.
func (f *fleet) launch(env ...string) *process {
	f.Helper()
	p := f.run(env, "leader", "--fast", "--poll-interval", f.leader.PollInterval.String(), "--base-url", f.cdnURL,
		"--log-format", "json", "--log-level", "debug")
	f.eventually(10*time.Second, "the process logs its ID", p.started)
	return p
}

// launchBehind starts a leader whose connections to Redis go through a link.
func (f *fleet) launchBehind(link *redistest.Link) *process {
	f.Helper()
	return f.launch("CATBRIDGE_REDIS_URL=redis://" + link.Listen(f.T, f.server.Addr()))
}

// holder returns the ID in the lock; empty: there is no leader.
func (f *fleet) holder() string {
	id, _, _ := wire.ParseLock(f.admin.Get(f.Context(), f.keys.Lock).Val())
	return id
}

func (f *fleet) awaitHolder(p *process) {
	f.Helper()
	f.eventually(f.takeover(), "process "+p.id+" leads", func() bool { return f.holder() == p.id })
}

// launchAll starts leaders and waits until the first leads. It then starts followers, one
// of them a process, and waits until they have content.
func (f *fleet) launchAll(leaders, followers int) []*process {
	f.Helper()
	all := []*process{f.launch()}
	f.awaitHolder(all[0])
	for len(all) < leaders {
		all = append(all, f.launch())
	}
	f.join(leaders, followers)
	return all
}

// join starts followers, one of them a process, in a fleet with running leaders.
func (f *fleet) join(leaders, followers int) {
	f.Helper()
	f.followers(followers - 1)
	f.watch()
	f.reached(f.cdn.Version(), f.poll())
	f.subscribed(leaders + followers)
}

// reached waits until every follower has that version, processes included.
func (f *fleet) reached(version int64, bound time.Duration) {
	f.Helper()
	f.environment.reached(version, bound)
	for _, env := range f.watchers {
		f.eventually(bound, "the process "+env.name+" has the version", func() bool { return env.version() >= version })
	}
}

// settle is [environment.settle] for all followers.
func (f *fleet) settle() {
	f.Helper()
	f.environment.settle()
	f.reached(f.cdn.Version(), f.poll())
}
