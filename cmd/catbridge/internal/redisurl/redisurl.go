package redisurl

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/catbridge/catbridge/cachekeys"
)

// Options create clients. They are checked settings.
type Options struct {
	settings Settings
	password *fresh[string]      // nil: the settings contain the password, if any
	tls      *fresh[*tls.Config] // nil: no TLS
}

// New checks the settings, and reads the files that they name. It returns all errors at
// once, joined. They are of type [*FieldError].
func New(s Settings) (Options, error) {
	errs := []error{s.complete()}
	o := Options{settings: s}
	if s.PasswordFile != "" {
		var err error
		o.password, err = newFresh(func() (string, error) { return readPassword(s.PasswordFile) })
		if err != nil {
			errs = append(errs, &FieldError{"password_file", err.Error()})
		}
	}
	if s.TLS != (TLS{}) {
		var err error
		o.tls, err = newFresh(s.TLS.config)
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return Options{}, err
	}
	return o, nil
}

// Address returns the address of Redis for messages. It contains no secret.
func (o Options) Address() string {
	switch s := o.settings; {
	case s.Socket != "":
		return s.Socket
	case s.Mode == Sentinel:
		return s.MasterName + " at " + strings.Join(s.Addresses, ", ")
	default:
		return strings.Join(s.Addresses, ", ")
	}
}

// URL returns a URL with the first address. It contains no secret.
func (o Options) URL() string {
	s := o.settings
	if s.Socket != "" {
		return "unix://" + s.Socket
	}
	u := url.URL{Scheme: "redis", Host: s.Addresses[0]}
	if s.TLS.Enabled {
		u.Scheme = "rediss"
	}
	if s.DB > 0 {
		u.Path = "/" + strconv.Itoa(s.DB)
	}
	return u.String()
}

// DB returns the database.
func (o Options) DB() int { return o.settings.DB }

// Namespace returns the namespace; empty: no namespace.
func (o Options) Namespace() string { return o.settings.Namespace }

// Keys returns the names of the Redis keys and the channel of an SDK key, in the database and
// the namespace.
func (o Options) Keys(sdkKey string) cachekeys.Keys {
	return cachekeys.For(sdkKey, o.settings.Namespace, o.settings.DB)
}

// In returns the same options for another database.
func (o Options) In(db int) Options {
	o.settings.DB = db
	return o
}

// Client returns a new client, which connects with its first command.
func (o Options) Client() redis.UniversalClient { return o.client(0, nil) }

// Dial opens a connection.
type Dial func(ctx context.Context, network, address string) (net.Conn, error)

// LeaderClient returns a new client for a leader. The client does not retry commands, because
// the leader trusts the lock from the time before each attempt. If wrap is not nil, it wraps
// the function that opens connections.
func (o Options) LeaderClient(wrap func(Dial) Dial) redis.UniversalClient { return o.client(-1, wrap) }

// client returns a new client. Some options do not depend on the settings, because the bridge
// relies on them: commands end with their contexts, the client sends no commands that users
// with few rights may not send, and it does not retry a dial. When Sentinels replace a primary
// that hangs, the retried dials of all waiting commands would each connect to the new one.
func (o Options) client(retries int, wrap func(Dial) Dial) redis.UniversalClient {
	s := o.settings
	var dial Dial = o.dial
	if wrap != nil {
		dial = wrap(dial)
	}
	// Pipelines use the same pool as commands: a pool of their own has four times the buffers,
	// and adds connections to each process.
	switch s.Mode {
	case Sentinel:
		return redis.NewFailoverClient(&redis.FailoverOptions{
			MasterName: s.MasterName, SentinelAddrs: s.Addresses,
			SentinelUsername: s.SentinelUsername, SentinelPassword: s.SentinelPassword,
			CredentialsProviderContext: o.credentials(), DB: s.DB,
			Dialer: dial, MaxRetries: retries, DialerRetries: 1, Protocol: s.Protocol,
			DialTimeout: s.DialTimeout, ReadTimeout: s.ReadTimeout, WriteTimeout: s.WriteTimeout,
			PoolSize: s.PoolSize, PipelinePoolSize: -1, ConnMaxIdleTime: s.ConnMaxIdleTime, ConnMaxLifetime: s.ConnMaxLifetime,
			ContextTimeoutEnabled: true, DisableIdentity: true,
		})
	case Cluster:
		return redis.NewClusterClient(&redis.ClusterOptions{
			Addrs:                      s.Addresses,
			CredentialsProviderContext: o.credentials(),
			Dialer:                     dial, MaxRetries: retries, DialerRetries: 1, Protocol: s.Protocol,
			DialTimeout: s.DialTimeout, ReadTimeout: s.ReadTimeout, WriteTimeout: s.WriteTimeout,
			PoolSize: s.PoolSize, PipelinePoolSize: -1, ConnMaxIdleTime: s.ConnMaxIdleTime, ConnMaxLifetime: s.ConnMaxLifetime,
			ContextTimeoutEnabled: true, DisableIdentity: true,
			MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
		})
	}
	network, address := "tcp", ""
	if s.Socket != "" {
		network, address = "unix", s.Socket
	} else {
		address = s.Addresses[0]
	}
	return redis.NewClient(&redis.Options{
		Network: network, Addr: address,
		CredentialsProviderContext: o.credentials(), DB: s.DB,
		Dialer: dial, MaxRetries: retries, DialerRetries: 1, Protocol: s.Protocol,
		DialTimeout: s.DialTimeout, ReadTimeout: s.ReadTimeout, WriteTimeout: s.WriteTimeout,
		PoolSize: s.PoolSize, PipelinePoolSize: -1, ConnMaxIdleTime: s.ConnMaxIdleTime, ConnMaxLifetime: s.ConnMaxLifetime,
		ContextTimeoutEnabled: true, DisableIdentity: true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	})
}

// credentials returns a function that go-redis calls for each new connection, or nil if there
// is no password.
func (o Options) credentials() func(context.Context) (string, string, error) {
	s := o.settings
	if s.Password == "" && o.password == nil {
		return nil
	}
	return func(context.Context) (string, string, error) {
		if o.password != nil {
			return s.Username, o.password.get(), nil
		}
		return s.Username, s.Password, nil
	}
}

// defaultDialTimeout is go-redis's default.
const defaultDialTimeout = 5 * time.Second

// dial's errors are one line each, and say what to do.
func (o Options) dial(ctx context.Context, network, address string) (net.Conn, error) {
	timeout := o.settings.DialTimeout
	if timeout <= 0 {
		timeout = defaultDialTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	plain, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil || o.tls == nil {
		return plain, err
	}
	config := o.tls.get().Clone()
	if config.ServerName == "" {
		config.ServerName, _, _ = net.SplitHostPort(address)
	}
	conn := tls.Client(plain, config)
	if err := conn.HandshakeContext(ctx); err != nil {
		plain.Close()
		return nil, explainTLS(err, config.ServerName)
	}
	return &tlsConn{conn}, nil
}

// tlsConn explains errors that the server sends after the handshake. With TLS 1.3, a server
// rejects a client certificate only then.
type tlsConn struct{ *tls.Conn }

func (c *tlsConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if err != nil {
		err = explainTLS(err, "")
	}
	return n, err
}
