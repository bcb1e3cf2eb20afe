package cdn

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"
)

// Fetcher fetches one SDK key's config JSON, and remembers the base URL of the last redirect
// (S86). Fetch is not safe for concurrent use.
type Fetcher struct {
	cfg        Config // with defaults applied
	transport  http.RoundTripper
	own        *transport // nil: the transport is the caller's
	shared     bool       // other fetchers also use own
	proxies    *proxies   // nil: the transport is the caller's
	allowed    *hostPolicy
	redact     redactor
	configured *url.URL // the base URL of Config
	base       *url.URL // of the next fetch
}

// Response is a valid answer of the CDN.
type Response struct {
	// NotModified reports that the content of the sent ETag is current (S82).
	NotModified bool
	// JSON is the decompressed config JSON. The caller owns it. It is nil if NotModified.
	JSON []byte
	// ETag is the server's ETag, unchanged, or empty if the server sent none. If NotModified, it is
	// the sent ETag, whatever the server returned: no other belongs to the content.
	ETag string
	// Sent is the time just before the request of this answer was sent, with a monotonic reading.
	Sent     time.Time
	Date     time.Time // from the Date header, in whole seconds of the server's clock; zero: none
	Requests int       // number of requests sent, 1 to 5
	RayID    string    // from the CF-RAY header (S88); empty: none
	Status   int       // 200 or 304
}

func newFetcher(cfg Config, base *url.URL, proxies *proxies, allowed *hostPolicy) *Fetcher {
	f := &Fetcher{
		cfg:        cfg,
		transport:  cfg.Transport,
		allowed:    allowed,
		redact:     newRedactor(cfg.SDKKey, userOf(base)),
		configured: base,
		base:       base,
	}
	switch {
	case cfg.Transport != nil:
		return f
	case cfg.Transports != nil:
		f.own, f.shared = cfg.Transports.get(cfg, base), true
	default:
		f.own = newTransport(cfg, base, nil)
	}
	f.proxies = proxies
	f.redact = newRedactor(cfg.SDKKey, append(proxies.users(base), userOf(base))...)
	f.transport = f.own
	return f
}

func userOf(u *url.URL) *url.Userinfo {
	if u == nil {
		return nil
	}
	return u.User
}

// Close closes the idle connections of the fetcher's own transport, unless they are shared. It is
// idempotent and safe for concurrent use; Fetch still works afterwards.
func (f *Fetcher) Close() {
	if f.own != nil && !f.shared {
		f.own.CloseIdleConnections()
	}
}

// Fetch fetches the config JSON. It usually sends one request, up to 3 for redirects (S87), and
// up to 2 more after network failures (S85). etag is that of the caller's content; if it is empty
// or not a valid header value, the answer always contains the content.
//
// The error is an [*Error], or, if ctx ended first, one that wraps ctx.Err().
func (f *Fetcher) Fetch(ctx context.Context, etag string) (Response, error) {
	if !isFieldValue(etag) {
		etag = ""
	}
	r := round{f: f, etag: etag}
	err := r.run(ctx)
	if err == nil {
		return r.response(), nil
	}
	if failure, ok := errors.AsType[*Error](err); ok && failure.Code != CodeRedirectLoop {
		// A failing URL must not hold the fetcher forever.
		f.base = f.configured
	}
	return Response{}, err
}
