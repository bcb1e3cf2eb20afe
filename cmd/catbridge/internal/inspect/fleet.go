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

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/internal/limited"
)

const (
	// page is how many reports are read at once.
	page = 1000
	// maxReports bounds what is read: more is no fleet, but a set that somebody filled.
	maxReports = 200_000
)

// timed is a report and when it was made.
type timed struct {
	cachekeys.FleetReport
	at time.Time
}

// fleet reads the reports, the oldest first: a follower that reports meanwhile moves to
// the end, so that it is read twice rather than never. Of each the latest counts.
func (r Redis) fleet(ctx context.Context, key *Key, set string, now time.Time) (*Fleet, error) {
	f := &Fleet{Versions: map[string]int{}, States: map[string]int{}}
	latest := map[string]timed{}
	from := strconv.FormatInt(now.Add(-cachekeys.FleetExpiry).UnixMilli(), 10)
	for read := 0; ; {
		// Members and their scores take turns.
		members, err := limited.Send(ctx, r.Client, cachekeys.MaxFleetBytes, "zrange", set, from, "+inf", "byscore", "limit", 0, page, "withscores").Values()
		switch {
		case key.refused(err, "who follows"):
			return nil, nil
		case isWrongType(err):
			key.fault("the followers' reports are no sorted set: delete the key %s", set)
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

// take keeps a report if it is its follower's latest.
func (f *Fleet) take(latest map[string]timed, member, score string, now time.Time) {
	report, err := cachekeys.ParseFleetReport(member)
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

// place counts a report.
func (f *Fleet) place(r timed, now time.Time, c *Content) {
	heard := now.Sub(r.at)
	if heard > 3*r.Interval {
		f.Silent++
		return
	}
	f.Following++
	f.Versions[r.Version]++
	f.States[r.State]++
	switch {
	case c == nil || c.Rev == 0: // there is nothing to compare with
		f.Pending++
	case r.Hash == c.Hash[:cachekeys.FleetHashBytes]:
		f.Current++
		f.SlowestLag = max(f.SlowestLag, seconds(r.Lag))
	case r.at.Sub(time.UnixMilli(c.changed)) < grace:
		f.Pending++
	default:
		f.Behind++
		f.Laggards = append(f.Laggards, Follower{
			ID: r.ID, Version: r.Version, State: r.State, Rev: r.Rev, Hash: r.Hash, Heard: seconds(heard),
		})
	}
}

// cut leaves the furthest behind.
func (f *Fleet) cut(most int) {
	slices.SortFunc(f.Laggards, func(a, b Follower) int {
		return cmp.Or(cmp.Compare(a.Rev, b.Rev), cmp.Compare(a.ID, b.ID))
	})
	f.Laggards = f.Laggards[:min(len(f.Laggards), most)]
}

// subscribers counts who hears messages, in a cluster on all of its nodes, since each
// delivers all messages to its own.
func (r Redis) subscribers(ctx context.Context, key *Key, channel string) (*int64, error) {
	var total atomic.Int64
	count := func(ctx context.Context, node redis.Cmdable) error {
		counts, err := node.PubSubNumSub(ctx, channel).Result()
		total.Add(counts[channel])
		return err
	}
	var err error
	if cluster, ok := r.Client.(*redis.ClusterClient); ok {
		err = cluster.ForEachShard(ctx, func(ctx context.Context, node *redis.Client) error { return count(ctx, node) })
	} else {
		err = count(ctx, r.Client)
	}
	switch {
	case key.refused(err, "how many subscribe"):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("count the subscribers: %w", err)
	}
	return new(total.Load()), nil
}
