package harness

import (
	"strings"
	"testing"

	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/redis/go-redis/v9"
)

// OnCluster runs on a guarded cluster of three primaries with one replica each.
func OnCluster(t *testing.T, run func(env *Environment, cluster *redistest.Cluster)) {
	t.Helper()
	if testing.Short() {
		t.Skip("starts servers: not with -short")
	}
	t.Parallel()
	start := func(t *testing.T) *Environment {
		cluster := Guarded(t, "cluster.acl").StartCluster(t, 3, 1)
		env := onGuarded(t, cluster.ClientAs, cluster.Nodes()...)
		env.cluster = cluster
		env.UseProcesses()
		return env
	}
	InLanes(t, start, func(env *Environment) { run(env, env.cluster) })
}

// KeyOwner returns the primary that has the bridge's keys, and its replica.
func (env *Environment) KeyOwner(cluster *redistest.Cluster) (primary, replica *redistest.Process) {
	env.Helper()
	client := env.Admin.(*redis.ClusterClient)
	node, err := client.MasterForKey(env.Context(), env.Keys.Entry)
	if err != nil {
		env.Fatal(err)
	}
	for i, p := range cluster.Primaries {
		switch node.Options().Addr {
		case p.Addr():
			return p, cluster.Replicas[i]
		case cluster.Replicas[i].Addr():
			return cluster.Replicas[i], p
		}
	}
	env.Fatalf("no node has the address %s", node.Options().Addr)
	return nil, nil
}

// onGuarded is an environment on nodes that ask for certificates and users. It taps them,
// and they may refuse no command.
func onGuarded[C redis.UniversalClient](t *testing.T, clientAs func(testing.TB, redistest.User, *redistest.Link) C, nodes ...*redistest.Process) *Environment {
	t.Helper()
	connect := func(t testing.TB, as Role, link *redistest.Link) redis.UniversalClient {
		return clientAs(t, as.User(), link)
	}
	env := New(t, connect, RealProfile())
	for _, node := range nodes {
		env.Tap(node)
	}
	env.harmless(nodes...)
	return env
}

// harmless fails the test at its end if a node refused any command: the rights in
// deploy/acl are enough for every scenario.
func (env *Environment) harmless(nodes ...*redistest.Process) {
	env.Cleanup(func() {
		for _, node := range nodes {
			for _, denial := range node.Denials(env.T) {
				if env.PasswordsChange && strings.Contains(denial, ": auth ") {
					continue
				}
				env.Errorf("the node on port %d refused: %s", node.Port, denial)
			}
		}
	})
}

// OnTopologies runs on each supported kind of Redis, with certificates and users.
func OnTopologies(t *testing.T, run func(env *Environment)) {
	t.Helper()
	t.Parallel()
	t.Run("single", func(t *testing.T) {
		OnServer(t, func(env *Environment, _ *redistest.Process) { run(env) })
	})
	t.Run("Sentinel", func(t *testing.T) {
		OnSentinel(t, func(env *Environment, _ *redistest.Sentinel) { run(env) })
	})
	t.Run("cluster", func(t *testing.T) {
		OnCluster(t, func(env *Environment, _ *redistest.Cluster) { run(env) })
	})
}

// OnSentinel runs on a guarded primary with two replicas and guarded Sentinels.
func OnSentinel(t *testing.T, run func(env *Environment, sentinel *redistest.Sentinel)) {
	t.Helper()
	if testing.Short() {
		t.Skip("starts servers: not with -short")
	}
	t.Parallel()
	start := func(t *testing.T) *Environment {
		env := newSentinel(t)
		env.UseProcesses()
		return env
	}
	InLanes(t, start, func(env *Environment) { run(env, env.Sentinel) })
}

// newSentinel is an environment on a guarded primary with two replicas and guarded Sentinels.
func newSentinel(t *testing.T) *Environment {
	sentinel := Guarded(t, "replicated.acl").StartSentinel(t, 2)
	env := onGuarded(t, sentinel.ClientAs, sentinel.Nodes...)
	env.harmless(sentinel.Sentinels...)
	env.Sentinel = sentinel
	return env
}

// OnServer runs on one real redis-server, with further arguments, what no other server can
// do.
func OnServer(t *testing.T, run func(env *Environment, server *redistest.Process), args ...string) {
	t.Helper()
	t.Parallel()
	start := func(t *testing.T) *Environment { return newGuarded(t, args...) }
	InLanes(t, start, func(env *Environment) { run(env, env.Server) })
}

// newGuarded is an environment on one real Redis, with further arguments.
func newGuarded(t *testing.T, args ...string) *Environment {
	server := Guarded(t, "single.acl").Start(t, args...)
	env := onGuarded(t, server.ClientAs, server)
	env.Server = server
	return env
}
