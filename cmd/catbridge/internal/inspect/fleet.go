package inspect

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/follower"
	"github.com/catbridge/catbridge/internal/limited"
	"github.com/catbridge/catbridge/internal/redisnode"
	"github.com/catbridge/catbridge/internal/wire"
)

const (
	page = 1000
	// maxReports bounds the number of reports read. No real fleet has more.
	maxReports = 200_000
)

type timed struct {
	wire.FleetReport
	at time.Time
}

// fleet reads the reports, the oldest first: a follower that reports in between moves to the
// end, and is read twice rather than not at all. The latest report of each follower counts.
func (r Redis) fleet(ctx context.Context, key *Key, set string, now time.Time) (*Fleet, error) {
	f := &Fleet{Versions: map[string]int{}, States: map[string]int{}}
	latest := map[string]timed{}
	from := strconv.FormatInt(now.Add(-wire.FleetExpiry).UnixMilli(), 10)
	for read := 0; ; {
		// Members and scores alternate.
		members, err := limited.Send(ctx, r.Client, limited.Limits{Value: wire.MaxFleetBytes}, "zrange", set, from, "+inf", "byscore", "limit", 0, page, "withscores").Values()
		switch {
		case key.refused(err, "the followers"):
			return nil, nil
		case isWrongType(err):
			key.fault("the followers' reports are not a sorted set: delete the key %s", set)
			return nil, nil
		case err != nil:
			return nil, fmt.Errorf("read the followers' reports: %w", err)
		}
		var score string
		for pair := range slices.Chunk(members, 2) {
			member, _ := pair[0].(string)
			score, _ = pair[len(pair)-1].(string)
			f.take(latest, member, score, now)
		}
		if len(members) < 2*page {
			break
		}
		if read += page; read >= maxReports {
			f.Truncated = true
			break
		}
		from = "(" + score
	}
	for _, report := range latest {
		f.place(report, now, key.Content)
	}
	f.cut(r.Most)
	return f, nil
}

// take keeps a report if it is the latest of its follower.
func (f *Fleet) take(latest map[string]timed, member, score string, now time.Time) {
	report, err := wire.ParseFleetReport(member)
	if report.State == "noLeader" { // older followers write it thus
		report.State = string(follower.StateNoLeader)
	}
	ms, scoreErr := strconv.ParseFloat(score, 64)
	at := time.UnixMilli(int64(ms))
	if err != nil || scoreErr != nil || at.Sub(now) > ahead {
		f.Malformed++
		return
	}
	if last, ok := latest[report.ID]; !ok || !at.Before(last.at) {
		latest[report.ID] = timed{report, at}
	}
}

func (f *Fleet) place(r timed, now time.Time, c *Content) {
	reported := now.Sub(r.at)
	if reported > 3*r.Interval {
		f.Silent++
		return
	}
	f.Following++
	f.Versions[r.Version]++
	f.States[r.State]++
	switch {
	case c == nil || c.Rev == 0: // nothing to compare with
		f.Pending++
	case r.Hash == c.Hash[:wire.FleetHashBytes]:
		f.Current++
		f.SlowestLag = max(f.SlowestLag, seconds(r.Lag))
	case r.at.Sub(time.UnixMilli(c.changed)) < grace:
		f.Pending++
	default:
		f.Behind++
		f.Laggards = append(f.Laggards, Follower{
			ID: r.ID, Version: r.Version, State: r.State, Rev: r.Rev, Hash: r.Hash, Reported: seconds(reported),
		})
	}
}

// cut keeps the laggards that are furthest behind.
func (f *Fleet) cut(most int) {
	slices.SortFunc(f.Laggards, func(a, b Follower) int {
		return cmp.Or(cmp.Compare(a.Rev, b.Rev), cmp.Compare(a.ID, b.ID))
	})
	f.Laggards = f.Laggards[:min(len(f.Laggards), most)]
}

// subscribers counts the subscribers, in a cluster on all nodes, because each node delivers
// all messages to its own subscribers.
func (r Redis) subscribers(ctx context.Context, key *Key, channel string) (*int64, error) {
	var total atomic.Int64
	err := redisnode.Each(ctx, r.Client, func(ctx context.Context, node *redis.Client) error {
		counts, err := node.PubSubNumSub(ctx, channel).Result()
		total.Add(counts[channel])
		return err
	})
	switch {
	case key.refused(err, "the number of subscribers"):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("count the subscribers: %w", err)
	}
	return new(total.Load()), nil
}
