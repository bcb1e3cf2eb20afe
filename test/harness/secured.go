package harness

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/internal/testenv/program"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
)

// Secured is a fleet whose processes log in with certificates and passwords from files.
type Secured struct {
	*Fleet
	dir string
}

// OnSecured runs with processes on each kind of Redis, guarded.
func OnSecured(t *testing.T, run func(s *Secured)) {
	t.Helper()
	Real(t)
	path := program.Path(t)
	t.Parallel()
	t.Run("single", func(t *testing.T) {
		t.Parallel()
		run(securedSingle(t, path))
	})
	t.Run("Sentinel", func(t *testing.T) {
		t.Parallel()
		run(securedSentinel(t, path))
	})
	t.Run("cluster", func(t *testing.T) {
		t.Parallel()
		cluster := Guarded(t, "cluster.acl").StartCluster(t, 3, 1)
		env := onGuarded(t, cluster.ClientAs, cluster.Nodes()...)
		run(secure(env, path, cluster.Primaries[0].Guard(), "cluster", addresses(cluster.Nodes())...))
	})
}

// securedSingle returns a fleet on one guarded Redis.
func securedSingle(t *testing.T, path string) *Secured {
	env := newGuarded(t)
	return secure(env, path, env.Server.Guard(), "single", env.Server.Addr())
}

// securedSentinel returns a fleet on a guarded primary with two replicas and guarded Sentinels.
func securedSentinel(t *testing.T, path string) *Secured {
	env := newSentinel(t)
	s := secure(env, path, env.Sentinel.Nodes[0].Guard(), "sentinel", addresses(env.Sentinel.Sentinels)...)
	s.Env = append(s.Env, "CATBRIDGE_REDIS_MASTER_NAME="+redistest.MasterName,
		"CATBRIDGE_REDIS_SENTINEL_USERNAME=discover", "CATBRIDGE_REDIS_SENTINEL_PASSWORD_FILE="+s.file("discover.password"))
	return s
}

func addresses(processes []*redistest.Process) []string {
	var all []string
	for _, p := range processes {
		all = append(all, p.Addr())
	}
	return all
}

// NewSecured returns a fleet of the program at path on one guarded Redis whose users and
// certificates change.
func NewSecured(t *testing.T, path string) *Secured {
	env := newOpen(t)
	env.PasswordsChange = true
	return secure(env, path, env.Server.Guard(), "single", env.Server.Addr())
}

// secure makes a fleet of an environment on guarded nodes.
func secure(env *Environment, path string, guard *redistest.Guard, mode string, addresses ...string) *Secured {
	env.Profile = FastProfile()
	s := &Secured{Fleet: &Fleet{Environment: env, path: path}, dir: env.TempDir()}
	s.serveCDN()
	for _, user := range []Role{AsLeader, AsFollower, AsOperator, AsController, AsStatus, "discover"} {
		s.Write(string(user)+".password", user.User().Password)
	}
	s.Certify(guard.Authority)
	s.Env = append(at(mode, addresses...), certified(s.file("ca.crt"), redistest.Certificate{
		CertFile: s.file("client.crt"), KeyFile: s.file("client.key"),
	})...)
	return s
}

func (s *Secured) file(name string) string { return filepath.Join(s.dir, name) }

// Write replaces a file, such as leader.password.
func (s *Secured) Write(name, text string) {
	s.Helper()
	// Atomically, so that no process reads a part of it.
	if err := os.WriteFile(s.file(name+".new"), []byte(text), 0o600); err != nil {
		s.Fatal(err)
	}
	if err := os.Rename(s.file(name+".new"), s.file(name)); err != nil {
		s.Fatal(err)
	}
}

// Certify makes the processes use certificates of an authority.
func (s *Secured) Certify(authority *redistest.Authority) {
	s.Helper()
	c := authority.Issue(s.T, "client")
	for name, from := range map[string]string{"ca.crt": authority.CAFile, "client.crt": c.CertFile, "client.key": c.KeyFile} {
		text, err := os.ReadFile(from)
		if err != nil {
			s.Fatal(err)
		}
		s.Write(name, string(text))
	}
}

// As returns the environment variables with which a process logs in.
func (s *Secured) As(user Role) []string {
	return []string{"CATBRIDGE_REDIS_USERNAME=" + string(user), "CATBRIDGE_REDIS_PASSWORD_FILE=" + s.file(string(user)+".password")}
}

// Command runs the program to its end, and returns its output.
func (s *Secured) Command(user Role, args ...string) string {
	s.Helper()
	cmd := exec.CommandContext(s.Context(), s.path, args...)
	cmd.Env = append(append([]string{"CATBRIDGE_SDK_KEY=" + SDKKey}, s.Env...), s.As(user)...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		s.Errorf("catbridge %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	if HasSecret(out) || strings.Contains(string(out), user.User().Password) {
		s.Errorf("catbridge %s prints a secret:\n%s", strings.Join(args, " "), out)
	}
	return string(out)
}
