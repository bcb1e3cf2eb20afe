package cdn

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"
)

// DataGovernance names the CDN that a client without a base URL of its own
// begins with (S10).
type DataGovernance int

const (
	Global DataGovernance = iota // https://cdn-global.configcat.com
	EUOnly                       // https://cdn-eu.configcat.com
)

func (g DataGovernance) baseURL() (string, error) {
	switch g {
	case Global:
		return "https://cdn-global.configcat.com", nil
	case EUOnly:
		return "https://cdn-eu.configcat.com", nil
	}
	return "", fmt.Errorf("data governance %d is unknown: it is Global (%d) or EUOnly (%d)", int(g), int(Global), int(EUOnly))
}

// Defaults of [Config].
const (
	DefaultConnectTimeout = 10 * time.Second
	DefaultReadTimeout    = 30 * time.Second
	DefaultMaxBodyBytes   = 8 << 20
	DefaultUserAgent      = "ConfigCat-Go-catbridge/l-0.1.0"
)

// maxMaxBodyBytes keeps a mistyped limit from being none.
const maxMaxBodyBytes = 1 << 30

// Config says what to fetch and from where. All but SDKKey may be zero.
type Config struct {
	// SDKKey is checked by the rules of S3.
	SDKKey string
	// BaseURL replaces the ConfigCat CDN (S4): http or https, a host, and a path
	// if need be, such as https://cdn.example.com/flags. User and password in it
	// are sent as basic authentication. Empty: the CDN of DataGovernance.
	BaseURL string
	// DataGovernance is ignored where BaseURL is given (S10).
	DataGovernance DataGovernance

	// Transport carries the requests (S7). It must heed the request's context,
	// and, unless AllowPrivate is meant, connect to no private address by
	// itself: only names and literal addresses are checked before it is asked.
	// Nil: a transport of the fetcher's own, see the package documentation.
	Transport http.RoundTripper
	// Transports shares the connections of many fetchers; nil: they are the
	// fetcher's own. Ignored where Transport is given.
	Transports *Transports
	// ProxyURL is an http, https, socks5 or socks5h proxy, with user and password
	// if it asks for them (S7). Empty: as $HTTPS_PROXY, $HTTP_PROXY and $NO_PROXY say,
	// see [http.ProxyFromEnvironment]. Not together with Transport.
	ProxyURL string
	// Roots are the authorities to trust in place of the system's, for the CDN and for an
	// https proxy. Nil: the system's. Not together with Transport.
	Roots *Roots
	// ConnectTimeout bounds name look-up, connection and, counted anew, the TLS
	// handshake of the fetcher's own transport (S8). 0: 10 s.
	ConnectTimeout time.Duration
	// ReadTimeout bounds one whole request, from its start to the last byte of
	// the answer's body (S8). 0: 30 s.
	ReadTimeout time.Duration
	// MaxBodyBytes bounds a body, both as it arrives and decompressed; at most
	// 1 GiB. 0: 8 MiB.
	MaxBodyBytes int64

	// AllowedHosts are the hosts that a redirect may lead to, besides
	// *.configcat.com and the host of BaseURL: host, host:port or *.domain.
	AllowedHosts []string
	// AllowPrivate lets redirects lead to loopback, private, link-local and
	// other addresses that are not on the internet, if the host is allowed. What
	// BaseURL and ProxyURL themselves name may always be such an address.
	AllowPrivate bool

	// UserAgent is sent as User-Agent and X-ConfigCat-UserAgent (S80).
	// Empty: DefaultUserAgent.
	UserAgent string
	// Check is called with the body of every answer that would be returned,
	// after the checks of S77 that concern the whole of it; its error makes the
	// answer a 1105. It must not keep or change the slice. Nil: no further check.
	Check func(json []byte) error
	// Logger gets event 3002 and debug lines (S100). Nil: none.
	Logger *slog.Logger
}

// New checks cfg and makes a fetcher of it. It sends nothing. Its errors name
// the field and hold no secret.
func New(cfg Config) (*Fetcher, error) {
	if err := CheckSDKKey(cfg.SDKKey, cfg.BaseURL != ""); err != nil {
		return nil, fmt.Errorf("cdn: SDKKey: %w", err)
	}
	base, err := parseBase(cfg)
	if err != nil {
		return nil, fmt.Errorf("cdn: %w", err)
	}
	proxies, err := newProxies(cfg)
	if err != nil {
		return nil, fmt.Errorf("cdn: %w", err)
	}
	allowed, err := newHostPolicy(base, cfg.AllowedHosts, cfg.AllowPrivate)
	if err != nil {
		return nil, fmt.Errorf("cdn: AllowedHosts: %w", err)
	}
	if cfg.UserAgent == "" {
		cfg.UserAgent = DefaultUserAgent
	}
	switch {
	case cfg.Roots != nil && cfg.Transport != nil:
		return nil, errors.New("cdn: RootCAs: give them to the Transport, which is set too")
	case cfg.ConnectTimeout < 0:
		return nil, fmt.Errorf("cdn: ConnectTimeout: %v is negative", cfg.ConnectTimeout)
	case cfg.ReadTimeout < 0:
		return nil, fmt.Errorf("cdn: ReadTimeout: %v is negative", cfg.ReadTimeout)
	case cfg.MaxBodyBytes < 0 || cfg.MaxBodyBytes > maxMaxBodyBytes:
		return nil, fmt.Errorf("cdn: MaxBodyBytes: %d is not between 0 and %d", cfg.MaxBodyBytes, int64(maxMaxBodyBytes))
	case !isFieldValue(cfg.UserAgent):
		return nil, fmt.Errorf("cdn: UserAgent: %q cannot be sent in a header", cfg.UserAgent)
	}
	if cfg.ConnectTimeout == 0 {
		cfg.ConnectTimeout = DefaultConnectTimeout
	}
	if cfg.ReadTimeout == 0 {
		cfg.ReadTimeout = DefaultReadTimeout
	}
	if cfg.MaxBodyBytes == 0 {
		cfg.MaxBodyBytes = DefaultMaxBodyBytes
	}
	return newFetcher(cfg, base, proxies, allowed), nil
}

func parseBase(cfg Config) (*url.URL, error) {
	if cfg.BaseURL == "" {
		text, err := cfg.DataGovernance.baseURL()
		if err != nil {
			return nil, fmt.Errorf("DataGovernance: %w", err)
		}
		return parseHTTPURL(text)
	}
	base, err := parseHTTPURL(cfg.BaseURL)
	if err != nil {
		return nil, fmt.Errorf("BaseURL: %w", err)
	}
	return base, nil
}
