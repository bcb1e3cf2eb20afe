package feed

import (
	"context"
	"crypto/rand"
	"log/slog"
	mathrand "math/rand/v2"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/follower/internal/eventid"
	"github.com/catbridge/catbridge/internal/eventlog"
	"github.com/catbridge/catbridge/internal/version"
	"github.com/catbridge/catbridge/internal/wire"
)

// Reports configure a feed's reports about itself. The zero value means no reports.
type Reports struct {
	Interval time.Duration
	Name     string // of the follower
}

// MaxReportName is the maximum length of a follower's name in bytes. It leaves room for the random
// part of an id.
const MaxReportName = wire.MaxFleetNameBytes - 1 - idBytes

// idBytes is the length of the random part of an id, in characters of 5 bits each.
const idBytes = 10

// deniedPause is the interval ± 20 % at which a follower without the right to report tries
// again.
const deniedPause = 10 * time.Minute

// reporter writes the reports of a feed, see Report in the package documentation.
type reporter struct {
	feed     *feed
	id       string
	version  string
	interval time.Duration

	due      *alarm
	hurried  bool      // the next report was moved forward because of a change
	tried    time.Time // when the last report was written, successfully or not
	standing []float64 // scores of reports that may be in Redis: a reply may have been lost
	failing  bool      // the last report failed
	denied   bool      // the last report failed because a right is missing
}

// maxStanding is how many reports without a reply are remembered for removal. Older ones
// expire.
const maxStanding = 8

// withdrawTimeout bounds the removal of the report if the feed ends while Redis is unreachable.
const withdrawTimeout = time.Second

func newReporter(f *feed) *reporter {
	return &reporter{feed: f, id: newReportID(f.Report.Name), version: reportedVersion(), interval: f.Report.Interval, due: newAlarm()}
}

func newReportID(name string) string { return name + "~" + rand.Text()[:idBytes] }

func (r *reporter) run(ctx context.Context) {
	defer r.withdraw()
	defer r.due.off()
	// At a random time: many followers start together, and some of them end at once.
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

// hurry moves the next report forward after a change, to a random time within half an interval.
// So changes at most double the reports. Only the first of several changes counts: a new random
// time for each would move all reports to the start of the half interval.
func (r *reporter) hurry() {
	if r.hurried || r.denied {
		return
	}
	r.hurried = true
	r.due.within(max(upTo(r.interval/2), wire.MinFleetInterval-time.Since(r.tried)))
}

func (r *reporter) report(ctx context.Context) {
	r.hurried, r.tried = false, time.Now()
	// The random part makes the score unique, since the report is removed by its score.
	score := float64(r.redisNow()) + float64(mathrand.N(1<<12))/(1<<12)
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

func (r *reporter) current() wire.FleetReport {
	report := wire.FleetReport{
		ID: r.id, Version: r.version, State: string(r.feed.status.Load().State), Interval: r.interval,
		Lag: time.Duration(r.feed.lag.Load()),
	}
	if held := r.feed.current.Load(); held != nil && held.Rev != 0 {
		report.Rev, report.Hash = held.Rev, held.Hash
	}
	return report
}

// redisNow returns the Unix time in ms by Redis's clock or, if unknown, the local one.
func (r *reporter) redisNow() int64 {
	if a := r.feed.confirmed.Load(); a != nil {
		return a.CDN + time.Since(a.At).Milliseconds()
	}
	return time.Now().UnixMilli()
}

// write adds the new report before it removes others, so the set contains one at any time.
func (r *reporter) write(ctx context.Context, score float64, member string) error {
	// The end of the feed does not cancel the write: it might arrive after withdraw.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readTimeout)
	defer cancel()
	key := r.feed.Keys.Fleet
	pipe := r.feed.store.client.Pipeline()
	add := pipe.ZAdd(ctx, key, redis.Z{Score: score, Member: member})
	r.remove(ctx, pipe)
	// a.CDN is by Redis's clock, so a wrong local clock does not remove the reports of others.
	if a := r.feed.confirmed.Load(); a != nil {
		pipe.ZRemRangeByScore(ctx, key, "-inf", strconv.FormatInt(a.CDN-wire.FleetExpiry.Milliseconds(), 10))
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

func (r *reporter) remove(ctx context.Context, pipe redis.Pipeliner) {
	for _, score := range r.standing {
		pipe.ZRemRangeByScore(ctx, r.feed.Keys.Fleet, scoreText(score), scoreText(score))
	}
}

// withdraw removes the report. If that fails, the report expires.
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

// scoreText formats a score as go-redis does.
func scoreText(score float64) string { return strconv.FormatFloat(score, 'f', -1, 64) }

func (r *reporter) failed(err error) {
	r.feed.inc(&r.feed.n.FailedReports)
	denied := isDenial(err)
	switch {
	case denied && !r.denied:
		r.feed.log.Error(eventid.FleetDenied, "Redis denies this follower's reports, so catbridge status does not count it; retrying every 10 minutes. "+
			"On the primary, grant the rights to ZADD and ZREMRANGEBYSCORE on the key, or set no FleetReport.",
			slog.String("key", r.feed.Keys.Fleet), eventlog.Err(err))
	case !denied && !r.failing:
		r.feed.log.Warn(eventid.FleetFailed, "This follower's report could not be written; retrying with the next one.", eventlog.Err(err))
	}
	r.failing, r.denied = true, denied
}

func (r *reporter) worked() {
	if r.failing {
		r.feed.log.Info(eventid.FleetRecovery, "This follower's reports are written again.")
	}
	r.failing, r.denied = false, false
}

// isDenial reports whether Redis's reply means that a retry will fail, too. READONLY does not:
// a failover may be in progress.
func isDenial(err error) bool {
	return hasPrefix(err, "NOPERM ") || isWrongType(err) || hasPrefix(err, "ERR unknown command")
}

// reportedVersion returns the version of this library in the form that reports allow.
func reportedVersion() string {
	if v := version.String(); wire.ValidFleetName(v) {
		return v
	}
	return "devel"
}
