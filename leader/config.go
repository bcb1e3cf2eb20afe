package leader

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/redis/go-redis/v9"
	"go.opentelemetry.io/otel/trace"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/internal/cdn"
)

// DataGovernance says in which part of the world ConfigCat keeps a product's data (S10).
type DataGovernance = cdn.DataGovernance

const (
	Global = cdn.Global // https://cdn-global.configcat.com, the zero value
	EUOnly = cdn.EUOnly // https://cdn-eu.configcat.com
)

// Config configures a [Leader]. It must not be changed after [New].
type Config struct {
	// Redis is where the lock and the content are kept: a *redis.Client (Sentinel's
	// too) or a *redis.ClusterClient. Its ContextTimeoutEnabled must be set, so that
	// no command outlives the trust in the lock; MaxRetries: -1 is advised. The
	// leader does not close it. Required. The database is that of its options: a client that
	// selects another one by other means, in OnConnect for instance, is not supported.
	Redis redis.UniversalClient

	// Namespace sets leaders and followers apart from others with the same SDK key in the
	// same database of Redis: it begins the name of the official entry and stands in all
	// other names, see package cachekeys. Followers must have the same one. 1 to 32 letters
	// and digits of ASCII, dots, underscores and hyphens. Empty: none.
	Namespace string

	// SDKKeys are the SDK keys to lead for, each elected by itself. At least one. For
	// others later see [Leader.SetSDKKeys].
	SDKKeys []SDKKey

	// Timing holds the durations of the protocol. The zero value means [DefaultTiming].
	Timing Timing

	// Host is this host's name in the leader's ID, so that whoever reads the lock sees
	// where the leader runs. It decides nothing. Empty: that of the operating system; "-":
	// none is told.
	Host string

	// Logger receives the events, each with the attribute event_id (S100). Nil: what
	// slog.Default returns when the leader is made, from level warn on;
	// slog.New(slog.DiscardHandler) for none. Its handler must not wait for the leader.
	Logger *slog.Logger

	// TracerProvider records each poll as a trace: the fetch, the commit or the renewal,
	// and what was published. The SDK key shows in none, only its name. Nil: nothing is
	// recorded.
	TracerProvider trace.TracerProvider

	// Transport makes the requests to the CDN; nil: an own one with the timeouts below,
	// whose connections all SDK keys share, at most 32 to a host.
	Transport http.RoundTripper
	// ProxyURL is an http, https, socks5 or socks5h proxy for the CDN, with user and password
	// if it wants them (S7). Empty: as $HTTPS_PROXY, $HTTP_PROXY and $NO_PROXY say. Not
	// together with a Transport.
	ProxyURL string
	// CAFile is the path of certificates (PEM) to trust for the CDN instead of the system's,
	// such as those of a proxy that inspects TLS. [New] reads it first, and each request
	// again. Empty: the system's. Not together with a Transport.
	CAFile string
	// ConnectTimeout and ReadTimeout bound a request to the CDN (S8). 0: 10 s and 30 s.
	ConnectTimeout time.Duration
	ReadTimeout    time.Duration

	// ExpectedFollowers is how many followers read from this Redis, for the spread
	// window. 0: as many as the messages reach.
	ExpectedFollowers int
	// SubscriberNodes is how many Redis nodes serve subscribers, since a message's
	// count of receivers is that of one node. 0: 1.
	SubscriberNodes int
	// ReadBudget is how many bytes per second the followers' reads may take together
	// after a change, at its peak (I12). 0: 50 MB/s.
	ReadBudget int64
}

// host is the name to tell; empty: none.
func (c *Config) host() string {
	switch c.Host {
	case "-":
		return ""
	case "":
		name, _ := os.Hostname() // where it is not known, none is told
		return name
	}
	return c.Host
}

// Timing holds the durations of the protocol. In each a zero means the value of
// [DefaultTiming]. They must fit together: RenewInterval < RenewDeadline < LeaseDuration.
type Timing struct {
	LeaseDuration time.Duration // the lock's time to live in Redis
	RenewInterval time.Duration // between two renewals, which are the heartbeats
	RenewDeadline time.Duration // without a renewal for this long the lock is not trusted any more
	RetryPeriod   time.Duration // a candidate's pause, ± 20 %
	PollInterval  time.Duration // between two polls of the CDN; from 1 s to 24 h
	Idle          time.Duration // own subscription: nothing heard until a PING
	Dead          time.Duration // own subscription: nothing heard until it is given up
}

// DefaultTiming is for production: polls come just within the official SDKs' own
// interval, so that they find the shared entry unexpired (S42).
func DefaultTiming() Timing {
	return Timing{
		LeaseDuration: 15 * time.Second, RenewInterval: 3 * time.Second, RenewDeadline: 10 * time.Second,
		RetryPeriod: 2 * time.Second, PollInterval: 55 * time.Second, Idle: 5 * time.Second, Dead: 10 * time.Second,
	}
}

// FastTiming fails over and polls sooner, at the price of more commands and requests.
func FastTiming() Timing {
	return Timing{
		LeaseDuration: 6 * time.Second, RenewInterval: 1500 * time.Millisecond, RenewDeadline: 4 * time.Second,
		RetryPeriod: 2 * time.Second, PollInterval: 5 * time.Second, Idle: 2 * time.Second, Dead: 4 * time.Second,
	}
}

func (t Timing) withDefaults() Timing {
	d := DefaultTiming()
	for _, f := range []struct{ dst, def *time.Duration }{
		{&t.LeaseDuration, &d.LeaseDuration}, {&t.RenewInterval, &d.RenewInterval}, {&t.RenewDeadline, &d.RenewDeadline},
		{&t.RetryPeriod, &d.RetryPeriod}, {&t.PollInterval, &d.PollInterval}, {&t.Idle, &d.Idle}, {&t.Dead, &d.Dead},
	} {
		if *f.dst == 0 {
			*f.dst = *f.def
		}
	}
	return t
}

func (t Timing) check() error {
	var errs []error
	must := func(ok bool, what string) {
		if !ok {
			errs = append(errs, errors.New("leader: Timing: "+what))
		}
	}
	must(t.RenewInterval >= 10*time.Millisecond, "RenewInterval must be at least 10 ms")
	must(t.RenewInterval < t.RenewDeadline, "RenewInterval must be below RenewDeadline, or one late renewal ends the term")
	must(t.RenewDeadline < t.LeaseDuration, "RenewDeadline must be below LeaseDuration, or two leaders act at once")
	must(t.LeaseDuration <= time.Hour, "LeaseDuration must be at most 1 h")
	must(t.RetryPeriod >= 10*time.Millisecond && t.RetryPeriod <= time.Hour, "RetryPeriod must be between 10 ms and 1 h")
	must(t.Idle > 0 && t.Idle < t.Dead, "Idle must be positive and below Dead")
	if err := checkPoll(t.PollInterval); err != nil {
		errs = append(errs, fmt.Errorf("leader: Timing: %w", err))
	}
	return errors.Join(errs...)
}

const minPoll = time.Second

func checkPoll(d time.Duration) error {
	if d < minPoll || d > cachekeys.MaxPoll {
		return fmt.Errorf("PollInterval: %v is not between %v and %v", d, minPoll, cachekeys.MaxPoll)
	}
	return nil
}

// check tells everything that is wrong at once, but for the SDK keys.
func (c *Config) check() error {
	errs := []error{c.Timing.check(), checkRedis(c.Redis)}
	if err := cachekeys.CheckNamespace(c.Namespace); err != nil {
		errs = append(errs, fmt.Errorf("leader: Namespace: %w", err))
	}
	if c.ExpectedFollowers < 0 || c.SubscriberNodes < 0 || c.ReadBudget < 0 {
		errs = append(errs, errors.New("leader: ExpectedFollowers, SubscriberNodes and ReadBudget must not be negative"))
	}
	return errors.Join(errs...)
}

func checkRedis(client redis.UniversalClient) error {
	var contexts bool
	var read, write time.Duration
	single, isSingle := client.(*redis.Client)
	cluster, isCluster := client.(*redis.ClusterClient)
	switch {
	case single != nil:
		o := single.Options()
		contexts, read, write = o.ContextTimeoutEnabled, o.ReadTimeout, o.WriteTimeout
	case cluster != nil:
		o := cluster.Options()
		contexts, read, write = o.ContextTimeoutEnabled, o.ReadTimeout, o.WriteTimeout
	case client == nil || isSingle || isCluster:
		return errors.New("leader: Redis: a client is needed")
	default:
		return fmt.Errorf("leader: Redis: want a *redis.Client or a *redis.ClusterClient, have %T", client)
	}
	if !contexts {
		return errors.New("leader: Redis: set ContextTimeoutEnabled in the client's options: a command must not outlive the lock")
	}
	// go-redis then sets no deadline at all, the context's neither.
	if read < 0 || write < 0 {
		return errors.New("leader: Redis: ReadTimeout and WriteTimeout must not be -2: a command must not outlive the lock")
	}
	return nil
}
