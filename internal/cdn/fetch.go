package cdn

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"time"
)

// Fetcher fetches one SDK key's config JSON, and remembers the base URL that
// redirects taught it (S86). Fetch is for one caller at a time.
type Fetcher struct {
	cfg        Config // with the defaults filled in
	transport  http.RoundTripper
	own        *transport // nil: the transport is the caller's
	shared     bool       // other fetchers use own, too
	proxies    *proxies   // nil: the transport is the caller's
	allowed    *hostPolicy
	redact     redactor
	configured *url.URL // the base URL of Config
	base       *url.URL // where the next fetch begins
}

// Response is a good answer of the CDN.
type Response struct {
	// NotModified: the content that the ETag asked with stands for is current (S82).
	NotModified bool
	// JSON is the config JSON as the server sent it, decompressed, and the
	// caller's to keep. Nil if NotModified.
	JSON []byte
	// ETag is the server's, as it sent it, "" if it sent none; the fetcher's own
	// transport takes headers up to 64 KiB. If NotModified it is the one asked
	// with, whatever the server said: no other belongs to the content.
	ETag string
	// Sent is the time before the request was sent that brought this answer,
	// with a monotonic reading.
	Sent     time.Time
	Date     time.Time // of the Date header: the server's clock, to the second; zero: none
	Requests int       // requests that were sent, 1 to 5
	RayID    string    // from the CF-RAY header (S88); "": none
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

// Close drops the idle connections of the fetcher's own transport, if it shares none.
// It may be called at any time and again; a Fetch after it works.
func (f *Fetcher) Close() {
	if f.own != nil && !f.shared {
		f.own.CloseIdleConnections()
	}
}

// Fetch asks for the config JSON: one request as a rule, up to 3 for redirects
// (S87), up to 2 more where the network fails them (S85). etag is the one of the
// content that the caller holds; "", or one that no header can carry, asks for
// the content in any case.
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
		// A place that does not serve must not hold the fetcher for good.
		f.base = f.configured
	}
	return Response{}, err
}
