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
	"github.com/catbridge/catbridge/internal/redisnode"
	"github.com/catbridge/catbridge/internal/wire"
)

// DataGovernance is where ConfigCat stores a product's data (S10).
type DataGovernance = cdn.DataGovernance

const (
	Global = cdn.Global // https://cdn-global.configcat.com, the zero value
	EUOnly = cdn.EUOnly // https://cdn-eu.configcat.com
)

// Config configures a [Leader]. It must not be changed after [New].
type Config struct {
	// Redis stores the lock and the content. It is a *redis.Client, with or without
	// Sentinels, or a *redis.ClusterClient. Required. Its ContextTimeoutEnabled must be
	// set: no command may outlive the lease. Its MaxRetries should be -1. The leader does
	// not close the client. It reads the database's number from the client's options; a
	// client that selects another database, for instance in OnConnect, is not supported.
	Redis redis.UniversalClient

	// Namespace separates leaders and followers from others with the same SDK key in the same
	// Redis database, see package cachekeys. Followers must use the same namespace. It has 1 to
	// 32 ASCII letters, digits, dots, underscores and hyphens, or is empty for none.
	Namespace string

	// SDKKeys are the SDK keys to lead for, at least one. [Leader.SetSDKKeys] replaces them
	// later.
	SDKKeys []SDKKey

	// Timing holds the protocol's durations. The zero value means [DefaultTiming].
	Timing Timing

	// Host is the host name in the leader's ID; it shows in the lock where the leader runs. If
	// it is empty, the operating system's host name is used. If it is "-", the ID has no host
	// name.
	Host string

	// Logger receives the events, each with the attribute event_id (S100). If it is nil,
	// the leader uses what slog.Default returns during New, at level warn and above. Use
	// slog.New(slog.DiscardHandler) to log nothing. The handler must not wait for the leader.
	Logger *slog.Logger

	// TracerProvider records each poll as a trace. Traces contain the SDK key's name, never the
	// SDK key. If it is nil, nothing is recorded.
	TracerProvider trace.TracerProvider

	// Transport makes the requests to the CDN. If it is nil, the leader makes one with the
	// timeouts below. All SDK keys share its connections, at most 32 per host.
	Transport http.RoundTripper
	// ProxyURL is an http, https, socks5 or socks5h proxy for the CDN, with user and password
	// if the proxy requires them (S7). If it is empty, $HTTPS_PROXY, $HTTP_PROXY and
	// $NO_PROXY apply. It must not be set together with Transport.
	ProxyURL string
	// CAFile is the path of the PEM certificates to trust for the CDN instead of the
	// system's, for example those of a proxy that inspects TLS. [New] and each request read
	// it. If it is empty, the system's certificates apply. It must not be set together with
	// Transport.
	CAFile string
	// ConnectTimeout and ReadTimeout bound a request to the CDN (S8). If they are zero, they
	// are 10 s and 30 s.
	ConnectTimeout time.Duration
	ReadTimeout    time.Duration

	// ExpectedFollowers is the number of followers that read from this Redis. It determines
	// the spread window. If it is 0, the leader uses the number of receivers of its messages.
	ExpectedFollowers int
	// SubscriberNodes is the number of Redis nodes that serve subscribers: Redis counts a
	// message's receivers on one node only. If it is 0, it is 1.
	SubscriberNodes int
	// ReadBudget is the peak number of bytes per second that all followers together read
	// after a change (I12). If it is 0, it is 50 MB/s.
	ReadBudget int64
}

// host returns the host name for the leader's ID; empty: no name.
func (c *Config) host() string {
	switch c.Host {
	case "-":
		return ""
	case "":
		name, _ := os.Hostname() // empty if it is unknown
		return name
	}
	return c.Host
}

// Timing holds the protocol's durations. A zero field means the value of [DefaultTiming].
// RenewInterval < RenewDeadline < LeaseDuration must hold.
type Timing struct {
	LeaseDuration time.Duration // the lock's time to live in Redis
	RenewInterval time.Duration // between two renewals, which are also the heartbeats
	RenewDeadline time.Duration // how long the leader acts after its last successful renewal
	RetryPeriod   time.Duration // between two tries of a candidate, ± 20 %
	PollInterval  time.Duration // between two polls of the CDN; from 1 s to 24 h
	Idle          time.Duration // silence on the subscription after which the leader sends a PING
	Dead          time.Duration // silence on the subscription after which the leader reconnects
}

// DefaultTiming returns the durations for production. The poll interval is just below that
// of the official SDKs, so they find the shared entry unexpired (S42).
func DefaultTiming() Timing {
	return Timing{
		LeaseDuration: 15 * time.Second, RenewInterval: 3 * time.Second, RenewDeadline: 10 * time.Second,
		RetryPeriod: 2 * time.Second, PollInterval: 55 * time.Second, Idle: 5 * time.Second, Dead: 10 * time.Second,
	}
}

// FastTiming returns durations for a faster failover and more frequent polls, at the cost of
// more commands and requests.
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
	if d < minPoll || d > wire.MaxPoll {
		return fmt.Errorf("PollInterval: %v is not between %v and %v", d, minPoll, wire.MaxPoll)
	}
	return nil
}

// check returns all errors of the configuration at once, except those of the SDK keys.
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
	if err := redisnode.Check(client); err != nil {
		return fmt.Errorf("leader: Redis: %w", err)
	}
	opts := redisnode.OptionsOf(client)
	if !opts.ContextTimeoutEnabled {
		return errors.New("leader: Redis: set ContextTimeoutEnabled in the client's options: a command must not outlive the lock")
	}
	// With -2 go-redis sets no deadline at all, not even the context's.
	if opts.ReadTimeout < 0 || opts.WriteTimeout < 0 {
		return errors.New("leader: Redis: ReadTimeout and WriteTimeout must not be -2: a command must not outlive the lock")
	}
	return nil
}
