// Package doctor checks everything that a leader or a follower depends on, or a catbridge serve
// process from outside. For each check it reports what it found and what to do. It changes nothing
// in Redis.
package doctor

import (
	"context"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/inspect"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/redisurl"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/settings"
)

// Role selects whose needs are checked.
type Role string

const (
	Leader   Role = "leader"
	Follower Role = "follower"
	Reporter Role = "reporter" // a follower that reports to the fleet
)

// Result is the result of a check.
type Result string

const (
	Good    Result = "ok"
	Bad     Result = "fault"
	Unknown Result = "unknown" // not known, not applicable, or not checked because of another fault
)

// Finding is what one check found.
type Finding struct {
	Check  string `json:"check"`             // for example "rights"
	Key    string `json:"sdk_key,omitempty"` // name of the SDK key
	Result Result `json:"result"`
	Found  string `json:"found"`
	Advice string `json:"advice,omitempty"` // what to do
}

// Doctor checks the settings. Its fields must not change during Examine.
type Doctor struct {
	Settings *settings.Settings
	As       Role
	Serve    string        // base URL of a catbridge serve process, which alone is checked; empty: none
	Timeout  time.Duration // of one check
	Tell     func(Finding) // receives each finding at once

	transport http.RoundTripper // to the CDN, for tests; nil: from the settings
	roots     *x509.CertPool    // of the serve process, for tests; nil: those of the system

	client redis.UniversalClient
	dial   redisurl.Dial
	views  []*inspect.Key // of the SDK keys in their order; nil: could not be read
	alive  []bool         // of the SDK keys in their order: a message of the leader arrived

	serving *serving // nil: none is checked

	check string // in progress
	key   string // name of its SDK key
	bad   bool   // it found a fault
}

// step is a check. It reports at least one finding.
type step struct {
	name string
	run  func(context.Context)
	each func(context.Context, int) // instead of run: called for each SDK key
}

// Examine runs all checks. If Redis is unreachable, it skips those that need it.
func (d *Doctor) Examine(ctx context.Context) {
	if d.Serve != "" {
		d.examineServe(ctx)
		return
	}
	d.client = d.Settings.RedisOptions.LeaderClient(func(dial redisurl.Dial) redisurl.Dial {
		d.dial = dial
		return dial
	})
	defer d.client.Close()
	d.views = make([]*inspect.Key, len(d.Settings.SDKKeys))
	d.alive = make([]bool, len(d.Settings.SDKKeys))

	d.all(ctx, step{name: "SDK key", each: d.sdkKey})
	server := []step{
		{name: "redis server", run: d.server},
		{name: "redis memory", run: d.memory},
		{name: "redis clock", run: d.clock},
		{name: "rights", each: d.rights},
	}
	if d.Settings.UI {
		server = append(server, step{name: "dashboard", each: d.dashboard})
	}
	reachable := true
	for _, group := range [][]step{
		{{name: "redis network", run: d.network}},
		{{name: "redis login", run: d.login}},
		append(server,
			step{name: "scripts", run: d.scripts},
			step{name: "state", each: d.state},
			step{name: "messages", each: d.messages},
			step{name: "fleets", each: d.fleets},
		),
	} {
		if reachable {
			reachable = d.all(ctx, group...)
			continue
		}
		for _, s := range group {
			d.check, d.key = s.name, ""
			d.unknown("not checked: Redis is unreachable")
		}
	}
	d.all(ctx, step{name: "proxy", run: d.proxy}, step{name: "CDN", each: d.cdn})
}

// all runs steps, and reports whether no step found a fault.
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

func (d *Doctor) fault(advice, format string, args ...any) {
	d.bad = true
	d.tell(Bad, advice, format, args...)
}

func (d *Doctor) tell(result Result, advice, format string, args ...any) {
	d.Tell(Finding{Check: d.check, Key: d.key, Result: result, Found: fmt.Sprintf(format, args...), Advice: advice})
}

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
