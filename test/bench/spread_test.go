package bench_test

import (
	"context"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	protocol "github.com/alicebob/miniredis/v2/server"
	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/follower"
	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/internal/wire"
	"github.com/catbridge/catbridge/leader"
	"github.com/catbridge/catbridge/test/bench"
	"github.com/redis/go-redis/v9"
)

// crowd is a simulation in virtual time: a leader and many followers. The leader knows only
// how many subscribers its messages reach.
type crowd struct {
	followers int
	bytes     int   // of the config
	budget    int64 // of the leader, bytes/s
}

// outcome is the result of one change.
type outcome struct {
	window time.Duration // that the leader announced
	stored float64       // bytes that each follower reads
	reads  []time.Time
	change time.Time
}

// I12: after a change the reads of all followers together stay within the budget in each
// tenth of the window. The reads are at random moments, so one change in a thousand may
// exceed it, but not two of two.
func TestReadsAfterAChangeStayWithinTheBudget(t *testing.T) {
	crowds := []crowd{{1000, 20 << 10, 1_000_000}}
	switch {
	case raceDetector: // which is limited to about 8,000 goroutines
		crowds[0].followers = 200
	case *full:
		crowds = append(crowds, crowd{3000, 20 << 10, 50_000_000}, crowd{6000, 20 << 10, 50_000_000})
	}
	for _, c := range crowds {
		synctest.Test(t, func(t *testing.T) {
			o := c.run(t)
			rate, mean := o.rates()
			if rate > float64(c.budget) {
				t.Logf("%.2f MB/s within a tenth of the window, once more", rate/1e6)
				o = c.run(t)
				rate, mean = o.rates()
			}
			t.Logf("%d followers, %.0f bytes each: a window of %v, %.2f MB/s within any tenth of it, %.2f MB/s on the whole; budget %.2f MB/s",
				c.followers, o.stored, o.window, rate/1e6, mean/1e6, float64(c.budget)/1e6)
			n := float64(c.followers)
			want := time.Duration((n + 14*math.Sqrt(n)) * o.stored / float64(c.budget) * float64(time.Second))
			if o.window < want-want/20 || o.window > want+want/20 {
				t.Errorf("a window of %v, want about %v", o.window, want)
			}
			if rate > float64(c.budget) {
				t.Errorf("%.0f bytes/s within a tenth of the window, %.0f on the whole, budget %d", rate, mean, c.budget)
			}
			if len(o.reads) != c.followers {
				t.Errorf("%d reads by %d followers", len(o.reads), c.followers)
			}
			record(t, c, o, rate, mean)
		})
	}
}

func record(t *testing.T, c crowd, o outcome, rate, mean float64) {
	t.Helper()
	if *resultsFile == "" {
		return
	}
	m := &measurement{suite: "simulation"}
	m.labels = m.labels.With("followers", fmt.Sprint(c.followers)).With("budget", fmt.Sprint(c.budget))
	m.put("window", "ms", float64(o.window.Milliseconds()))
	m.put("stored", "B", o.stored)
	m.put("peak", "MB/s", rate/1e6)
	m.put("mean", "MB/s", mean/1e6)
	save(t)
}

// rates returns the maximum rate of reads within a tenth of the window, and the mean rate,
// in bytes/s.
func (o outcome) rates() (peak, mean float64) {
	tenth := o.window / 10
	last := o.reads[len(o.reads)-1].Sub(o.change)
	return bench.Peak(o.reads, tenth) * o.stored / tenth.Seconds(), float64(len(o.reads)) * o.stored / last.Seconds()
}

// run changes the content once all followers are subscribed.
func (c crowd) run(t *testing.T) (o outcome) {
	t.Helper()
	redisServer, cdn, keys := redistest.Virtual(t), fakecdn.New(), cachekeys.For(sdkKey, "", 0)
	cdn.SetVaryingBytes(c.bytes)
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	l, err := leader.New(leader.Config{
		Redis: redisServer.Client(t, nil), SDKKeys: []leader.SDKKey{{Key: sdkKey}}, Transport: cdn, ReadBudget: c.budget,
	})
	if err != nil {
		t.Fatal(err)
	}
	running.Go(func() { _ = l.Run(ctx) })
	all := make([]*follower.Client, c.followers)
	for i := range all {
		all[i] = follow(t, redisServer.Client(t, nil))
		awaitReady(t, all[i])
	}
	time.Sleep(leader.DefaultTimings().LeaseDuration) // the leader learns the number of subscribers

	var mu sync.Mutex
	redisServer.Mini().Server().SetPreHook(func(_ *protocol.Peer, command string, args ...string) bool {
		if strings.EqualFold(command, "GETRANGE") && args[0] == keys.Blob && args[2] == fmt.Sprint(wire.MaxBlobBytes) { // scripts read its header
			mu.Lock()
			defer mu.Unlock()
			o.reads = append(o.reads, time.Now())
		}
		return false
	})
	messages := redisServer.Client(t, nil).Subscribe(t.Context(), keys.Events)
	version := cdn.Publish()
	o.window = announced(t, messages)
	o.change = time.Now()
	_ = messages.Close()
	time.Sleep(o.window + time.Second)
	for _, f := range all {
		if v := f.GetIntValue(fakecdn.VersionFlag, 0, nil); int64(v) != version {
			t.Fatalf("a follower has version %d after the window, want %d", v, version)
		}
	}
	blob, err := redisServer.Mini().Get(keys.Blob)
	if err != nil {
		t.Fatal(err)
	}
	o.stored = float64(len(blob))
	closeAll(all)
	cancel()
	running.Wait()
	return o
}

// announced waits for a change and returns its spread window.
func announced(t *testing.T, messages *redis.PubSub) time.Duration {
	t.Helper()
	for {
		message, err := messages.ReceiveMessage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if m, err := wire.ParseMessage([]byte(message.Payload)); err == nil && m.Type == wire.Change {
			return m.Spread
		}
	}
}
