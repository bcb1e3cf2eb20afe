package harness

import (
	"testing"

	"github.com/catbridge/catbridge/internal/testenv/aclfile"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
)

// Role is the user with which a client logs in, if Redis asks for one. Its values are users
// in the files of deploy/acl.
type Role string

// The users of clients.
const (
	AsAdmin    Role = "admin"
	AsLeader   Role = "leader"
	AsFollower Role = "follower"
	AsReporter Role = "reporter"
	AsServe    Role = "serve"
	AsOperator Role = "operator"
	// AsController is an operator who pins and forces.
	AsController Role = "controller"
	AsStatus     Role = "status"
)

// User returns the user with its password in the tests.
func (r Role) User() redistest.User {
	return redistest.User{Name: string(r), Password: "of-" + string(r)}
}

// aclFile returns one of the files of deploy/acl, with the passwords of the tests.
func aclFile(t testing.TB, name string) string {
	t.Helper()
	return aclfile.Read(t, name, func(user string) string { return Role(user).User().Password })
}

// Guarded makes Redis nodes ask for certificates, and for the users in a file of
// deploy/acl.
func Guarded(t testing.TB, nodes string) *redistest.Guard {
	t.Helper()
	return &redistest.Guard{
		Authority: redistest.NewAuthority(t),
		Nodes:     aclFile(t, nodes), Sentinels: aclFile(t, "sentinel.acl"),
		Admin: AsAdmin.User(), Replica: Role("replica").User(), Sentinel: Role("sentinel").User(), Discover: Role("discover").User(),
	}
}

// SetUser changes the rules of a user of Redis.
func (env *Environment) SetUser(user Role, rules ...string) {
	env.Helper()
	args := []any{"ACL", "SETUSER", string(user)}
	for _, rule := range rules {
		args = append(args, rule)
	}
	if err := env.Admin.Do(env.Context(), args...).Err(); err != nil {
		env.Fatal(err)
	}
}

// DisconnectUser closes all connections of a user.
func (env *Environment) DisconnectUser(user Role) {
	env.Helper()
	if err := env.Admin.Do(env.Context(), "CLIENT", "KILL", "USER", string(user)).Err(); err != nil {
		env.Fatal(err)
	}
}

// ClearRefusals discards the refusals in Redis's ACL log: the test caused them.
func (env *Environment) ClearRefusals() {
	env.Helper()
	if err := env.Admin.ACLLogReset(env.Context()).Err(); err != nil {
		env.Fatal(err)
	}
}
