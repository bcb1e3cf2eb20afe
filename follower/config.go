package follower

import (
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/internal/eventlog"
)

// DefaultMaxInitWait is the default of Config.MaxInitWait.
const DefaultMaxInitWait = 5 * time.Second

// Config configures a [Client]. [New] copies it and does not change it.
type Config struct {
	// SDKKey selects the config (S3). Required. Logs and errors show it only masked (S103).
	SDKKey string

	// Redis is the source of the config: a *redis.Client (also for Sentinel) or a
	// *redis.ClusterClient. Required in the mode Subscribe, and if there is neither a Cache nor
	// Online. The subscription's connection uses its options. [Client.Close] does not close the
	// Redis client. Several clients may share it, and then share a subscription, too, as Parts
	// in the package documentation describes.
	//
	// Its ReadTimeout bounds how long [Client.Close] and a sync wait for a Redis that does not
	// answer (3 s if it has none). Set ContextTimeoutEnabled: then they wait for at most 3 s
	// in all, whatever the ReadTimeout.
	//
	// The database is that of its options. A Redis client that selects another database by
	// other means, for instance in OnConnect, is not supported.
	Redis redis.UniversalClient

	// Namespace is the namespace of the leaders to follow, see package cachekeys. The Cache's
	// keys start with it, too. It consists of 1 to 32 ASCII letters, digits, dots, underscores
	// and hyphens. Empty: no namespace.
	Namespace string

	// PollingMode says when the client looks for a newer config (S5). Zero: [Subscribe].
	PollingMode PollingMode
	// PollInterval is the interval of polling and the age at which a config expires
	// (S40, S43). 0: [DefaultPollInterval]; below 1 s: 1 s.
	PollInterval time.Duration
	// NoWaitForRefresh makes evaluations return at once, with the config in force, if the
	// PollingMode would make them wait (S41, S43).
	NoWaitForRefresh bool

	// Online allows the client to ask the CDN itself if the content in Redis is missing or has
	// expired (S13). What it fetches is never written to Redis, see Sources in the package
	// documentation. See also [Client.SetOnline].
	Online bool
	// Offline states the default explicitly: no HTTP requests. It excludes Online.
	Offline bool
	// Cache keeps what the client fetched itself, and is read if Redis has no content (S6).
	// Nil: no cache. Its keys contain the SDK key and the namespace, as in the official SDKs,
	// but neither the Redis server nor the database: fleets that differ only in these need
	// separate Caches.
	Cache Cache

	// SnapshotFile is the path of a file that keeps the last known good config for a start
	// without Redis and CDN. Empty: no file. It must be a regular file, or a link to one, in an
	// existing directory. Each SDK key, namespace and database needs its own.
	//
	// New reads the file. After each change the client replaces it atomically in the
	// background, or, if it is a link, its target. A failed write is logged (6017) and retried
	// every 5 s.
	//
	// A config from the file is not reported as up to date until Redis or the CDN confirms it.
	// A client that shares a subscription ignores its file if the others already have content
	// from Redis. A config in it that the client fetched itself is replaced as Sources in the
	// package documentation describes.
	SnapshotFile string

	// BaseURL replaces the ConfigCat CDN (S4), for example https://cdn.example.com/flags.
	// Empty: the CDN of DataGovernance.
	BaseURL string
	// DataGovernance selects the CDN (S10). Zero: [Global].
	DataGovernance DataGovernance
	// Transport sends the requests to the CDN (S7). It must return when their contexts end,
	// and must not wait for the client. Nil: the client uses its own.
	Transport http.RoundTripper
	// ProxyURL is the URL of an http, https, socks5 or socks5h proxy for requests to the CDN,
	// optionally with user and password (S7). Empty: $HTTPS_PROXY, $HTTP_PROXY and $NO_PROXY
	// decide. It excludes Transport.
	ProxyURL string
	// RootCAs are the authorities to trust for the CDN instead of the system's, such as the
	// authority of a proxy that inspects TLS (S7). It must not be changed afterwards. Nil:
	// the system's. It excludes Transport.
	RootCAs *x509.CertPool
	// AllowedHosts are the hosts that the CDN may redirect to, in addition to ConfigCat's own
	// and the host of BaseURL: host, host:port or *.domain (S7). Other redirects are refused.
	AllowedHosts []string
	// AllowPrivate allows redirects to loopback, private, link-local and other addresses that
	// are not on the internet, if their host is allowed. BaseURL and the proxy may always
	// have such an address.
	AllowPrivate bool
	// ConnectTimeout bounds connecting to the CDN (S8). 0: 10 s.
	ConnectTimeout time.Duration
	// HTTPTimeout bounds a whole request to the CDN (S8). 0: 30 s.
	HTTPTimeout time.Duration

	// Logger receives the events, each with the attribute event_id (S100). Nil: the logger
	// that slog.Default returns when New is called. To log nothing, use
	// slog.New(slog.DiscardHandler). The client's own goroutines call its handler, too, so it
	// must neither wait for the client nor close it. It may evaluate flags only in the mode
	// Subscribe.
	Logger *slog.Logger
	// LogLevel is the minimum level of events; Logger may drop more (S100). It is a slog.Level
	// such as [LogLevelError], or a *slog.LevelVar that can be changed later. Nil:
	// [LogLevelWarn]. At level info every evaluation logs its steps (S101), which takes a
	// hundred times as long as the evaluation.
	LogLevel slog.Leveler

	// DefaultUser is the user of evaluations that are called without a user (S11). Nil: no
	// user.
	DefaultUser User

	// FlagOverrides are local settings (S9). Nil: no overrides.
	FlagOverrides *FlagOverrides

	// Hooks are called from the start of the client on. Nil: no hooks. See also
	// [Client.OnConfigChanged].
	Hooks *Hooks

	// FleetReport is the interval ± 20 % at which this follower writes a report about itself to
	// Redis, see Report in the package documentation. From 5 s to 5 min. 0: no reports. The
	// Redis user needs the rights to ZADD and ZREMRANGEBYSCORE on the key.
	FleetReport time.Duration
	// FleetName is the name of this follower in its reports; a random part is appended. Empty:
	// the host name, which everyone with read access to the key in Redis then sees.
	FleetName string

	// MaxInitWait is how long [Client.Ready] waits for the first sync, and how long an
	// evaluation in the modes AutoPoll and Manual waits for Ready (S40, S41). 0:
	// [DefaultMaxInitWait]. Negative: without limit. With 1 ns the client is ready at once.
	MaxInitWait time.Duration

	// Timings contains the durations of the protocol. The zero value means the defaults.
	Timings Timings
}

// Timings contains the durations of the protocol. A zero means the default; negative ones are
// refused. They must fit together: Idle < Dead, Poll ≤ MetaReread, BackoffMin ≤ BackoffMax.
// They must also match the leader's: Dead must be more than twice the heartbeat interval, and
// 2 × Dead more than the lock's expiry. If the leader's messages state a long heartbeat
// interval, the follower checks for a leader after three intervals instead of Dead.
type Timings struct {
	// Idle is how long a connection may be silent before the follower sends a PING. Default
	// 5 s.
	Idle time.Duration
	// Dead is how long a connection may be silent before the follower gives it up, and how
	// long heartbeats may be missing before it checks for a leader. Default 10 s.
	Dead time.Duration
	// Ack bounds each of connecting, logging in and the acknowledgement of SUBSCRIBE. After
	// timeouts it is up to four times as long. The Redis client's DialTimeout bounds
	// connecting, too. If many feeds of a process connect to one Redis, they wait for each
	// other first, which does not count. Default 2 s.
	Ack time.Duration
	// MetaReread is the interval ± 50 % at which the follower asks Redis which content is
	// current even though messages arrive. Default 60 s.
	MetaReread time.Duration
	// Poll ± 20 % is the interval instead of MetaReread while no subscription is possible.
	// Default 5 s.
	Poll time.Duration
	// Resubscribe is the interval ± 50 % at which the follower tries to subscribe while it
	// polls. Default 30 s.
	Resubscribe time.Duration
	// BackoffMin and BackoffMax bound the pause before reconnecting. The first pause is a
	// random part of BackoffMin, the next of twice that, up to BackoffMax. Defaults 0.2 s and
	// 5 s.
	BackoffMin time.Duration
	BackoffMax time.Duration
}

// DefaultTimings returns the durations that zeros in [Timings] stand for.
func DefaultTimings() Timings {
	return Timings{
		Idle: 5 * time.Second, Dead: 10 * time.Second, Ack: 2 * time.Second,
		MetaReread: 60 * time.Second, Poll: 5 * time.Second, Resubscribe: 30 * time.Second,
		BackoffMin: 200 * time.Millisecond, BackoffMax: 5 * time.Second,
	}
}

// FastTimings returns the durations of the fast profile, for fleets whose leaders use it too.
func FastTimings() Timings {
	t := DefaultTimings()
	t.Idle, t.Dead, t.MetaReread = 2*time.Second, 4*time.Second, 15*time.Second
	return t
}

// complete returns t with the defaults, and checks it.
func (t Timings) complete() (Timings, error) {
	def := DefaultTimings()
	var errs []error
	for _, d := range []struct {
		name  string
		value *time.Duration
		def   time.Duration
	}{
		{"Idle", &t.Idle, def.Idle}, {"Dead", &t.Dead, def.Dead}, {"Ack", &t.Ack, def.Ack},
		{"MetaReread", &t.MetaReread, def.MetaReread}, {"Poll", &t.Poll, def.Poll},
		{"Resubscribe", &t.Resubscribe, def.Resubscribe},
		{"BackoffMin", &t.BackoffMin, def.BackoffMin}, {"BackoffMax", &t.BackoffMax, def.BackoffMax},
	} {
		switch {
		case *d.value == 0:
			*d.value = d.def
		case *d.value < time.Millisecond:
			errs = append(errs, fmt.Errorf("Timings.%s is %v, want at least 1ms, or 0 for %v", d.name, *d.value, d.def))
		}
	}
	fits := func(ok bool, low string, a time.Duration, relation, high string, b time.Duration) {
		if !ok {
			errs = append(errs, fmt.Errorf("Timings.%s (%v) must be %s Timings.%s (%v)", low, a, relation, high, b))
		}
	}
	fits(t.Idle < t.Dead, "Idle", t.Idle, "less than", "Dead", t.Dead)
	fits(t.Poll <= t.MetaReread, "Poll", t.Poll, "at most", "MetaReread", t.MetaReread)
	fits(t.BackoffMin <= t.BackoffMax, "BackoffMin", t.BackoffMin, "at most", "BackoffMax", t.BackoffMax)
	return t, errors.Join(errs...)
}

// complete checks the config. It returns the config with its defaults, and its fetcher, which
// is nil if the client has only overrides.
func (c Config) complete() (Config, *fetcher, error) {
	c.Logger = eventlog.AtLeast(c.Logger, c.LogLevel)
	if c.isLocalOnly() {
		c, err := c.completeLocal()
		return c, nil, err
	}
	var errs []error
	fetcher, err := c.newFetcher()
	if err != nil {
		errs = append(errs, err)
	}
	if c.HTTPTimeout < 0 {
		errs = append(errs, fmt.Errorf("Config.HTTPTimeout is %v, want at least 0", c.HTTPTimeout))
	}
	if c.Online && c.Offline {
		errs = append(errs, errors.New("Config.Online and Config.Offline contradict each other"))
	}
	if c.PollingMode < Subscribe || c.PollingMode > Manual {
		errs = append(errs, fmt.Errorf("Config.PollingMode is %v, want Subscribe, AutoPoll, Lazy or Manual", c.PollingMode))
	}
	switch {
	case c.PollInterval == 0:
		c.PollInterval = DefaultPollInterval
	case c.PollInterval < minPollInterval:
		c.PollInterval = minPollInterval
	}
	switch client := c.Redis.(type) {
	case nil:
		if c.PollingMode == Subscribe || c.Cache == nil && !c.Online {
			errs = append(errs, errors.New("Config.Redis is missing"))
		}
	case *redis.Client:
		if client == nil {
			errs = append(errs, errors.New("Config.Redis is a nil *redis.Client"))
		}
	case *redis.ClusterClient:
		if client == nil {
			errs = append(errs, errors.New("Config.Redis is a nil *redis.ClusterClient"))
		}
	default:
		errs = append(errs, fmt.Errorf("Config.Redis is a %T, want a *redis.Client or a *redis.ClusterClient", client))
	}
	if err := cachekeys.CheckNamespace(c.Namespace); err != nil {
		errs = append(errs, fmt.Errorf("Config.Namespace: %w", err))
	}
	if err := c.FlagOverrides.check(); err != nil {
		errs = append(errs, err)
	}
	if _, err := c.fleetOptions(); err != nil {
		errs = append(errs, err)
	}
	if c.Timings, err = c.Timings.complete(); err != nil {
		errs = append(errs, err)
	}
	if c.MaxInitWait == 0 {
		c.MaxInitWait = DefaultMaxInitWait
	}
	if err := errors.Join(errs...); err != nil {
		return c, nil, fmt.Errorf("follower: %w", err)
	}
	return c, fetcher, nil
}
