package harness

import (
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/catbridge/catbridge/internal/testenv/program"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/leader"
)

// UseProcesses makes each leader that starts from now on a process of the program. Processes
// cannot run in virtual time.
func (env *Environment) UseProcesses() {
	env.Helper()
	if env.Virtual {
		return
	}
	env.programs = &Fleet{Environment: env, path: program.Path(env.T)}
	env.programs.serveCDN()
}

// leadAs starts the process of a leader.
func (f *Fleet) leadAs(r *Leader) {
	f.Helper()
	p := f.Launch(append(append(f.access(r.Link), f.timings()...), "CATBRIDGE_LISTEN=127.0.0.1:0")...)
	r.id, r.done = p.ID, p.Exited
	r.shut = func() { _ = p.Cmd.Process.Signal(syscall.SIGTERM) } // no effect if the process has ended
	r.die = func() { _ = p.Cmd.Process.Kill() }
	var last leader.KeyStats
	r.Stats = func() leader.KeyStats {
		select {
		case <-p.Exited:
			last.State = leader.StateStopped
		default:
			last = p.stats(f.T)
		}
		return last
	}
}

// timings returns the environment variables for the durations of the test's environment,
// except for the poll interval, which is an argument.
func (f *Fleet) timings() (env []string) {
	for name, d := range map[string]time.Duration{
		"LEASE_DURATION": f.Leader.LeaseDuration, "RENEW_INTERVAL": f.Leader.RenewInterval, "RENEW_DEADLINE": f.Leader.RenewDeadline,
		"RETRY_PERIOD": f.Leader.RetryPeriod, "IDLE": f.Leader.Idle, "DEAD": f.Leader.Dead,
	} {
		env = append(env, "CATBRIDGE_TIMINGS_"+name+"="+d.String())
	}
	// The default is 5 s with a lease of 15 s.
	return append(env, "CATBRIDGE_REDIS_DIAL_TIMEOUT="+(f.Leader.LeaseDuration/3).String())
}

// access returns the environment variables with which a leader connects to the
// environment's Redis. A link is used only for a single server without certificates, since
// a link reads Redis's replies.
func (f *Fleet) access(link *redistest.Link) []string {
	f.Helper()
	var (
		mode  string
		nodes []*redistest.Process
		more  []string
	)
	switch {
	case f.Sentinel != nil:
		mode, nodes = "sentinel", f.Sentinel.Nodes
		discover := nodes[0].Guard().Discover
		more = []string{
			"CATBRIDGE_REDIS_MASTER_NAME=" + redistest.MasterName,
			"CATBRIDGE_REDIS_SENTINEL_USERNAME=" + discover.Name, "CATBRIDGE_REDIS_SENTINEL_PASSWORD=" + discover.Password,
		}
		more = append(more, at(mode, addresses(f.Sentinel.Sentinels)...)...)
	case f.cluster != nil:
		mode, nodes = "cluster", f.cluster.Nodes()
		more = at(mode, addresses(nodes)...)
	case asksForCertificates(f.Server):
		mode, nodes = "single", []*redistest.Process{f.Server}
		more = at(mode, f.Server.Addr())
	default:
		mode, nodes = "single", []*redistest.Process{f.Server}
		more = at(mode, link.Listen(f.T, f.Server.Addr()))
	}
	if !asksForCertificates(nodes[0]) {
		return more
	}
	guard := nodes[0].Guard()
	user := AsLeader.User()
	more = append(more, "CATBRIDGE_REDIS_USERNAME="+user.Name, "CATBRIDGE_REDIS_PASSWORD="+user.Password)
	return append(more, certified(guard.Authority.CAFile, guard.Authority.Issue(f.T, "client"))...)
}

func asksForCertificates(server *redistest.Process) bool {
	return server.Guard() != nil && server.Guard().Authority != nil
}

// at returns the environment variables for a Redis at these addresses.
func at(mode string, addresses ...string) []string {
	return []string{"CATBRIDGE_REDIS_URL=", "CATBRIDGE_REDIS_MODE=" + mode, "CATBRIDGE_REDIS_ADDRESSES=" + strings.Join(addresses, ",")}
}

// certified returns the environment variables for a Redis that asks for certificates.
func certified(authority string, own redistest.Certificate) []string {
	return []string{
		"CATBRIDGE_REDIS_TLS_ENABLED=true", "CATBRIDGE_REDIS_TLS_CA_FILE=" + authority,
		"CATBRIDGE_REDIS_TLS_CERT_FILE=" + own.CertFile, "CATBRIDGE_REDIS_TLS_KEY_FILE=" + own.KeyFile,
	}
}

// stats reads the statistics of a leader from its HTTP endpoints.
func (p *Process) stats(t *testing.T) (s leader.KeyStats) {
	t.Helper()
	var status struct {
		Keys []struct {
			State      leader.State `json:"state"`
			LockHolder string       `json:"lock_holder"`
			Epoch      int64        `json:"epoch"`
			Rev        int64        `json:"rev"`
			WriteError string       `json:"write_error"`
		} `json:"sdk_keys"`
	}
	if err := json.Unmarshal([]byte(p.Page(t, "/status")), &status); err != nil || len(status.Keys) != 1 {
		t.Fatalf("%+v, %v", status, err)
	}
	key := status.Keys[0]
	s.State, s.LockHolder, s.Epoch, s.Rev, s.WriteError = key.State, key.LockHolder, key.Epoch, key.Rev, key.WriteError
	metrics := p.Page(t, "/metrics")
	for name, to := range map[string]*uint64{
		"terms": &s.Terms, "fenced": &s.Fenced, "lapsed": &s.Lapsed, "commits": &s.Commits, "renewals": &s.Renewals,
		"suspect_answers": &s.Suspect,
	} {
		*to = count(t, metrics, name, "")
	}
	s.Fetched, s.NotModified = count(t, metrics, "polls", "config"), count(t, metrics, "polls", "not_modified")
	s.PollErrors = count(t, metrics, "polls", "error")
	s.Polls = s.Fetched + s.NotModified + s.PollErrors // that have ended
	return s
}

// count returns a counter of a leader, or its part with the given outcome.
func count(t *testing.T, metrics, name, outcome string) uint64 {
	t.Helper()
	for line := range strings.Lines(metrics) {
		if !strings.HasPrefix(line, "catbridge_leader_"+name+"_total{") || outcome != "" && !strings.Contains(line, strconv.Quote(outcome)) {
			continue
		}
		n, err := strconv.ParseUint(strings.TrimSpace(line[strings.LastIndex(line, " "):]), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	t.Fatalf("no %s %s in %.300s", name, outcome, metrics)
	return 0
}

// Page returns the page that a process serves at path.
func (p *Process) Page(t *testing.T, path string) string {
	t.Helper()
	response, err := http.Get("http://" + p.Addr + path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v", path, response.Status, err)
	}
	return string(text)
}
