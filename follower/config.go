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

// DefaultMaxInitWait is how long [Client.Ready] waits for the first sync by default (S40).
const DefaultMaxInitWait = 5 * time.Second

// Config configures a [Client]. It is not changed after [New], and [New] keeps no
// reference to it.
type Config struct {
	// SDKKey says which config is wanted (S3). Required. It is never shown in full (S103).
	SDKKey string

	// Redis is where the config comes from: a *redis.Client (Sentinel's too) or a
	// *redis.ClusterClient. Required, unless the PollingMode is another than Subscribe and
	// there is a Cache, or the client is online. The client takes the connection for its
	// subscription's options from it, and does not close it; several clients may
	// share it. Its ReadTimeout bounds how long [Client.Close] and a sync can wait
	// for a Redis that does not answer (3 s where there is none). ContextTimeoutEnabled is
	// advised: then that is at most 3 s, whatever the ReadTimeout, and with all retries.
	// Clients of one SDK key and Namespace with the same Redis share one subscription, its
	// reads and the config. The database is that of its options: a client that selects
	// another one by other means, in OnConnect for instance, is not supported.
	Redis redis.UniversalClient

	// Namespace is that of the leaders to follow: it sets them apart from others with the
	// same SDK key in the same database of Redis, see package cachekeys. The Cache's keys
	// begin with it, too. 1 to 32 letters and digits of ASCII, dots, underscores and hyphens.
	// Empty: none.
	Namespace string

	// PollingMode says when a newer config is looked for (S5). Zero: [Subscribe].
	PollingMode PollingMode
	// PollInterval is the interval of polling and the age at which a config expires
	// (S40, S43). 0: [DefaultPollInterval]; below 1 s: 1 s.
	PollInterval time.Duration
	// NoWaitForRefresh lets evaluations answer at once with what is there, where the
	// PollingMode would have them wait (S41, S43).
	NoWaitForRefresh bool

	// Online lets the client ask the CDN itself when what Redis holds is missing or has
	// expired (S13). What it fetches stays in memory, in the Cache and in the SnapshotFile: it writes
	// nothing to Redis. Other content of Redis replaces it once the CDN answered about that later. It can be changed later, see [Client.SetOnline].
	Online bool
	// Offline says aloud what is the default: no HTTP, ever. Not together with Online.
	Offline bool
	// Cache keeps what the client itself fetched, and gives it where Redis has none (S6); nil: none.
	// Its keys name the SDK key and the namespace, as the official SDKs' do, and not the Redis or its
	// database: fleets with one SDK key there need a Cache each.
	Cache Cache

	// SnapshotFile is the path of a file that keeps the last known good config from one
	// start to the next, for a start without Redis and CDN; empty: none. New reads it.
	// It is replaced as a whole in the background after each change, a link's target if it
	// is a link; a write that fails is logged (6017) and tried again every 5 s. It is the
	// client's own: one regular file for each SDK key, namespace and database, in a
	// directory that is there. A config from
	// it is never reported as up to date, before Redis or the CDN confirmed it. A client
	// that joins another of the same process, see Redis, takes its file only as long as
	// that has nothing from Redis: what Redis has given is what counts for all of them. But a
	// config that the client had fetched itself stays in force until Redis has one about which
	// the CDN answered later.
	SnapshotFile string

	// BaseURL replaces the ConfigCat CDN (S4), such as https://cdn.example.com/flags;
	// empty: the CDN of DataGovernance.
	BaseURL string
	// DataGovernance says which CDN is asked (S10). Zero: [Global].
	DataGovernance DataGovernance
	// Transport carries the requests to the CDN (S7). It must heed their contexts, and not
	// wait for the client. Nil: one of the client's own.
	Transport http.RoundTripper
	// ProxyURL is an http, https, socks5 or socks5h proxy on the way to the CDN, with
	// user and password if need be (S7). Empty: as $HTTPS_PROXY, $HTTP_PROXY and $NO_PROXY
	// say. Not together with Transport.
	ProxyURL string
	// RootCAs are the authorities to trust for the CDN instead of the system's, such as that
	// of a proxy that inspects TLS (S7). It must not be changed afterwards. Nil: the
	// system's. Not together with Transport.
	RootCAs *x509.CertPool
	// AllowedHosts are the hosts that the CDN may redirect to, besides ConfigCat's own and
	// the host of BaseURL: host, host:port or *.domain (S7). A redirect elsewhere is
	// refused.
	AllowedHosts []string
	// AllowPrivate lets redirects lead to loopback, private, link-local and other addresses
	// that are not on the internet, if their host is allowed. BaseURL and the proxy may
	// always be at such an address.
	AllowPrivate bool
	// ConnectTimeout bounds connecting to the CDN (S8). 0: 10 s.
	ConnectTimeout time.Duration
	// HTTPTimeout bounds a whole request to the CDN (S8). 0: 30 s.
	HTTPTimeout time.Duration

	// Logger receives the events, each with the attribute event_id (S100). Nil: what
	// slog.Default returns when the client is made; slog.New(slog.DiscardHandler) for none. Its
	// handler may evaluate flags in the mode Subscribe, but must not wait for the client,
	// nor close it: it is called by the client's own goroutines, too.
	Logger *slog.Logger
	// LogLevel is the level below which events are dropped, as far as Logger takes those
	// above it (S100): a slog.Level such as [LogLevelError], or a *slog.LevelVar that can
	// be changed later. Nil: [LogLevelWarn]. At level info every evaluation writes its
	// course (S101), which takes a hundred times as long as the evaluation.
	LogLevel slog.Leveler

	// DefaultUser is the user of every evaluation that is given none (S11); nil: none.
	DefaultUser User

	// FlagOverrides are settings of the process's own, beside the config or instead of it
	// (S9); nil: none.
	FlagOverrides *FlagOverrides

	// Hooks are told what happens from the first moment on; nil: none. More can be
	// added later, see [Client.OnConfigChanged].
	Hooks *Hooks

	// FleetReport is the interval, give or take 20 %, at which Redis is told that this
	// follower lives: its id, the version of this library, how it is connected, the rev and
	// the beginning of the hash of what Redis gave it, and how long its last change took, see
	// [cachekeys.FleetReport]. From that catbridge status tells how many follow and who is behind.
	// After a change the next report comes within half an interval. 5 s to 5 min; 0: none,
	// and nothing is written to Redis. The Redis user needs the rights to ZADD and ZREMRANGEBYSCORE
	// on the key. Clients that share a subscription report once.
	FleetReport time.Duration
	// FleetName is what its reports call this follower, with a random part after it; empty:
	// the name of the host, which everyone who may read the key in Redis then sees.
	FleetName string

	// MaxInitWait is how long [Client.Ready] waits for the first sync, and an evaluation
	// in the modes AutoPoll and Manual for Ready (S40, S41). 0: [DefaultMaxInitWait].
	// Negative: for as long as it takes. NoWaitForRefresh keeps evaluations from waiting
	// at all; with 1 ns the client is ready at once, too.
	MaxInitWait time.Duration

	// Timings holds the durations of the protocol. The zero value means the defaults.
	Timings Timings
}

// Timings holds the durations of the protocol. In each a zero means the default;
// negative ones are refused. They must fit together: Idle < Dead, Poll ≤ MetaReread,
// BackoffMin ≤ BackoffMax. All are to be in keeping with the leader's: Dead above twice
// the heartbeat's interval, 2 × Dead above the lock's expiry. A leader that states a longer
// interval in its messages is looked for after three of those, not after Dead.
type Timings struct {
	// Idle is how long a connection may be silent before a PING asks for a sign of life. Default 5 s.
	Idle time.Duration
	// Dead is how long nothing at all may be heard before the connection is given up,
	// and how long no heartbeat may be heard before the leader is looked for. Default 10 s.
	Dead time.Duration
	// Ack is how long connecting, logging in and the acknowledgement of SUBSCRIBE may take, each; once that was
	// too short, four times as long. The Redis client's DialTimeout bounds connecting, too. Default 2 s.
	// The wait for a connection slot, where many feeds of a process connect to one Redis, does not count.
	Ack time.Duration
	// MetaReread is the interval at which Redis is asked which content is current
	// though messages arrive, give or take 50 %. Default 60 s.
	MetaReread time.Duration
	// Poll is the same interval where no subscription is possible, give or take 20 %. Default 5 s.
	Poll time.Duration
	// Resubscribe is the interval at which a subscription is tried again while
	// polling, give or take 50 %. Default 30 s.
	Resubscribe time.Duration
	// BackoffMin and BackoffMax bound the pause before connecting again: a random part
	// of BackoffMin at first, of twice that next, up to BackoffMax. Default 0.2 s and 5 s.
	BackoffMin time.Duration
	BackoffMax time.Duration
}

// DefaultTimings are the durations that zeros in [Timings] stand for.
func DefaultTimings() Timings {
	return Timings{
		Idle: 5 * time.Second, Dead: 10 * time.Second, Ack: 2 * time.Second,
		MetaReread: 60 * time.Second, Poll: 5 * time.Second, Resubscribe: 30 * time.Second,
		BackoffMin: 200 * time.Millisecond, BackoffMax: 5 * time.Second,
	}
}

// FastTimings are the durations of the fast profile, for leaders that use it too.
func FastTimings() Timings {
	t := DefaultTimings()
	t.Idle, t.Dead, t.MetaReread = 2*time.Second, 4*time.Second, 15*time.Second
	return t
}

// complete puts the defaults for zeros and checks the result.
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

// complete checks the config and gives it with the defaults put in, and what fetches by it;
// nil: nothing does.
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
