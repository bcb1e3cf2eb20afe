package test

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/redis/go-redis/v9"
)

// role is the user with which a client logs in, if Redis asks for one. Its values are users
// in the files of deploy/acl.
type role string

const (
	asAdmin    role = "admin"
	asLeader   role = "leader"
	asFollower role = "follower"
	asReporter role = "reporter"
	asOperator role = "operator"
	asStatus   role = "status"
)

func (r role) user() redistest.User {
	return redistest.User{Name: string(r), Password: "of-" + string(r)}
}

var passwordMark = regexp.MustCompile(`#([a-z]+)-password-sha256`)

// aclFile returns one of the files of deploy/acl, with the passwords of the tests.
func aclFile(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../deploy/acl", name))
	if err != nil {
		t.Fatal(err)
	}
	return passwordMark.ReplaceAllStringFunc(string(text), func(mark string) string {
		user := role(passwordMark.FindStringSubmatch(mark)[1]).user()
		sum := sha256.Sum256([]byte(user.Password))
		return "#" + hex.EncodeToString(sum[:])
	})
}

// guarded makes Redis nodes ask for certificates, and for the users in a file of
// deploy/acl.
func guarded(t testing.TB, nodes string) *redistest.Guard {
	t.Helper()
	return &redistest.Guard{
		Authority: redistest.NewAuthority(t),
		Nodes:     aclFile(t, nodes), Sentinels: aclFile(t, "sentinel.acl"),
		Admin: asAdmin.user(), Replica: role("replica").user(), Sentinel: role("sentinel").user(), Discover: role("discover").user(),
	}
}

// onGuarded is an environment on nodes that ask for certificates and users. It taps them,
// and they may refuse no command.
func onGuarded[C redis.UniversalClient](t *testing.T, clientAs func(testing.TB, redistest.User, *redistest.Link) C, nodes ...*redistest.Process) *environment {
	t.Helper()
	connect := func(t testing.TB, as role, link *redistest.Link) redis.UniversalClient {
		return clientAs(t, as.user(), link)
	}
	env := newEnvironment(t, connect, realProfile())
	for _, node := range nodes {
		env.tap(node)
	}
	env.harmless(nodes...)
	return env
}

// harmless fails the test at its end if a node refused any command: the rights in
// deploy/acl are enough for every scenario.
func (env *environment) harmless(nodes ...*redistest.Process) {
	env.Cleanup(func() {
		for _, node := range nodes {
			for _, denial := range node.Denials(env.T) {
				if env.late && strings.Contains(denial, ": auth ") {
					continue
				}
				env.Errorf("the node on port %d refused: %s", node.Port, denial)
			}
		}
	})
}
