package bench_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/catbridge/catbridge/follower"
	"github.com/catbridge/catbridge/leader"
	"github.com/catbridge/catbridge/test/bench"
	"github.com/redis/go-redis/v9"
)

// fleetCase is a change that reaches followers in several processes, as a patch or without.
type fleetCase struct {
	*measurement
	followers, processes, bytes, rounds int
	edit                                bench.Edit
	patches, window                     bool
}

// Changes that differ in size reach followers in several processes.
func BenchmarkPatches(b *testing.B) {
	const kb10, mb = 10 << 10, 1 << 20
	cases := []fleetCase{
		{bytes: kb10, edit: bench.OneFlag, patches: true, rounds: 10},
		{bytes: kb10, edit: bench.OneFlag, patches: true, window: true, rounds: 5},
		{bytes: mb, edit: bench.OneFlag, patches: true, rounds: 10},
		{bytes: mb, edit: bench.OneFlag, rounds: 5},
		{bytes: mb, edit: bench.TenFlags, patches: true, rounds: 5},
		{bytes: mb, edit: bench.TenFlags, rounds: 5},
		{bytes: mb, edit: bench.Segment, patches: true, rounds: 5},
		{bytes: mb, edit: bench.Segment, rounds: 5},
		{bytes: mb, edit: bench.Half, patches: true, rounds: 5},
		{bytes: mb, edit: bench.Half, rounds: 5},
		{bytes: mb, edit: bench.OneFlag, patches: true, window: true, rounds: 5},
		{bytes: mb, edit: bench.OneFlag, window: true, rounds: 2},
		{bytes: mb, edit: bench.Half, patches: true, window: true, rounds: 2},
		{followers: 5000, bytes: kb10, edit: bench.OneFlag, patches: true, rounds: 3},
		{followers: 5000, bytes: mb, edit: bench.OneFlag, patches: true, rounds: 3},
		{followers: 5000, bytes: mb, edit: bench.OneFlag, rounds: 3},
	}
	if !*full {
		cases = []fleetCase{cases[0], cases[2], cases[3]}
	}
	for _, c := range cases {
		if c.followers == 0 {
			c.followers = pick(60, 1000)
		}
		c.processes = pick(3, 10)
		measure(b, "patches", func(m *measurement) {
			c.measurement, c.rounds = m, pick(2, c.rounds)
			c.run()
		}, "followers", c.followers, "bytes", c.bytes, "edit", c.edit, "patches", yes(c.patches), "window", yes(c.window))
	}
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func (c *fleetCase) run() {
	s := startRedis(c, nil)
	b := startBridge(c, s, c.bytes, func(cfg *leader.Config) {
		if !c.window {
			cfg.ReadBudget = noSpread
		}
		if !c.patches {
			cfg.Redis = withoutPatches(s.client(c))
		}
	})
	b.cdn.edit = c.edit
	fleet := c.startFleet(s)
	c.change(b, fleet) // to make connections and load scripts
	pause(c, fetchGap)
	c.change(b, fleet) // the first that is the edit alone
	asking := s.asking(c)
	var all, last []float64
	var used usage
	cpu := 0.0
	for range c.rounds {
		pause(c, fetchGap)
		before, idle := s.usage(c), processors(fleet)
		times := bench.Milliseconds(c.change(b, fleet))
		used = used.plus(s.usage(c).since(before, asking))
		cpu += processors(fleet) - idle
		all, last = append(all, times...), append(last, slices.Max(times))
	}
	rounds, followers := float64(c.rounds), float64(c.followers)
	c.put("p50", "ms", bench.Median(all))
	c.put("p99", "ms", bench.Percentile(all, 0.99))
	c.put("last", "ms", bench.Median(last))
	c.put("cpu-follower", "µs", 1e6*cpu/rounds/followers)
	c.put("redis-cpu", "ms", 1000*used.cpu/rounds)
	c.put("redis-out", "B", used.out/rounds)
	c.put("redis-out-follower", "B", used.out/rounds/followers)
	c.put("redis-memory-peak", "B", s.usage(c).peak)
}

// startFleet starts the processes with the followers.
func (c *fleetCase) startFleet(s *server) []*child {
	fleet := make([]*child, c.processes)
	for i := range fleet {
		fleet[i] = startChild(c, childConfig{Redis: s.Addr(), Followers: c.followers / c.processes})
	}
	return fleet
}

// change publishes a version, sends a webhook, and returns the time until each follower has it.
func (c *fleetCase) change(b *bridge, fleet []*child) (took []time.Duration) {
	version := b.cdn.publish()
	start := time.Now()
	if status := b.call(); status != http.StatusOK {
		c.Fatalf("the webhook was answered by %d", status)
	}
	var mu sync.Mutex
	var reading sync.WaitGroup
	for _, process := range fleet {
		reading.Go(func() {
			for process.out.Scan() {
				var a arrivals
				if err := json.Unmarshal(process.out.Bytes(), &a); err != nil {
					c.Errorf("a child process said %.100q: %v", process.out.Text(), err)
					return
				}
				if a.Version != version {
					continue
				}
				mu.Lock()
				for _, at := range a.At {
					took = append(took, time.Duration(at-start.UnixNano()))
				}
				mu.Unlock()
				return
			}
		})
	}
	done := make(chan struct{})
	go func() { reading.Wait(); close(done) }()
	select {
	case <-done:
	case <-c.Context().Done():
		for _, process := range fleet {
			process.stop() // which ends the reading
		}
		<-done
	}
	if len(took) != c.followers {
		c.Fatalf("%d of %d followers have version %d: %v", len(took), c.followers, version, context.Cause(c.Context()))
	}
	return took
}

func processors(fleet []*child) (cpu float64) {
	for _, process := range fleet {
		cpu += process.cpu()
	}
	return cpu
}

// withoutPatches returns the client of a leader that publishes and stores no patches.
func withoutPatches(client *redis.Client) *redis.Client {
	client.AddHook(stripPatches{})
	return client
}

type stripPatches struct{}

func (stripPatches) DialHook(next redis.DialHook) redis.DialHook { return next }

func (stripPatches) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		strip(cmd)
		return next(ctx, cmd)
	}
}

func (stripPatches) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		for _, cmd := range cmds {
			strip(cmd)
		}
		return next(ctx, cmds)
	}
}

var (
	patchFields = regexp.MustCompile(` (base=[0-9a-f]+|patches=[0-9]+)`)
	contentHash = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

// strip removes patches from the arguments of a script that publishes a message.
func strip(cmd redis.Cmder) {
	args := cmd.Args()
	at := slices.IndexFunc(args, func(arg any) bool {
		text, _ := arg.(string)
		return strings.HasPrefix(text, " hash=") // the fields of the message
	})
	if at < 0 {
		return
	}
	fields := args[at].(string)
	args[at] = patchFields.ReplaceAllString(fields, "")
	from := strings.Contains(fields, " base=") // then the first other hash is that of the base
	for i, arg := range args {
		switch arg := arg.(type) {
		case string:
			if from && contentHash.MatchString(arg) && !strings.Contains(fields, arg) {
				args[i], from = "", false
			}
		case []byte:
			if bytes.HasPrefix(arg, []byte("\npatch\n")) { // the content of the message
				args[i] = ""
			}
		}
	}
}

// A follower comes back after it missed a change.
func BenchmarkMissed(b *testing.B) {
	for _, patches := range []bool{true, false} {
		measure(b, "missed", func(m *measurement) { missed(m, 1<<20, pick(2, 10), patches) }, "bytes", 1<<20, "patches", yes(patches))
	}
}

func missed(m *measurement, size, rounds int, patches bool) {
	s, wires := startRedis(m, nil), new(cable)
	b := startBridge(m, s, size, func(cfg *leader.Config) {
		if !patches {
			cfg.Redis = withoutPatches(s.client(m))
		}
	})
	c, err := follower.New(follower.Config{
		SDKKey: sdkKey, Redis: s.clientThat(m, func(o *redis.Options) { o.Dialer = wires.through(o.Dialer) }),
		MaxInitWait: -1, Logger: slog.New(slog.DiscardHandler), // it loses Redis each time
	})
	if err != nil {
		m.Fatal(err)
	}
	m.Cleanup(c.Close)
	awaitReady(m, c)
	var took []time.Duration
	var read []float64
	for range rounds {
		wires.cut()
		pause(m, fetchGap)
		version, commits := b.cdn.publish(), b.leader.Stats().Keys[0].Commits
		if status := b.call(); status != http.StatusOK {
			m.Fatalf("the webhook was answered by %d", status)
		}
		until(m, "the change is in Redis", func() bool { return b.leader.Stats().Keys[0].Commits > commits })
		start := time.Now()
		wires.repair()
		until(m, "the follower has the change", func() bool { return versionOf(c) == version })
		took, read = append(took, time.Since(start)), append(read, float64(wires.read.Load()))
	}
	if patched := c.Stats().Patched; (patched > 0) != patches {
		m.Fatalf("%d contents were made of patches", patched)
	}
	m.put("read", "B", bench.Median(read))
	m.put("current", "ms", bench.Median(bench.Milliseconds(took)))
	c.Close()
}
