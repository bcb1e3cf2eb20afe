package bench_test

import (
	"context"
	"net"
	"strconv"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/redis/go-redis/v9"
)

// maxClients is what the usual limit of 20,000 open files allows.
const maxClients = 19_900

// server is the Redis of a measurement.
type server struct {
	*redistest.Process
	admin *redis.Client
	opts  redis.Options // for all other clients
}

func startRedis(t testing.TB, guard *redistest.Guard) *server {
	t.Helper()
	s := &server{Process: guard.Start(t, "--maxclients", strconv.Itoa(maxClients), "--tcp-backlog", "4096")}
	s.admin = s.Client(t, nil)
	s.opts = *s.admin.Options()
	return s
}

// client returns a client with its own pool of a few connections.
func (s *server) client(t testing.TB) *redis.Client {
	t.Helper()
	return s.clientThat(t, func(*redis.Options) {})
}

func (s *server) clientThat(t testing.TB, change func(*redis.Options)) *redis.Client {
	t.Helper()
	opts := s.opts
	sparing(&opts)
	change(&opts)
	client := redis.NewClient(&opts)
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// sparing makes a client need little memory: the test has thousands of them. A service may have
// other settings.
func sparing(opts *redis.Options) {
	opts.PoolSize = 4
	opts.ReadBufferSize, opts.WriteBufferSize, opts.PipelinePoolSize = 4<<10, 4<<10, -1
}

// usage is what Redis has used since its start.
type usage struct {
	cpu      float64 // s
	in, out  float64 // bytes
	commands float64
	calls    float64 // of EVALSHA
	callTime float64 // µs, of EVALSHA
	memory   float64 // bytes, now
	peak     float64 // bytes
	clients  float64 // now
}

func (s *server) usage(t testing.TB) usage {
	t.Helper()
	text, err := s.admin.Info(context.Background(), "cpu", "stats", "memory", "clients", "commandstats").Result()
	if err != nil {
		t.Fatalf("INFO: %v", err)
	}
	fields := map[string]string{}
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			fields[name] = value
		}
	}
	number := func(name string) float64 {
		n, err := strconv.ParseFloat(fields[name], 64)
		if err != nil {
			t.Fatalf("INFO: %s: %v", name, err)
		}
		return n
	}
	u := usage{
		cpu: number("used_cpu_sys") + number("used_cpu_user"), in: number("total_net_input_bytes"), out: number("total_net_output_bytes"),
		commands: number("total_commands_processed"), memory: number("used_memory"), peak: number("used_memory_peak"),
		clients: number("connected_clients"),
	}
	for field := range strings.SplitSeq(fields["cmdstat_evalsha"], ",") {
		name, value, _ := strings.Cut(field, "=")
		switch n, _ := strconv.ParseFloat(value, 64); name {
		case "calls":
			u.calls = n
		case "usec":
			u.callTime = n
		}
	}
	return u
}

// since returns the usage since before, less the cost of the command that asks for it.
func (u usage) since(before, asking usage) usage {
	u.cpu = max(u.cpu-before.cpu-asking.cpu, 0)
	u.in, u.out = u.in-before.in-asking.in, u.out-before.out-asking.out
	u.commands -= before.commands + asking.commands
	u.calls, u.callTime = u.calls-before.calls, u.callTime-before.callTime
	return u
}

func (u usage) plus(other usage) usage {
	u.cpu += other.cpu
	u.in, u.out = u.in+other.in, u.out+other.out
	u.commands += other.commands
	return u
}

// asking returns the cost of usage itself.
func (s *server) asking(t testing.TB) usage {
	t.Helper()
	first := s.usage(t)
	const tries = 5
	var last usage
	for range tries {
		last = s.usage(t)
	}
	cost := last.since(first, usage{})
	cost.cpu, cost.in, cost.out, cost.commands = cost.cpu/tries, cost.in/tries, cost.out/tries, cost.commands/tries
	return cost
}

type dialer = func(ctx context.Context, network, addr string) (net.Conn, error)
