package follower

import (
	"crypto/x509"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"time"

	"github.com/redis/go-redis/v9"
)

// The defaults of [Config].
const (
	DefaultPollInterval = 60 * time.Second
	DefaultMaxInitWait  = 5 * time.Second
)

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
	Cache ConfigCache

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
	// ConnectTimeout bounds connecting to the CDN (S8). 0: 10 s. Negative: an error.
	ConnectTimeout time.Duration
	// HTTPTimeout bounds a whole request to the CDN (S8). 0: 30 s. Negative: an error.
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

	// Timings contains the durations of the protocol. The zero value means [DefaultTimings].
	Timings Timings
}

// LogLevel is the type of the levels, for services that name it as in the official Go SDK.
type LogLevel = slog.Level

// The levels of Config.LogLevel (S100).
const (
	LogLevelDebug = slog.LevelDebug
	LogLevelInfo  = slog.LevelInfo // every evaluation logs its steps (S101)
	LogLevelWarn  = slog.LevelWarn
	LogLevelError = slog.LevelError
	LogLevelNone  = slog.Level(math.MaxInt) // nothing is logged
)

// DataGovernance selects the CDN that an online client asks (S10).
type DataGovernance int

const (
	Global DataGovernance = iota // https://cdn-global.configcat.com
	EUOnly                       // https://cdn-eu.configcat.com
)

// PollingMode says when a client looks for a newer config (S5).
type PollingMode int

const (
	// Subscribe: the client receives each change from Redis by pub/sub. Evaluations do not
	// wait. If the client is online, it asks the CDN when the content is missing or expired.
	// Content expires after the leader's poll interval plus 15 s, without a leader after
	// PollInterval.
	Subscribe PollingMode = iota
	// AutoPoll: the client reads Redis or the Cache every PollInterval. If it is online, it
	// also asks the CDN if their content has expired (S42). Evaluations wait until this was
	// done once, but at most MaxInitWait (S41).
	AutoPoll
	// Lazy: like AutoPoll, but an evaluation triggers the read if the config in force has
	// expired. The evaluation waits for the read unless NoWaitForRefresh is set (S43).
	Lazy
	// Manual: the client reads Redis or the Cache every PollInterval. An evaluation reads them,
	// too, if no config is in force, unless the last read failed. Only [Client.Refresh] asks
	// the CDN (S44).
	Manual
)

// String returns the constant's name.
func (m PollingMode) String() string {
	switch m {
	case Subscribe:
		return "Subscribe"
	case AutoPoll:
		return "AutoPoll"
	case Lazy:
		return "Lazy"
	case Manual:
		return "Manual"
	}
	return fmt.Sprintf("PollingMode(%d)", int(m))
}

// letter returns the mode's letter in the User-Agent, as in the official SDKs.
func (m PollingMode) letter() string {
	switch m {
	case AutoPoll:
		return "a"
	case Lazy:
		return "l"
	case Manual:
		return "m"
	default:
		return "s"
	}
}
