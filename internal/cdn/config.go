package cdn

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"github.com/catbridge/catbridge/internal/version"
)

// DataGovernance selects the CDN that a client without its own base URL contacts first (S10).
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
	DefaultHTTPTimeout    = 30 * time.Second
	DefaultMaxBodyBytes   = 8 << 20
)

// LeaderMode is the mode of a leader in its user agent, where official SDKs name their polling mode.
const LeaderMode = "l"

// UserAgent returns the user agent of this SDK in a mode (S80).
func UserAgent(mode string) string { return "ConfigCat-Go-catbridge/" + mode + "-" + version.Number() }

// maxMaxBodyBytes bounds MaxBodyBytes: a mistyped value must not disable the limit.
const maxMaxBodyBytes = 1 << 30

// Config configures a [Fetcher]. Only SDKKey is required.
type Config struct {
	// SDKKey must satisfy the rules of S3.
	SDKKey string
	// BaseURL replaces the ConfigCat CDN (S4): http or https, a host, and optionally a path, for
	// example https://cdn.example.com/flags. A user and password in it are sent as basic
	// authentication. If it is empty, the CDN of DataGovernance is used.
	BaseURL string
	// DataGovernance is ignored if BaseURL is set (S10).
	DataGovernance DataGovernance

	// Transport sends the requests (S7). It must respect the request's context. Unless
	// AllowPrivate is set, it must not connect to private addresses: the fetcher checks only
	// names and literal addresses. If Transport is nil, the fetcher uses its own, see the package
	// documentation.
	Transport http.RoundTripper
	// Transports shares connections between many fetchers. If it is nil, the fetcher has its own.
	// It is ignored if Transport is set.
	Transports *Transports
	// ProxyURL is an http, https, socks5 or socks5h proxy, optionally with user and password
	// (S7). If it is empty, $HTTPS_PROXY, $HTTP_PROXY and $NO_PROXY apply, see
	// [http.ProxyFromEnvironment]. It must be empty if Transport is set.
	ProxyURL string
	// Roots are the trusted certificate authorities of the CDN and of an https proxy. If it is
	// nil, the system's are trusted. It must be nil if Transport is set.
	Roots *Roots
	// ConnectTimeout bounds name look-up and connection, and separately the TLS handshake, of the
	// fetcher's own transport (S8). 0: 10 s.
	ConnectTimeout time.Duration
	// HTTPTimeout bounds one whole request, from its start to the last byte of the answer's body
	// (S8). 0: 30 s.
	HTTPTimeout time.Duration
	// MaxBodyBytes bounds a body, both compressed and decompressed; at most 1 GiB. 0: 8 MiB.
	MaxBodyBytes int64

	// AllowedHosts are the hosts to which redirects are allowed, in addition to *.configcat.com
	// and the host of BaseURL: host, host:port or *.domain.
	AllowedHosts []string
	// AllowPrivate allows redirects to loopback, private, link-local and other addresses that are
	// not on the internet, if the host is allowed. BaseURL and ProxyURL may always be at such an
	// address.
	AllowPrivate bool

	// UserAgent is sent as User-Agent and X-ConfigCat-UserAgent (S80). If it is empty,
	// that of a leader is sent.
	UserAgent string
	// Received is called with the body of every 200 before Fetch checks it, so that the caller can
	// start work on it meanwhile. If Fetch returns content, it is that of the last call. Received
	// must neither modify the slice nor take long.
	Received func(json []byte)
	// Check is called with the body of every answer that Fetch would return, after the checks of
	// S77. If Check returns an error, Fetch fails with code 1105. Check must neither keep nor
	// modify the slice. If Check is nil, there is no further check.
	Check func(json []byte) error
	// Logger receives event 3002 and debug messages (S100). If it is nil, nothing is logged.
	Logger *slog.Logger
}

// New returns a fetcher after checking cfg. It sends nothing. Its errors name the field and
// contain no secret.
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
		cfg.UserAgent = UserAgent(LeaderMode)
	}
	switch {
	case cfg.Roots != nil && cfg.Transport != nil:
		return nil, errors.New("cdn: RootCAs: not allowed with Transport; configure them there")
	case cfg.ConnectTimeout < 0:
		return nil, fmt.Errorf("cdn: ConnectTimeout: %v is negative", cfg.ConnectTimeout)
	case cfg.HTTPTimeout < 0:
		return nil, fmt.Errorf("cdn: HTTPTimeout: %v is negative", cfg.HTTPTimeout)
	case cfg.MaxBodyBytes < 0 || cfg.MaxBodyBytes > maxMaxBodyBytes:
		return nil, fmt.Errorf("cdn: MaxBodyBytes: %d is not between 0 and %d", cfg.MaxBodyBytes, int64(maxMaxBodyBytes))
	case !isFieldValue(cfg.UserAgent):
		return nil, fmt.Errorf("cdn: UserAgent: %q cannot be sent in a header", cfg.UserAgent)
	}
	if cfg.ConnectTimeout == 0 {
		cfg.ConnectTimeout = DefaultConnectTimeout
	}
	if cfg.HTTPTimeout == 0 {
		cfg.HTTPTimeout = DefaultHTTPTimeout
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
