package test

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/test/redistest"
	"github.com/redis/go-redis/v9"
)

// role is as whom a client logs in where Redis asks for it. Each is the name of a user
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

// aclFile is one of the files of deploy/acl, with the passwords of the tests.
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

// guarded has Redis nodes ask for certificates, and for the users of a file of deploy/acl.
func guarded(t testing.TB, nodes string) *redistest.Guard {
	t.Helper()
	return &redistest.Guard{
		Authority: redistest.NewAuthority(t),
		Nodes:     aclFile(t, nodes), Sentinels: aclFile(t, "sentinel.acl"),
		Admin: asAdmin.user(), Replica: role("replica").user(), Sentinel: role("sentinel").user(), Discover: role("discover").user(),
	}
}

// onGuarded is a world on nodes that ask for certificates and users. They are tapped, and
// may refuse nothing.
func onGuarded[C redis.UniversalClient](t *testing.T, clientAs func(testing.TB, redistest.User, *redistest.Link) C, nodes ...*redistest.Process) *world {
	t.Helper()
	connect := func(t testing.TB, as role, link *redistest.Link) redis.UniversalClient {
		return clientAs(t, as.user(), link)
	}
	w := newWorld(t, connect, realProfile(), false)
	for _, node := range nodes {
		w.tap(node)
	}
	w.harmless(nodes...)
	return w
}

// harmless fails the test at its end if a node refused anything to anybody: the rights in
// deploy/acl are enough for all that goes on in a world.
func (w *world) harmless(nodes ...*redistest.Process) {
	w.Cleanup(func() {
		for _, node := range nodes {
			for _, denial := range node.Denials(w.T) {
				if w.late && strings.Contains(denial, ": auth ") {
					continue
				}
				w.Errorf("the node on port %d refused: %s", node.Port, denial)
			}
		}
	})
}
