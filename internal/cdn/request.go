package cdn

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// reply is the answer to one request, as far as it was received.
type reply struct {
	sent   time.Time
	status int // 0: no answer
	header http.Header
	body   []byte // of a 200, decompressed
}

// errHTTPTimeout is the cause when HTTPTimeout ends a request, in contrast to the caller's
// deadline.
var errHTTPTimeout = errors.New("no complete answer within the HTTP timeout")

type timeoutError struct {
	after time.Duration // 0: unknown
	error
}

func (e *timeoutError) Unwrap() error { return e.error }

func (f *Fetcher) request(ctx context.Context, u *url.URL, etag string) (reply, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, f.cfg.HTTPTimeout, errHTTPTimeout)
	defer cancel()
	if f.proxies != nil {
		proxy, err := f.proxies.to(u)
		if err != nil {
			return reply{}, err
		}
		ctx = withProxy(ctx, proxy)
	}
	req, err := f.newRequest(ctx, u, etag)
	if err != nil {
		return reply{}, err
	}
	got := reply{sent: time.Now()}
	// http.Client is not used: it would follow redirects itself and send a Referer, which
	// contains the SDK key.
	resp, err := f.transport.RoundTrip(req)
	if err == nil && resp == nil {
		err = errors.New("the transport returned neither an answer nor an error")
	}
	if err != nil {
		return got, f.timedOut(ctx, err)
	}
	got.status, got.header = resp.StatusCode, resp.Header
	if resp.Body == nil {
		resp.Body = http.NoBody
	}
	// A body may ignore the context, but closing it ends a blocked read.
	stop := context.AfterFunc(ctx, func() { resp.Body.Close() })
	defer func() {
		if stop() {
			resp.Body.Close()
		}
	}()
	if resp.StatusCode != http.StatusOK {
		return got, nil
	}
	if got.body, err = readBody(ctx, resp, f.cfg.MaxBodyBytes); err != nil {
		if context.Cause(ctx) == errHTTPTimeout { //nolint:errorlint // identity is intended
			return got, &timeoutError{f.cfg.HTTPTimeout, errHTTPTimeout}
		}
		return got, err
	}
	return got, nil
}

func (f *Fetcher) newRequest(ctx context.Context, u *url.URL, etag string) (*http.Request, error) {
	bare := *u
	bare.User = nil
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, bare.String(), nil)
	if err != nil {
		return nil, err
	}
	if user := u.User; user != nil {
		password, _ := user.Password()
		req.SetBasicAuth(user.Username(), password)
	}
	req.Header.Set("User-Agent", f.cfg.UserAgent)
	req.Header.Set("X-ConfigCat-UserAgent", f.cfg.UserAgent)
	req.Header.Set("Accept-Encoding", "gzip")
	if etag != "" {
		req.Header.Set("If-None-Match", etag)
	}
	return req, nil
}

// timedOut wraps the transport's error err if a timeout is the cause.
func (f *Fetcher) timedOut(ctx context.Context, err error) error {
	if context.Cause(ctx) == errHTTPTimeout { //nolint:errorlint // identity is intended
		return &timeoutError{f.cfg.HTTPTimeout, errHTTPTimeout}
	}
	if timeout, ok := errors.AsType[net.Error](err); !ok || !timeout.Timeout() {
		return err
	}
	if f.own == nil {
		return &timeoutError{0, err} // a timeout of the caller's transport
	}
	return &timeoutError{f.cfg.ConnectTimeout, err}
}

// configURL returns the URL of the config JSON under a base URL (S4).
func (f *Fetcher) configURL(base *url.URL) *url.URL {
	u := *base
	u.Path = base.Path + "/configuration-files/" + f.cfg.SDKKey + "/config_v6.json"
	u.RawPath = base.EscapedPath() + "/configuration-files/" + escapeKey(f.cfg.SDKKey) + "/config_v6.json"
	return &u
}

// escapeKey escapes an SDK key for a URL's path, except slashes.
func escapeKey(key string) string {
	parts := strings.Split(key, "/")
	for i, part := range parts {
		parts[i] = url.PathEscape(part)
	}
	return strings.Join(parts, "/")
}

// isFieldValue reports whether s is a valid value of a header field.
func isFieldValue(s string) bool {
	for _, c := range []byte(s) {
		if c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}
