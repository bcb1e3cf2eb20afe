package e2e

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/test/harness"
	"github.com/redis/go-redis/v9"
)

// rights are the commands that each user in a file of deploy/acl may run.
type rights map[harness.Role]string

const (
	leaderCommands     = "eval evalsha get set del getrange setrange pttl pexpire hmget hset hincrby xadd xrevrange xtrim time publish subscribe ping zrange pubsub|numsub"
	followerCommands   = "get getrange hmget subscribe ping"
	reporterCommands   = followerCommands + " zadd zremrangebyscore"
	serveCommands      = reporterCommands + " eval evalsha set hincrby publish pttl zrange xrevrange time pubsub|numsub"
	statusCommands     = "get getrange pttl hmget zrange xrevrange time pubsub|numsub ping"
	operatorCommands   = statusCommands + " eval evalsha hincrby publish"
	controllerCommands = operatorCommands + " set del"
	replicaCommands    = "psync replconf ping"
	sentinelCommands   = "ping info role publish subscribe slaveof multi exec config|rewrite client|setname client|kill script|kill"
	// These come before the login, and are refused to no client. A Sentinel has only some.
	freeCommands = " auth hello quit reset"
)

var rightsByFile = map[string]rights{
	"single.acl": {
		"default": "", harness.AsLeader: leaderCommands, harness.AsFollower: followerCommands, harness.AsReporter: reporterCommands, harness.AsServe: serveCommands,
		harness.AsOperator: operatorCommands, harness.AsController: controllerCommands, harness.AsStatus: statusCommands,
	},
	"replicated.acl": {
		"default": "", harness.AsLeader: leaderCommands, harness.AsFollower: followerCommands, harness.AsReporter: reporterCommands, harness.AsServe: serveCommands,
		harness.AsOperator: operatorCommands, harness.AsController: controllerCommands, harness.AsStatus: statusCommands, "replica": replicaCommands, "sentinel": sentinelCommands,
	},
	"cluster.acl": {
		"default": "", "replica": replicaCommands,
		harness.AsLeader:     leaderCommands + " command cluster|slots asking",
		harness.AsFollower:   followerCommands + " command cluster|slots asking readonly",
		harness.AsReporter:   reporterCommands + " command cluster|slots asking readonly",
		harness.AsServe:      serveCommands + " command cluster|slots asking readonly",
		harness.AsOperator:   operatorCommands + " command cluster|slots asking",
		harness.AsController: controllerCommands + " command cluster|slots asking",
		harness.AsStatus:     statusCommands + " command cluster|slots asking",
	},
	"sentinel.acl": {
		"default":  "",
		"sentinel": "ping publish client|setname sentinel|is-master-down-by-addr",
		"discover": "ping subscribe sentinel|get-master-addr-by-name sentinel|sentinels",
	},
}

// forEachACL starts a server of the right kind for each file of deploy/acl.
func forEachACL(t *testing.T, run func(t *testing.T, file string, admin *redis.Client)) {
	t.Helper()
	for file := range rightsByFile {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			server := func() *redistest.Process {
				switch file {
				case "sentinel.acl":
					return harness.Guarded(t, "replicated.acl").StartSentinel(t, 0).Sentinels[0]
				case "cluster.acl":
					return harness.Guarded(t, file).StartCluster(t, 1, 0).Primaries[0]
				}
				return harness.Guarded(t, file).Start(t)
			}
			run(t, file, server().Client(t, nil))
		})
	}
}

// Of all commands of the server, each user may run exactly those that it needs.
func TestUsersMayRunOnlyTheirCommands(t *testing.T) {
	harness.Real(t)
	forEachACL(t, func(t *testing.T, file string, admin *redis.Client) {
		all := commands(t, admin)
		for user, allowed := range rightsByFile[file] {
			var may []string
			for name, arity := range all {
				if mayRun(t, admin, user, name, arity) {
					may = append(may, name)
				}
			}
			slices.Sort(may)
			// A user who may list commands may use each subcommand that does.
			may = slices.DeleteFunc(may, func(name string) bool { return strings.HasPrefix(name, "command|") })
			want := slices.DeleteFunc(strings.Fields(allowed+freeCommands), func(name string) bool { return all[name] == 0 })
			slices.Sort(want)
			if !slices.Equal(may, want) {
				t.Errorf("%s may run\n%q, want\n%q", user, may, want)
			}
		}
		t.Logf("%d commands", len(all))
	})
}

// No file has a user that this test does not list, no client gets in without a password,
// and only the administrator may do everything.
func TestACLFilesHaveOnlyTheListedUsers(t *testing.T) {
	harness.Real(t)
	forEachACL(t, func(t *testing.T, file string, admin *redis.Client) {
		have, err := admin.ACLUsers(t.Context()).Result()
		if err != nil {
			t.Fatal(err)
		}
		want := append(slices.Collect(maps.Keys(rightsByFile[file])), harness.AsAdmin)
		for _, user := range have {
			if !slices.Contains(want, harness.Role(user)) {
				t.Errorf("unknown user %s", user)
			}
			about := fmt.Sprint(admin.Do(t.Context(), "ACL", "GETUSER", user).Val())
			if strings.Contains(about, "nopass") || user == "default" && !strings.Contains(about, "off") {
				t.Errorf("%s needs no password: %s", user, about)
			}
		}
		if len(have) != len(want) {
			t.Errorf("users %q, want %q", have, want)
		}
	})
}

// commands returns all commands of the server, with their subcommands, and the minimum
// number of arguments of each, its name included.
func commands(t *testing.T, admin *redis.Client) map[string]int {
	t.Helper()
	reply, err := admin.Do(t.Context(), "COMMAND").Slice()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]int{}
	for _, entry := range reply {
		about := entry.([]any)
		subcommands := about[9].([]any)
		if len(subcommands) == 0 {
			all[about[0].(string)] = arityOf(about)
		}
		for _, sub := range subcommands {
			all[sub.([]any)[0].(string)] = arityOf(sub.([]any))
		}
	}
	// The only container command that works without a subcommand.
	all["command"] = 1
	if len(all) < 50 {
		t.Fatalf("%d commands", len(all))
	}
	return all
}

func arityOf(about []any) int {
	arity := about[1].(int64)
	return int(max(arity, -arity))
}

// mayRun asks the server whether a user may run a command on a key of the bridge. If only
// the key is refused, it returns true.
func mayRun(t *testing.T, admin *redis.Client, user harness.Role, name string, arity int) bool {
	t.Helper()
	args := []any{"ACL", "DRYRUN", string(user)}
	parts := strings.Split(name, "|")
	for _, part := range parts {
		args = append(args, part)
	}
	for range arity - len(parts) {
		args = append(args, cachekeys.Key(harness.SDKKey))
	}
	answer, err := admin.Do(t.Context(), args...).Text()
	if err != nil {
		t.Fatalf("%s %s: %v", user, name, err)
	}
	return !strings.Contains(answer, "no permissions to run the '")
}

// No user of the bridge may access other keys and channels, and followers may not change
// those of the bridge.
func TestUsersAccessOnlyTheKeysTheyNeed(t *testing.T) {
	harness.Real(t)
	k := cachekeys.For(harness.SDKKey, "", 0)
	everybody := []harness.Role{harness.AsLeader, harness.AsFollower, harness.AsReporter, harness.AsServe, harness.AsOperator, harness.AsController, harness.AsStatus}
	operators := []harness.Role{harness.AsLeader, harness.AsOperator, harness.AsController}
	askers := append(slices.Clone(operators), harness.AsServe)
	controllers := []harness.Role{harness.AsLeader, harness.AsController}
	cases := []struct {
		command string
		may     []harness.Role
	}{
		{"GET " + k.Entry, everybody},
		{"GET " + k.Blob, everybody},
		{"GETRANGE " + k.Entry + " 0 1", everybody},
		{"GETRANGE " + k.Blob + " 0 1", everybody},
		{"HMGET " + k.Meta + " rev", everybody},
		{"SUBSCRIBE " + k.Events, []harness.Role{harness.AsLeader, harness.AsFollower, harness.AsReporter, harness.AsServe}},
		{"SET " + k.Entry + " x", []harness.Role{harness.AsLeader}},
		{"SET " + k.Lock + " x", []harness.Role{harness.AsLeader}},
		{"DEL " + k.Lock, []harness.Role{harness.AsLeader}},
		{"SETRANGE " + k.Blob + " 0 x", []harness.Role{harness.AsLeader}},
		{"HINCRBY " + k.Meta + " refresh 1", askers},
		{"PUBLISH " + k.Events + " x", askers},
		{"EVAL script 1 " + k.Meta, askers},
		{"EVAL script 3 " + k.Control + " " + k.Pinned + " " + k.Meta, controllers},
		{"EVAL script 4 " + k.Control + " " + k.Pinned + " " + k.Meta + " " + k.Lock, []harness.Role{harness.AsLeader}},
		{"SET " + k.Control + " x", controllers},
		{"SET " + k.Pinned + " x", controllers},
		{"DEL " + k.Pinned, controllers},
		{"SET " + k.Source + " x", []harness.Role{harness.AsLeader}},
		{"DEL " + k.Source, []harness.Role{harness.AsLeader}},
		{"DEL " + k.History, []harness.Role{harness.AsLeader}},
		{"GETRANGE " + k.Control + " 0 1", everybody},
		{"GETRANGE " + k.Source + " 0 1", everybody},
		{"EVAL script 1 " + k.Lock, []harness.Role{harness.AsLeader}},
		{"EVAL script 2 " + k.Meta + " " + k.Entry, []harness.Role{harness.AsLeader}},
		{"EVAL script 2 " + k.Meta + " " + k.Hook("x"), []harness.Role{harness.AsLeader, harness.AsServe}},
		{"SET " + k.Hook("x") + " x", []harness.Role{harness.AsLeader, harness.AsServe}},
		{"ZADD " + k.Fleet + " 1 x", []harness.Role{harness.AsReporter, harness.AsServe}},
		{"ZADD " + k.Meta + " 1 x", []harness.Role{harness.AsServe}},
		{"ZRANGE " + k.Fleet + " 0 -1", []harness.Role{harness.AsLeader, harness.AsServe, harness.AsOperator, harness.AsController, harness.AsStatus}},
		{"GET somebody:else", nil},
		{"GET " + k.Entry + "x", nil},
		{"GET " + k.Entry[1:], nil},
		{"GET catbridge:" + k.Entry + ":blob", nil},
		{"HMGET catbridge rev", nil},
		{"SET somebody:else x", nil},
		{"EVAL script 1 somebody:else", nil},
		{"SUBSCRIBE somebody:else", nil},
		{"SUBSCRIBE " + k.Meta, nil},
		{"SUBSCRIBE __keyspace@0__:x", nil},
		{"PUBLISH somebody:else x", nil},
		{"PUBLISH __sentinel__:hello x", nil},
		{"PUBLISH " + k.Lock + " x", nil},
	}
	forEachACL(t, func(t *testing.T, file string, admin *redis.Client) {
		for _, c := range cases {
			for user := range rightsByFile[file] {
				may := slices.Contains(c.may, user)
				if user == "sentinel" && c.command == "PUBLISH __sentinel__:hello x" {
					may = true
				}
				args := []any{"ACL", "DRYRUN", string(user)}
				for arg := range strings.FieldsSeq(c.command) {
					args = append(args, arg)
				}
				answer, err := admin.Do(t.Context(), args...).Text()
				if unknown := err != nil && file == "sentinel.acl"; unknown && strings.Contains(err.Error(), "not found") {
					continue // Sentinels have few commands
				}
				if err != nil || (answer == "OK") != may {
					t.Errorf("%s: %s: %q, %v", user, c.command, answer, err)
				}
			}
		}
	})
}
