package interop

import (
	"net/http/httptest"
	"os/exec"
	"regexp"
	"testing"
	"time"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
	"github.com/catbridge/catbridge/internal/testenv/program"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/internal/testenv/syncbuffer"
	"github.com/catbridge/catbridge/internal/wire"
)

// leaseOfProcesses is the lease of these leaders.
const leaseOfProcesses = 3 * time.Second

// leaders are two processes of catbridge leader, which poll the CDN every second.
type leaders struct {
	server  *redistest.Process
	env     []string
	running []*leaderProcess
}

type leaderProcess struct {
	cmd *exec.Cmd
	log *syncbuffer.Buffer
}

func startLeaders(t *testing.T, server *redistest.Process, cdn *fakecdn.CDN) *leaders {
	t.Helper()
	web := httptest.NewServer(cdn)
	t.Cleanup(web.Close)
	l := &leaders{server: server, env: []string{
		"CATBRIDGE_SDK_KEY=interop=" + sdkKey, "CATBRIDGE_REDIS_URL=" + server.URL(), "CATBRIDGE_BASE_URL=" + web.URL,
		"CATBRIDGE_TIMINGS_LEASE_DURATION=" + leaseOfProcesses.String(), "CATBRIDGE_TIMINGS_RENEW_INTERVAL=750ms", "CATBRIDGE_TIMINGS_RENEW_DEADLINE=2s",
		"CATBRIDGE_TIMINGS_RETRY_PERIOD=1s", "CATBRIDGE_TIMINGS_IDLE=2s", "CATBRIDGE_TIMINGS_DEAD=4s", "CATBRIDGE_REDIS_DIAL_TIMEOUT=1s",
	}}
	t.Cleanup(func() {
		for _, p := range l.running {
			p.kill()
		}
	})
	for range 2 {
		l.start(t)
	}
	return l
}

func (l *leaders) start(t *testing.T) {
	t.Helper()
	p := &leaderProcess{log: new(syncbuffer.Buffer)}
	p.cmd = exec.CommandContext(t.Context(), program.Path(t), "leader", "--poll-interval", "1s", "--log-format", "json")
	p.cmd.Env, p.cmd.Stderr = l.env, p.log
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	l.running = append(l.running, p)
}

func (p *leaderProcess) kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

var leaderID = regexp.MustCompile(`"leader":"([^"]+)"`)

// kill kills the process that leads, once one does, and starts another.
func (l *leaders) kill(t *testing.T) {
	t.Helper()
	client := l.server.Client(t, nil)
	for {
		holder, _, _ := wire.ParseLock(client.Get(t.Context(), cachekeys.For(sdkKey, "", 0).Lock).Val()) // empty: nobody leads
		for i, p := range l.running {
			if m := leaderID.FindStringSubmatch(p.log.String()); m != nil && m[1] == holder {
				p.kill()
				l.running = append(l.running[:i], l.running[i+1:]...)
				l.start(t)
				return
			}
		}
		if err := t.Context().Err(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}
