package test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/catbridge/catbridge/follower"
	"github.com/catbridge/catbridge/internal/testenv/program"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/leader"
)

// secured is a fleet whose processes log in with certificates and passwords from files.
type secured struct {
	*fleet
	dir string
}

// onSecured runs with processes on each kind of Redis, guarded.
func onSecured(t *testing.T, run func(s *secured)) {
	t.Helper()
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	path := program.Path(t)
	t.Parallel()
	t.Run("single", func(t *testing.T) {
		t.Parallel()
		env := startEnvironment(t)
		run(secure(env, path, env.server.Guard(), "single", env.server.Addr()))
	})
	t.Run("Sentinel", func(t *testing.T) {
		t.Parallel()
		sentinel := guarded(t, "replicated.acl").StartSentinel(t, 2)
		env := onGuarded(t, sentinel.ClientAs, sentinel.Nodes...)
		env.harmless(sentinel.Sentinels...)
		s := secure(env, path, sentinel.Nodes[0].Guard(), "sentinel", addresses(sentinel.Sentinels)...)
		s.env = append(s.env, "CATBRIDGE_REDIS_MASTER_NAME="+redistest.MasterName,
			"CATBRIDGE_REDIS_SENTINEL_USERNAME=discover", "CATBRIDGE_REDIS_SENTINEL_PASSWORD_FILE="+s.file("discover.password"))
		run(s)
	})
	t.Run("cluster", func(t *testing.T) {
		t.Parallel()
		cluster := guarded(t, "cluster.acl").StartCluster(t, 3, 1)
		env := onGuarded(t, cluster.ClientAs, cluster.Nodes()...)
		run(secure(env, path, cluster.Primaries[0].Guard(), "cluster", addresses(cluster.Nodes())...))
	})
}

func addresses(processes []*redistest.Process) []string {
	var all []string
	for _, p := range processes {
		all = append(all, p.Addr())
	}
	return all
}

func secure(env *environment, path string, guard *redistest.Guard, mode string, addresses ...string) *secured {
	env.leader, env.follower = leader.FastTiming(), follower.FastTimings()
	env.leader.PollInterval = time.Second
	s := &secured{fleet: &fleet{environment: env, path: path}, dir: env.TempDir()}
	s.serveCDN()
	for _, user := range []role{asLeader, asFollower, asOperator, asStatus, "discover"} {
		s.write(string(user)+".password", user.user().Password)
	}
	s.certify(guard.Authority)
	s.env = append(at(mode, addresses...), certified(s.file("ca.crt"), redistest.Certificate{
		CertFile: s.file("client.crt"), KeyFile: s.file("client.key"),
	})...)
	return s
}

func (s *secured) file(name string) string { return filepath.Join(s.dir, name) }

func (s *secured) write(name, text string) {
	s.Helper()
	// Atomically, so that no process reads a part of it.
	if err := os.WriteFile(s.file(name+".new"), []byte(text), 0o600); err != nil {
		s.Fatal(err)
	}
	if err := os.Rename(s.file(name+".new"), s.file(name)); err != nil {
		s.Fatal(err)
	}
}

// certify makes the processes use certificates of an authority.
func (s *secured) certify(authority *redistest.Authority) {
	s.Helper()
	c := authority.Issue(s.T, "client")
	for name, from := range map[string]string{"ca.crt": authority.CAFile, "client.crt": c.CertFile, "client.key": c.KeyFile} {
		text, err := os.ReadFile(from)
		if err != nil {
			s.Fatal(err)
		}
		s.write(name, string(text))
	}
}

// as returns the environment variables with which a process logs in.
func (s *secured) as(user role) []string {
	return []string{"CATBRIDGE_REDIS_USERNAME=" + string(user), "CATBRIDGE_REDIS_PASSWORD_FILE=" + s.file(string(user)+".password")}
}

// command runs the program to its end, and returns its output.
func (s *secured) command(user role, args ...string) string {
	s.Helper()
	cmd := exec.CommandContext(s.Context(), s.path, args...)
	cmd.Env = append(append([]string{"CATBRIDGE_SDK_KEY=" + sdkKey}, s.env...), s.as(user)...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		s.Errorf("catbridge %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	if secretIn(out) || strings.Contains(string(out), user.user().Password) {
		s.Errorf("catbridge %s prints a secret:\n%s", strings.Join(args, " "), out)
	}
	return string(out)
}

// The program works with certificates and least rights on every kind of Redis.
func TestProgramRunsOnEveryGuardedRedis(t *testing.T) {
	onSecured(t, func(s *secured) {
		first := s.launch(s.as(asLeader)...)
		s.awaitHolder(first)
		second := s.launch(s.as(asLeader)...)
		s.watch(s.as(asFollower)...)
		s.followers(1)
		s.reached(s.cdn.Publish(), s.poll())
		s.subscribed(4)
		if out := s.command(asOperator, "refresh"); !strings.Contains(out, "the leader polled") {
			s.Errorf("refresh: %s", out)
		}
		if out := s.command(asStatus, "status"); !strings.Contains(out, "✓") {
			s.Errorf("status: %s", out)
		}
		s.signal(first, syscall.SIGTERM)
		<-first.exited
		s.awaitHolder(second)
		s.settle()
	})
}

// F25: the program reconnects with the changed content of its files.
func TestF25_ProgramReadsChangedSecrets(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program")
	}
	path := program.Path(t)
	t.Parallel()
	env := openEnvironment(t)
	s := secure(env, path, env.server.Guard(), "single", env.server.Addr())
	s.late = true
	s.launch(s.as(asLeader)...)
	s.watch(s.as(asFollower)...)
	s.reached(s.cdn.Publish(), s.takeover()+s.poll())
	authority := redistest.NewAuthority(t)
	s.setPasswords("-changed", asLeader, asFollower)
	s.renew(authority)
	s.certify(authority)
	for _, user := range []role{asLeader, asFollower} {
		s.write(string(user)+".password", user.user().Password+"-changed")
	}
	s.disconnect(asLeader)
	s.disconnect(asFollower)
	s.reached(s.cdn.Publish(), s.takeover()+s.poll())
	s.renew(s.server.Guard().Authority)
}
