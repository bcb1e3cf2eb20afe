package inspect_test

import (
	"context"
	"fmt"
	"maps"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/inspect"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/internal/wire"
	"github.com/catbridge/catbridge/leader"
)

// reportFrom writes a follower's report with a time in the past.
func reportFrom(t *testing.T, client redis.Cmdable, ago time.Duration, r wire.FleetReport) {
	t.Helper()
	score := float64(time.Now().Add(-ago).UnixMilli())
	if err := client.ZAdd(t.Context(), keys.Fleet, redis.Z{Score: score, Member: string(r.Append(nil))}).Err(); err != nil {
		t.Fatal(err)
	}
}

func TestFollowersAreCountedByWhatTheyReport(t *testing.T) {
	t.Parallel()
	client := redistest.Start(t).Client(t, nil)
	lead(t, client, leader.Timings{})
	content := look(t, client).Content
	changed := func(ago time.Duration) {
		client.HSet(t.Context(), keys.Meta, "etags", fmt.Sprintf("%d before", time.Now().Add(-ago).UnixMilli()))
	}
	newest := client.XRevRangeN(t.Context(), keys.History, "+", "-", 1).Val()[0].Values
	began := func(ago time.Duration) {
		newest["time"] = time.Now().Add(-ago).UnixMilli()
		client.XAdd(t.Context(), &redis.XAddArgs{Stream: keys.History, Values: newest})
	}
	changed(2 * time.Minute)
	began(2 * time.Minute)
	now := wire.FleetReport{
		Version: "v1.2.0", State: "live", Interval: 4 * time.Minute, Rev: content.Rev, Hash: content.Hash, Lag: 300 * time.Millisecond,
	}
	leaderless := now
	leaderless.State = "no_leader"
	formerName := now
	formerName.State = "noLeader"
	old := now
	old.Hash, old.Rev, old.Lag, old.State = strings.Repeat("0", 16), content.Rev-1000, time.Hour, "polling"
	as := func(r wire.FleetReport, id string) wire.FleetReport { r.ID = id; return r }

	reportFrom(t, client, time.Second, as(now, "current-1"))
	reportFrom(t, client, 11*time.Minute, as(now, "current-2"))
	reportFrom(t, client, time.Second, as(leaderless, "current-3"))
	reportFrom(t, client, time.Second, as(formerName, "current-4"))
	reportFrom(t, client, 20*time.Minute, as(now, "gone"))
	reportFrom(t, client, 13*time.Minute, as(now, "silent"))
	lost := as(old, "silent-behind")
	lost.Rev -= 2000
	reportFrom(t, client, 13*time.Minute, lost)
	reportFrom(t, client, time.Second, as(old, "behind-1"))
	older := as(old, "behind-2")
	older.Rev -= 1000
	reportFrom(t, client, 2*time.Second, older)
	none := as(now, "empty")
	none.Rev, none.Hash, none.Lag = 0, "", 0
	reportFrom(t, client, 3*time.Second, none)
	// An old report does not count if there is a later one.
	reportFrom(t, client, 10*time.Second, as(old, "current-1"))
	// A report from before the change proves nothing.
	reportFrom(t, client, 118*time.Second, as(old, "pending"))
	// Malformed reports, and a report from the future.
	client.ZAdd(t.Context(), keys.Fleet, redis.Z{Score: float64(time.Now().UnixMilli()), Member: "\x1b[2J"})
	reportFrom(t, client, -time.Hour, as(now, "future"))
	client.ZAdd(t.Context(), keys.Fleet, redis.Z{Score: math.Inf(1), Member: string(as(now, "never").Append(nil))})
	client.ZAdd(t.Context(), keys.Fleet, redis.Z{Score: 1e300, Member: string(as(now, "far").Append(nil))})

	key := look(t, client)
	f := key.Fleet
	if f.Following != 8 || f.Current != 4 || f.Pending != 1 || f.Behind != 3 || f.Silent != 2 || f.SilentBehind != 1 || f.Malformed != 4 || f.Truncated {
		t.Errorf("%+v", f)
	}
	if f.SlowestLag != 0.3 || !maps.Equal(f.Versions, map[string]int{"v1.2.0": 8}) || !maps.Equal(f.States, map[string]int{"live": 3, "no_leader": 2, "polling": 3}) {
		t.Errorf("%+v", f)
	}
	if len(f.Laggards) != 2 || f.Laggards[0].ID != "empty" || f.Laggards[1].ID != "silent-behind" || f.Laggards[1].Reported < 13*60 {
		t.Errorf("of those behind, the two furthest are %+v", f.Laggards)
	}
	if key.OK || len(key.Faults) != 1 || key.Faults[0] != "3 of 8 followers that report are behind; see their logs" {
		t.Errorf("%q", key.Faults)
	}

	whole, err := inspect.Redis{Client: client, Most: 2}.LookAtAll(t.Context(), "main", keys)
	if err != nil || len(whole.Reports) != 10 || time.Since(whole.Now).Abs() > time.Minute {
		t.Fatalf("%v, %d reports", err, len(whole.Reports))
	}
	standings := map[string]inspect.Standing{
		"current-1": inspect.Current, "current-2": inspect.Current, "current-3": inspect.Current, "current-4": inspect.Current, "silent": inspect.Silent, "silent-behind": inspect.Silent,
		"behind-1": inspect.Behind, "behind-2": inspect.Behind, "empty": inspect.Behind, "pending": inspect.Pending,
	}
	for _, r := range whole.Reports {
		if want := strings.Contains(r.ID, "behind") || r.ID == "empty" || r.ID == "pending"; r.Other != want {
			t.Errorf("%s names another config: %t", r.ID, r.Other)
		}
		if r.Standing != standings[r.ID] || r.Name != r.ID || r.Version != "v1.2.0" || r.At.IsZero() {
			t.Errorf("%+v", r)
		}
	}

	// A pin or a force began or ended just now. meta does not say so.
	began(5 * time.Second)
	if key := look(t, client); !key.OK || key.Fleet.Behind != 0 || key.Fleet.Pending != 4 {
		t.Errorf("%q, %+v", key.Faults, key.Fleet)
	}
	began(2 * time.Minute)

	// Soon after a change, no follower counts as behind.
	changed(5 * time.Second)
	if key := look(t, client); !key.OK || key.Fleet.Behind != 0 || key.Fleet.Pending != 4 {
		t.Errorf("%q, %+v", key.Faults, key.Fleet)
	}
}

// addReports writes reports of as many followers that have the current content, each with the score
// that the function returns for it.
func addReports(t *testing.T, client *redis.Client, c *inspect.Content, followers int, score func(i int) float64) {
	t.Helper()
	pipe := client.Pipeline()
	for i := range followers {
		r := wire.FleetReport{ID: fmt.Sprint("f", i), Version: "v1", State: "live", Interval: time.Minute, Rev: c.Rev, Hash: c.Hash}
		pipe.ZAdd(t.Context(), keys.Fleet, redis.Z{Score: score(i), Member: string(r.Append(nil))})
	}
	if _, err := pipe.Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestALargeFleetIsReadInPages(t *testing.T) {
	t.Parallel()
	client := redistest.Start(t).Client(t, nil)
	lead(t, client, leader.Timings{})
	content, now := look(t, client).Content, float64(time.Now().UnixMilli())
	const followers = 2500
	for name, score := range map[string]func(i int) float64{
		"a score each":          func(i int) float64 { return now + float64(i)/4096 },
		"one score":             func(int) float64 { return now },
		"pairs":                 func(i int) float64 { return now + float64((i+1)/2) },
		"more than a page each": func(i int) float64 { return now + float64(i/1200) },
		"one score in the middle": func(i int) float64 {
			return now + float64(max(0, i-1500)) - float64(max(0, 900-i))
		},
	} {
		client.Del(t.Context(), keys.Fleet)
		addReports(t, client, content, followers, score)
		client.ZAdd(t.Context(), keys.Fleet, redis.Z{Score: score(followers / 2), Member: "not a report"})
		if f := look(t, client).Fleet; f.Following != followers || f.Current != followers || f.Malformed != 1 || f.Truncated {
			t.Errorf("%s: %+v", name, f)
		}
	}
}

// betweenCommands calls a function once, after the first command of a name.
type betweenCommands struct {
	command string
	do      func()
}

func (b *betweenCommands) DialHook(next redis.DialHook) redis.DialHook { return next }

func (b *betweenCommands) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

func (b *betweenCommands) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		err := next(ctx, cmd)
		if do := b.do; do != nil && strings.EqualFold(cmd.Name(), b.command) {
			b.do = nil
			do()
		}
		return err
	}
}

// Followers report while their reports are read: each adds a report, and removes its last one.
func TestNoFollowerIsLostThatReportsBetweenTwoPages(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	client := server.Client(t, nil)
	lead(t, client, leader.Timings{})
	content, now := look(t, client).Content, float64(time.Now().UnixMilli())
	const followers = 2500
	for name, between := range map[string]struct {
		score func(i int) float64
		moved func(i int) bool
	}{
		"the last of a page":      {func(int) float64 { return now }, func(i int) bool { return i == 999 }},
		"many":                    {func(int) float64 { return now }, func(i int) bool { return i < 1700 && i%3 == 0 }},
		"all of the last score":   {func(i int) float64 { return now + float64(i/900) }, func(i int) bool { return i/900 == 1 }},
		"all":                     {func(int) float64 { return now }, func(int) bool { return true }},
		"those with other scores": {func(i int) float64 { return now + float64(i)/8 }, func(i int) bool { return i%2 == 0 }},
	} {
		client.Del(t.Context(), keys.Fleet)
		addReports(t, client, content, followers, between.score)
		members := client.ZRange(t.Context(), keys.Fleet, 0, -1).Val()
		reader := server.Client(t, nil)
		reader.AddHook(&betweenCommands{command: "zrange", do: func() {
			pipe := client.Pipeline()
			for i, member := range members {
				if between.moved(i) {
					pipe.ZRem(t.Context(), keys.Fleet, member)
					pipe.ZAdd(t.Context(), keys.Fleet, redis.Z{Score: now + 1000, Member: strings.Replace(member, "live", "polling", 1)})
				}
			}
			if _, err := pipe.Exec(t.Context()); err != nil {
				t.Error(err)
			}
		}})
		if f := look(t, reader).Fleet; f.Following != followers || f.Current != followers || f.Malformed != 0 || f.Truncated {
			t.Errorf("%s: %+v", name, f)
		}
	}
}
