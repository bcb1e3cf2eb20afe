package bench_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/catbridge/catbridge/follower"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/test/bench"
	"github.com/redis/go-redis/v9"
)

// Redis restarts, and all followers reconnect at once; the content has changed in the
// meantime.
func BenchmarkStorm(b *testing.B) {
	for _, followers := range pick([]int{300}, []int{1000, 5000}) {
		for _, transport := range pick(transports[:2], transports) {
			measure(b, "storm", func(m *measurement) { storm(m, followers, transport) }, "followers", followers, "transport", transport)
		}
	}
}

// transports are the ways in which followers connect. Kept TLS sessions save most of the
// handshake of a follower's second connection. The first connection after the restart has
// no session.
var transports = []string{"plain", "TLS", "TLS with sessions"}

func storm(m *measurement, followers int, transport string) {
	var guard *redistest.Guard
	if transport != "plain" {
		guard = &redistest.Guard{Authority: redistest.NewAuthority(m)}
	}
	s := startRedis(m, guard)
	b := startBridge(m, s, 10<<10, nil)
	wall, cpu := s.handshakes(m, followers)
	m.put("floor", "s", wall.Seconds())
	limit := max(stormLimit(), 6*wall)
	if transport == "TLS with sessions" {
		config := guard.Authority.ClientConfig(m)
		config.ClientSessionCache = tls.NewLRUClientSessionCache(0)
		s.opts.Dialer = (&tls.Dialer{Config: config}).DialContext
	}
	dials, begun := new(dialLog), time.Now()
	all := make([]*follower.Client, followers)
	for i := range all {
		all[i] = follow(m, s.clientThat(m, func(o *redis.Options) { o.Dialer = dials.through(o.Dialer) }))
	}
	defer closeAll(all)
	current := func(version int64) func() bool {
		return func() bool {
			return !slices.ContainsFunc(all, func(c *follower.Client) bool {
				return c.Stats().State != follower.StateLive || versionOf(c) != version
			})
		}
	}
	if !m.within(limit, current(b.cdn.version())) {
		m.put("behind", "1", count(all, b.cdn.version()))
		return
	}
	m.put("start", "s", time.Since(begun).Seconds())
	// Connections before Redis answers are refused, as on a machine without Redis.
	dials.refuse(true)
	s.Kill()
	version := b.cdn.publish()
	s.Restart(m)
	until(m, "the webhook is accepted", func() bool { return b.call() == http.StatusOK })
	until(m, "Redis is back", func() bool { return s.admin.Ping(m.Context()).Err() == nil })
	used, start := ownCPU(m)+s.usage(m).cpu, time.Now()
	dials.refuse(false)
	subscribed := func() bool {
		return !slices.ContainsFunc(all, func(c *follower.Client) bool { return c.Stats().State != follower.StateLive })
	}
	if m.within(limit, subscribed) {
		m.put("connected", "s", time.Since(start).Seconds())
	}
	if m.within(limit, current(version)) {
		m.put("current", "s", time.Since(start).Seconds())
	}
	m.put("cpu-to-floor", "1", (ownCPU(m)+s.usage(m).cpu-used)/cpu)
	m.put("behind", "1", count(all, version))
	m.put("peak-connects", "1/s", dials.peak(start))
	m.put("connects", "1", dials.count(start))
	m.put("failed-connects", "1", dials.failed(start))
	m.put("redis-memory-peak", "B", s.usage(m).peak)
}

// handshakes is the floor of a storm: it makes n connections and waits for the first answer
// on each, with enough goroutines to use all processors. It returns the wall time, and the
// CPU time of both ends.
func (s *server) handshakes(m *measurement, n int) (wall time.Duration, cpu float64) {
	used, start := ownCPU(m)+s.usage(m).cpu, time.Now()
	conns := make(chan net.Conn, n)
	var left atomic.Int64
	left.Store(int64(n))
	var group sync.WaitGroup
	for range 4 * runtime.GOMAXPROCS(0) {
		group.Go(func() {
			for left.Add(-1) >= 0 {
				conn, err := s.opts.Dialer(m.Context(), s.opts.Network, s.opts.Addr)
				if err == nil {
					conns <- conn
					_, err = conn.Write([]byte("PING\r\n"))
				}
				if err == nil {
					_, err = bufio.NewReader(conn).ReadString('\n')
				}
				if err != nil {
					m.Errorf("a connection: %v", err)
				}
			}
		})
	}
	group.Wait()
	wall, cpu = time.Since(start), ownCPU(m)+s.usage(m).cpu-used
	close(conns)
	for conn := range conns {
		_ = conn.Close()
	}
	return wall, cpu
}

// stormLimit is the minimum time to wait for a storm. A storm that is not over then, nor
// after six times its floor, may never end.
func stormLimit() time.Duration { return pick(25*time.Second, 90*time.Second) }

// within waits until a condition holds, and reports whether it did within the limit.
func (m *measurement) within(limit time.Duration, holds func() bool) bool {
	tick, over := time.NewTicker(5*time.Millisecond), time.After(limit)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-over:
			return false
		case <-m.Context().Done():
			return false
		}
	}
	return true
}

// count returns the number of followers that do not have that version.
func count(all []*follower.Client, version int64) (behind float64) {
	for _, c := range all {
		if versionOf(c) != version {
			behind++
		}
	}
	return behind
}

// dialLog records when connections were made.
type dialLog struct {
	mu      sync.Mutex
	at      []time.Time
	failing []time.Time
	refused bool
}

var errRefused = errors.New("connection refused")

// through returns a dialer whose connections are recorded.
func (l *dialLog) through(dial dialer) dialer {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		l.mu.Lock()
		refused := l.refused
		l.mu.Unlock()
		if refused {
			return nil, errRefused
		}
		conn, err := dial(ctx, network, addr)
		l.mu.Lock()
		defer l.mu.Unlock()
		if err == nil {
			l.at = append(l.at, time.Now())
		} else {
			l.failing = append(l.failing, time.Now())
		}
		return conn, err
	}
}

// refuse sets whether connections are refused.
func (l *dialLog) refuse(yes bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refused = yes
}

func (l *dialLog) since(start time.Time) []time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return after(start, l.at)
}

// failed returns the number of failed attempts to connect.
func (l *dialLog) failed(start time.Time) float64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return float64(len(after(start, l.failing)))
}

func after(start time.Time, times []time.Time) []time.Time {
	return slices.DeleteFunc(slices.Clone(times), func(at time.Time) bool { return at.Before(start) })
}

func (l *dialLog) count(start time.Time) float64 { return float64(len(l.since(start))) }

// peak returns the maximum number of connections within any 100 ms, as a rate.
func (l *dialLog) peak(start time.Time) float64 {
	const window = 100 * time.Millisecond
	return bench.Peak(l.since(start), window) / window.Seconds()
}
