// Package doctor tries, one after the other, all that a leader or a follower depends on,
// and says of each what was found and what to do. It leaves no trace in Redis.
package doctor

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/inspect"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/redisurl"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/settings"
)

// Role is for whom all is tried.
type Role string

const (
	Leader   Role = "leader"
	Follower Role = "follower"
	Reporter Role = "reporter" // a follower that reports to the fleet
)

// Result says how a check went.
type Result string

const (
	Good    Result = "ok"
	Bad     Result = "fault"
	Unknown Result = "unknown" // it could not be told, does not apply, or makes no sense after another
)

// Finding is what one check found.
type Finding struct {
	Check  string `json:"check"`             // such as "rights"
	Key    string `json:"sdk_key,omitempty"` // the name of the SDK key that it is about
	Result Result `json:"result"`
	Found  string `json:"found"`
	Advice string `json:"advice,omitempty"` // what to do
}

// Doctor examines what settings say. Its fields are not changed while it does.
type Doctor struct {
	Settings *settings.Settings
	As       Role
	Timeout  time.Duration // of one check
	Tell     func(Finding) // is told each finding as soon as it is there

	transport http.RoundTripper // to the CDN, for tests; nil: as the settings say

	client redis.UniversalClient
	dial   redisurl.Dial
	views  []*inspect.Key // of the SDK keys in their order; nil: it could not be read
	heard  []bool         // whose leaders' messages arrived

	check string // that is under way
	key   string // that it is about
	bad   bool   // there was a fault in it
}

// step is a check. It tells at least one finding.
type step struct {
	name string
	run  func(context.Context)
	each func(context.Context, int) // in place of run: for each SDK key
}

// Examine runs all checks. Those that need a connection to Redis are not tried without one.
func (d *Doctor) Examine(ctx context.Context) {
	d.client = d.Settings.RedisOptions.LeaderClient(func(dial redisurl.Dial) redisurl.Dial {
		d.dial = dial
		return dial
	})
	defer d.client.Close()
	d.views = make([]*inspect.Key, len(d.Settings.SDKKeys))
	d.heard = make([]bool, len(d.Settings.SDKKeys))

	d.all(ctx, step{name: "SDK key", each: d.sdkKey})
	reachable := true
	for _, group := range [][]step{
		{{name: "redis network", run: d.network}},
		{{name: "redis login", run: d.login}},
		{
			{name: "redis server", run: d.server},
			{name: "redis memory", run: d.memory},
			{name: "redis clock", run: d.clock},
			{name: "rights", each: d.rights},
			{name: "scripts", run: d.scripts},
			{name: "state", each: d.state},
			{name: "messages", each: d.messages},
			{name: "fleets", each: d.fleets},
		},
	} {
		if reachable {
			reachable = d.all(ctx, group...)
			continue
		}
		for _, s := range group {
			d.check, d.key = s.name, ""
			d.unknown("not tried: Redis is out of reach")
		}
	}
	d.all(ctx, step{name: "proxy", run: d.proxy}, step{name: "CDN", each: d.cdn})
}

// all runs steps, and tells whether all were good.
func (d *Doctor) all(ctx context.Context, steps ...step) bool {
	good := true
	for _, s := range steps {
		d.check, d.key, d.bad = s.name, "", false
		if s.run != nil {
			d.within(ctx, s.run)
		} else {
			for i, k := range d.Settings.SDKKeys {
				d.key = k.Label()
				d.within(ctx, func(ctx context.Context) { s.each(ctx, i) })
			}
		}
		good = good && !d.bad
	}
	return good
}

func (d *Doctor) within(ctx context.Context, run func(context.Context)) {
	ctx, cancel := context.WithTimeout(ctx, d.Timeout)
	defer cancel()
	run(ctx)
}

func (d *Doctor) good(format string, args ...any) { d.tell(Good, "", format, args...) }

func (d *Doctor) unknown(format string, args ...any) { d.tell(Unknown, "", format, args...) }

// fault tells what is wrong and what to do.
func (d *Doctor) fault(advice, format string, args ...any) {
	d.bad = true
	d.tell(Bad, advice, format, args...)
}

func (d *Doctor) tell(result Result, advice, format string, args ...any) {
	d.Tell(Finding{Check: d.check, Key: d.key, Result: result, Found: fmt.Sprintf(format, args...), Advice: advice})
}

// rounded is a duration as exact as a reader needs it.
func rounded(d time.Duration) time.Duration {
	if d < time.Millisecond {
		return d.Round(time.Microsecond)
	}
	return d.Round(100 * time.Microsecond)
}

func hostOf(address string) string {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	return host
}
