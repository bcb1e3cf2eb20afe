package follower

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/internal/eventlog"
)

// refusedPause is how long a follower that has no right to report waits until it tries
// again, give or take 20 %.
const deniedPause = 10 * time.Minute

// reporter tells Redis of a feed at intervals. It runs in a goroutine of its own, so that
// a write that takes long delays neither the sync nor anything else.
type reporter struct {
	feed     *feed
	id       string
	version  string
	interval time.Duration

	due      *alarm
	hurried  bool      // the next report was brought forward for a change
	tried    time.Time // the last report
	standing []float64 // scores of what stands in Redis, or may: a reply may be lost
	failing  bool      // the last report failed
	denied   bool      // for want of a right
}

// maxStanding is how many reports of which no reply told are remembered to be removed. The
// oldest beyond that expire.
const maxStanding = 8

// withdrawTimeout bounds the removal by a feed that ends while Redis is out of reach.
const withdrawTimeout = time.Second

func newReporter(f *feed, options fleetOptions) *reporter {
	return &reporter{feed: f, id: newFleetID(options.name), version: libraryVersion(), interval: options.interval, due: newAlarm()}
}

func (r *reporter) run(ctx context.Context) {
	defer r.withdraw()
	defer r.due.off()
	// Many start together, some of them to end at once.
	r.due.set(upTo(r.interval))
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.feed.changed:
			r.hurry()
		case <-r.due.C:
			r.report(ctx)
		}
	}
}

// hurry brings the next report forward after a change, to a random moment of half an
// interval. So a change at most doubles what the reports of all followers cost. Of
// several changes the first counts: to draw for each again would gather all reports
// at the beginning.
func (r *reporter) hurry() {
	if r.hurried || r.denied {
		return
	}
	r.hurried = true
	r.due.within(max(upTo(r.interval/2), cachekeys.MinFleetInterval-time.Since(r.tried)))
}

func (r *reporter) report(ctx context.Context) {
	r.hurried, r.tried = false, time.Now()
	// The random part makes the score this follower's own, by which the report is removed.
	score := float64(r.redisNow()) + float64(rand.N(1<<12))/(1<<12)
	err := r.write(ctx, score, string(r.current().Append(nil)))
	r.feed.inc(&r.feed.n.Reports)
	pause := r.interval
	if err == nil {
		r.worked()
	} else if r.failed(err); r.denied {
		pause = deniedPause
	}
	r.due.set(around(pause, 0.2))
}

// current is what there is to tell.
func (r *reporter) current() cachekeys.FleetReport {
	report := cachekeys.FleetReport{
		ID: r.id, Version: r.version, State: string(r.feed.status.Load().state), Interval: r.interval,
		Lag: time.Duration(r.feed.lag.Load()),
	}
	if held := r.feed.current.Load(); held != nil && held.rev != 0 {
		report.Rev, report.Hash = held.rev, held.hash
	}
	return report
}

// redisNow is the time by Redis's clock, Unix ms, as far as the leader's messages tell.
func (r *reporter) redisNow() int64 {
	if a := r.feed.confirmed.Load(); a != nil {
		return a.cdn + time.Since(a.at).Milliseconds()
	}
	return time.Now().UnixMilli()
}

// write puts the report in the place of the one before, and removes those that expired.
// First the new one comes, so that at no moment there is none.
func (r *reporter) write(ctx context.Context, score float64, member string) error {
	// Not ended with the feed: it might arrive after what withdraws it.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readTimeout)
	defer cancel()
	key := r.feed.store.keys.Fleet
	pipe := r.feed.store.client.Pipeline()
	add := pipe.ZAdd(ctx, key, redis.Z{Score: score, Member: member})
	r.remove(ctx, pipe)
	// The CDN answered at this time by Redis's own clock. Going by the local one, a
	// follower with a wrong clock would remove the reports of all others.
	if a := r.feed.confirmed.Load(); a != nil {
		pipe.ZRemRangeByScore(ctx, key, "-inf", strconv.FormatInt(a.cdn-cachekeys.FleetExpiry.Milliseconds(), 10))
	}
	_, err := pipe.Exec(ctx)
	switch {
	case err == nil:
		r.standing = []float64{score}
	case !isDenial(add.Err()):
		r.standing = append(r.standing, score)
		r.standing = r.standing[max(0, len(r.standing)-maxStanding):]
	}
	return err
}

// remove adds to a pipeline what removes all that stands.
func (r *reporter) remove(ctx context.Context, pipe redis.Pipeliner) {
	for _, score := range r.standing {
		pipe.ZRemRangeByScore(ctx, r.feed.store.keys.Fleet, scoreText(score), scoreText(score))
	}
}

// withdraw removes the report of a feed that ends. If that fails, it expires.
func (r *reporter) withdraw() {
	if len(r.standing) == 0 || r.denied {
		return
	}
	timeout := readTimeout
	if r.failing {
		timeout = withdrawTimeout
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	pipe := r.feed.store.client.Pipeline()
	r.remove(ctx, pipe)
	_, _ = pipe.Exec(ctx)
}

// scoreText is a score as go-redis writes it.
func scoreText(score float64) string { return strconv.FormatFloat(score, 'f', -1, 64) }

func (r *reporter) failed(err error) {
	r.feed.inc(&r.feed.n.FailedReports)
	denied := isDenial(err)
	switch {
	case denied && !r.denied:
		r.feed.log.Error(eventFleetDenied, "Redis refuses this follower's reports: status does not count it. Tried again now and then. "+
			"Give it the rights to ZADD and ZREMRANGEBYSCORE on the key, on the primary, or set no FleetReport.",
			slog.String("key", r.feed.store.keys.Fleet), eventlog.Err(err))
	case !denied && !r.failing:
		r.feed.log.Warn(eventFleetFailed, "This follower's report could not be written; tried again with the next one.", eventlog.Err(err))
	}
	r.failing, r.denied = true, denied
}

func (r *reporter) worked() {
	if r.failing {
		r.feed.log.Info(eventFleetRecovery, "This follower's reports are written again.")
	}
	r.failing, r.denied = false, false
}

// isDenial reports whether Redis said that this will not work next time either. READONLY
// is none: a failover may be under way.
func isDenial(err error) bool {
	return hasPrefix(err, "NOPERM ") || isWrongType(err) || hasPrefix(err, "ERR unknown command")
}
