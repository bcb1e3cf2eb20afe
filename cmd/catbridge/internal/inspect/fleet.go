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

// Report is the latest report of a follower.
type Report struct {
	Name string // of the follower, by default its host
	wire.FleetReport
	At       time.Time // by Redis's clock
	Standing Standing
	Other    bool // it names other content than the current one
}

// Standing says how a follower compares with the current content, see [Fleet].
type Standing string

const (
	Current Standing = "current"
	Pending Standing = "pending"
	Behind  Standing = "behind"
	Silent  Standing = "silent"
)

// fleet reads the reports, the oldest first: a follower that reports in between moves to the
// end, and is read twice rather than not at all. The latest report of each follower counts.
func (r Redis) fleet(ctx context.Context, key *Key, set string, now time.Time) (*Fleet, []Report, error) {
	f := &Fleet{Versions: map[string]int{}, States: map[string]int{}}
	latest := map[string]Report{}
	at := position{score: strconv.FormatInt(now.Add(-wire.FleetExpiry).UnixMilli(), 10)}
	for read := 0; ; {
		// Members and scores alternate.
		members, err := limited.Send(ctx, r.Client, limited.Limits{Value: wire.MaxFleetBytes},
			"zrange", set, at.score, "+inf", "byscore", "limit", at.offset(), page, "withscores").Values()
		switch {
		case key.refused(err, "the followers"):
			return nil, nil, nil
		case isWrongType(err):
			key.fault("the followers' reports are not a sorted set: delete the key %s", set)
			return nil, nil, nil
		case err != nil:
			return nil, nil, fmt.Errorf("read the followers' reports: %w", err)
		}
		next, goesOn := at.after(members)
		if !goesOn { // read those with this score again
			at.read, f.Malformed = 0, at.malformed
		}
		for pair := range slices.Chunk(next, 2) {
			member, score := textOf(pair[0]), textOf(pair[len(pair)-1])
			if score != at.score {
				at = position{score: score, malformed: f.Malformed}
			}
			at.read, at.last = at.read+1, member
			f.take(latest, member, score, now)
		}
		if goesOn && len(members) < 2*page {
			break
		}
		if read += page; read >= maxReports {
			f.Truncated = true
			break
		}
	}
	reports := make([]Report, 0, len(latest))
	for _, report := range latest {
		report.Other = isOther(report, key.Content)
		report.Standing = f.place(report, now, key.Content)
		reports = append(reports, report)
	}
	f.cut(r.Most)
	return f, reports, nil
}

// position is how far the reports were read. Redis sorts those with equal scores by member, and
// can start at a score only, so the next page skips those that were read, except the last: if
// the page starts with another, the set changed, and what was skipped may not have been read.
type position struct {
	score     string // of the last report
	read      int    // reports with this score
	last      string // the last of them
	malformed int    // reports before this score
}

// offset is how many of the reports with the score to skip.
func (p *position) offset() int { return max(p.read-1, 0) }

// after returns the reports of a page that follow those that were read. It returns false if
// the page does not start with the last of those.
func (p *position) after(page []any) ([]any, bool) {
	switch {
	case p.read == 0:
		return page, true
	case len(page) < 2 || textOf(page[0]) != p.last || textOf(page[1]) != p.score:
		return nil, false
	}
	return page[2:], true
}

func textOf(value any) string {
	text, _ := value.(string)
	return text
}

// take keeps a report if it is the latest of its follower.
func (f *Fleet) take(latest map[string]Report, member, score string, now time.Time) {
	report, err := wire.ParseFleetReport(member)
	if report.State == "noLeader" { // older followers write it thus
		report.State = string(follower.StateNoLeader)
	}
	ms, scoreErr := strconv.ParseFloat(score, 64)
	if err != nil || scoreErr != nil || !(ms <= float64(now.Add(ahead).UnixMilli())) {
		f.Malformed++
		return
	}
	at := time.UnixMilli(int64(ms))
	if last, ok := latest[report.ID]; !ok || !at.Before(last.At) {
		latest[report.ID] = Report{Name: wire.FleetName(report.ID), FleetReport: report, At: at}
	}
}

// isOther reports whether there is content, and the report does not name it.
func isOther(r Report, c *Content) bool {
	return c != nil && c.Rev != 0 && r.Hash != c.Hash[:wire.FleetHashBytes]
}

// place counts a report, and returns how the follower compares with the content.
func (f *Fleet) place(r Report, now time.Time, c *Content) Standing {
	reported := now.Sub(r.At)
	if reported > 3*r.Interval {
		f.Silent++
		if r.Other {
			f.SilentBehind++
			f.lag(r, reported)
		}
		return Silent
	}
	f.Following++
	f.Versions[r.Version]++
	f.States[r.State]++
	switch {
	case c == nil || c.Rev == 0: // nothing to compare with
		f.Pending++
		return Pending
	case !r.Other:
		f.Current++
		f.SlowestLag = max(f.SlowestLag, seconds(r.Lag))
		return Current
	case r.At.Sub(c.Since()) < grace:
		f.Pending++
		return Pending
	}
	f.Behind++
	f.lag(r, reported)
	return Behind
}

func (f *Fleet) lag(r Report, reported time.Duration) {
	f.Laggards = append(f.Laggards, Follower{
		ID: r.ID, Version: r.Version, State: r.State, Rev: r.Rev, Hash: r.Hash, Reported: seconds(reported),
	})
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
