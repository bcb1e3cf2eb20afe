package leader

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/internal/redisnode"
	"github.com/catbridge/catbridge/internal/wire"
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

	// Timings holds the protocol's durations. The zero value means [DefaultTimings].
	Timings Timings

	// Host is the host name in the leader's ID; it shows in the lock where the leader runs. If
	// it is empty, the operating system's host name is used. If it is "-", the ID has no host
	// name.
	Host string

	// Logger receives the events, each with the attribute event_id (S100). If it is nil,
	// the leader uses what slog.Default returns during New, at level warn and above. Use
	// slog.New(slog.DiscardHandler) to log nothing. The handler must not wait for the leader.
	Logger *slog.Logger

	// Tracer records each poll as a trace. Traces contain the SDK key's name, never the SDK key.
	// If it is nil, nothing is recorded. Package leader/otel has one for OpenTelemetry.
	Tracer Tracer

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
	// ConnectTimeout bounds connecting to the CDN (S8). 0: 10 s. Negative: an error.
	ConnectTimeout time.Duration
	// HTTPTimeout bounds a whole request to the CDN (S8). 0: 30 s. Negative: an error.
	HTTPTimeout time.Duration

	// ExpectedFollowers is the number of followers that read from this Redis. It determines
	// the spread window. If it is 0, the leader uses the number of receivers of its messages.
	ExpectedFollowers int
	// SubscriberNodes is the number of Redis nodes that serve subscribers: Redis counts a
	// message's receivers on one node only. If it is 0, it is 1.
	SubscriberNodes int
	// ReadBudget is the peak number of bytes per second that all followers together read
	// after a change (I12). If it is 0, it is 50 MB/s.
	ReadBudget int64

	// HistoryEntries is the greatest number of changes that the history of an SDK key has, see
	// package history. 0: 100. Negative: the leader does not extend the history. At most 10,000.
	HistoryEntries int
	// HistoryBytes is the greatest size of the history of an SDK key. The newest change always stays.
	// 0: 256 KiB. Negative: the leader does not extend the history. At most 64 MiB.
	HistoryBytes int
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

// check returns all errors of the configuration at once, except those of the SDK keys.
func (c *Config) check() error {
	errs := []error{c.Timings.check(), checkRedis(c.Redis)}
	if err := cachekeys.CheckNamespace(c.Namespace); err != nil {
		errs = append(errs, fmt.Errorf("leader: Namespace: %w", err))
	}
	if c.ExpectedFollowers < 0 || c.SubscriberNodes < 0 || c.ReadBudget < 0 {
		errs = append(errs, errors.New("leader: ExpectedFollowers, SubscriberNodes and ReadBudget must not be negative"))
	}
	if c.HistoryEntries > wire.MaxHistoryEntries {
		errs = append(errs, fmt.Errorf("leader: HistoryEntries: %d is above %d", c.HistoryEntries, wire.MaxHistoryEntries))
	}
	if c.HistoryBytes > wire.MaxHistoryBytes {
		errs = append(errs, fmt.Errorf("leader: HistoryBytes: %d is above %d", c.HistoryBytes, wire.MaxHistoryBytes))
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
