// Package redisurl makes Redis clients for the bridge out of URLs.
package redisurl

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// Mode says what a URL names.
type Mode string

const (
	Single   Mode = "single"   // one Redis
	Sentinel Mode = "sentinel" // Sentinels that know the primary
	Cluster  Mode = "cluster"  // nodes of a cluster
)

// Options are what a client is made of.
type Options struct {
	// Exactly one is set.
	single   *redis.Options
	sentinel *redis.FailoverOptions
	cluster  *redis.ClusterOptions
}

// Parse reads a URL. Its errors hold no password, also where a password that is not
// escaped makes the URL malformed.
func Parse(text string, mode Mode) (Options, error) {
	u, err := url.Parse(text)
	if err != nil || u.Opaque != "" || u.Fragment != "" || strings.Contains(u.EscapedPath()+u.RawQuery, "@") {
		return Options{}, errors.New("it is no URL of a Redis: write redis://user:password@host:port/db, " +
			"and %40 %3A %2F %23 %3F for @ : / # ? in a password")
	}
	switch {
	case u.Scheme == "unix" && mode != Single:
		return Options{}, errors.New("unix:// names one Redis, no Sentinels and no cluster")
	case u.Scheme != "redis" && u.Scheme != "rediss" && u.Scheme != "unix":
		return Options{}, errors.New("it must begin with redis://, rediss:// or unix://")
	}
	var o Options
	switch mode {
	case Sentinel:
		o.sentinel, err = redis.ParseFailoverURL(text)
		if err == nil && o.sentinel.MasterName == "" {
			err = errors.New("the name of the primary is missing: add ?master_name=…")
		}
	case Cluster:
		o.cluster, err = redis.ParseClusterURL(text)
	default:
		o.single, err = redis.ParseURL(text)
	}
	if err != nil {
		return Options{}, errors.New(strings.TrimPrefix(err.Error(), "redis: "))
	}
	o.harden()
	return o, nil
}

// harden sets what the bridge relies on, whatever the URL says.
func (o Options) harden() {
	quiet := &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	switch {
	case o.sentinel != nil:
		o.sentinel.ContextTimeoutEnabled, o.sentinel.DisableIdentity = true, true
	case o.cluster != nil:
		o.cluster.ContextTimeoutEnabled, o.cluster.DisableIdentity = true, true
		o.cluster.MaintNotificationsConfig = quiet
	default:
		o.single.ContextTimeoutEnabled, o.single.DisableIdentity = true, true
		o.single.MaintNotificationsConfig = quiet
	}
}

// Password is where the password for the Redis nodes stands.
func (o Options) Password() *string {
	switch {
	case o.sentinel != nil:
		return &o.sentinel.Password
	case o.cluster != nil:
		return &o.cluster.Password
	}
	return &o.single.Password
}

// Address is where the Redis is, without any secret.
func (o Options) Address() string {
	switch {
	case o.sentinel != nil:
		return o.sentinel.MasterName + " at " + strings.Join(o.sentinel.SentinelAddrs, ", ")
	case o.cluster != nil:
		return strings.Join(o.cluster.Addrs, ", ")
	}
	return o.single.Addr
}

// Client makes a client. It connects to nothing yet.
func (o Options) Client() redis.UniversalClient { return o.client(0, nil) }

// Dial makes a connection.
type Dial func(ctx context.Context, network, address string) (net.Conn, error)

// LeaderClient makes a client for a leader: its commands are not tried again behind its
// back, since it counts its trust in the lock from before each try. All connections go
// through wrap; nil: nothing is between.
func (o Options) LeaderClient(wrap func(Dial) Dial) redis.UniversalClient { return o.client(-1, wrap) }

// client makes a client from a copy of the options.
func (o Options) client(retries int, wrap func(Dial) Dial) redis.UniversalClient {
	switch {
	case o.sentinel != nil:
		c := *o.sentinel
		set(&c.MaxRetries, retries)
		if wrap != nil {
			c.Dialer = wrap(dialer(c.DialTimeout, c.TLSConfig))
		}
		return redis.NewFailoverClient(&c)
	case o.cluster != nil:
		c := *o.cluster
		set(&c.MaxRetries, retries)
		if wrap != nil {
			c.Dialer = wrap(dialer(c.DialTimeout, c.TLSConfig))
		}
		return redis.NewClusterClient(&c)
	}
	c := *o.single
	set(&c.MaxRetries, retries)
	if wrap != nil {
		c.Dialer = wrap(dialer(c.DialTimeout, c.TLSConfig))
	}
	return redis.NewClient(&c)
}

func set(retries *int, value int) {
	if value != 0 {
		*retries = value
	}
}

// defaultDialTimeout is go-redis's own.
const defaultDialTimeout = 5 * time.Second

func dialer(timeout time.Duration, config *tls.Config) Dial {
	if timeout <= 0 {
		timeout = defaultDialTimeout
	}
	plain := &net.Dialer{Timeout: timeout}
	if config == nil {
		return plain.DialContext
	}
	return (&tls.Dialer{NetDialer: plain, Config: config}).DialContext
}
