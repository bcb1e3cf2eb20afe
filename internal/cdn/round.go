package cdn

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"time"
)

const (
	maxFetches = 3                      // S87
	maxRetries = 2                      // S85
	retryPause = 200 * time.Millisecond // ± 50 %; doubled for the second retry
)

// round is one call of Fetch.
type round struct {
	f        *Fetcher
	etag     string
	requests int
	retries  int
	last     reply
}

// run sends requests until one returns the final answer or no more are allowed.
func (r *round) run(ctx context.Context) error {
	target := r.f.configURL(r.f.base)
	for fetches := 1; ; fetches++ {
		if err := r.send(ctx, target); err != nil {
			return err
		}
		next, err := r.next(ctx, target)
		if err != nil || next == nil {
			return err
		}
		if fetches == maxFetches {
			return r.fail(CodeRedirectLoop, nil)
		}
		target = next
	}
}

// send sends a request, and retries after network failures.
func (r *round) send(ctx context.Context, target *url.URL) error {
	for {
		if ctx.Err() != nil {
			return ended(ctx)
		}
		var err error
		r.requests++
		r.last, err = r.f.request(ctx, target, r.etag)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ended(ctx)
		}
		if timeout, ok := errors.AsType[*timeoutError](err); ok {
			failure := r.fail(CodeTimeout, timeout.error)
			failure.timeout = timeout.after
			return failure
		}
		switch {
		case errors.Is(err, errBody):
			return r.fail(CodeInvalidBody, err)
		case errors.Is(err, errRedirectRefused) || r.retries == maxRetries:
			return r.fail(CodeNetwork, err)
		}
		r.f.debug(ctx, "A request failed because of the network; retrying.", err)
		r.pause(ctx)
	}
}

func (r *round) pause(ctx context.Context) {
	length := retryPause << r.retries
	r.retries++
	timer := time.NewTimer(length/2 + rand.N(length))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

func ended(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if errors.Is(err, cause) {
		return fmt.Errorf("cdn: fetch: %w", err)
	}
	return fmt.Errorf("cdn: fetch: %w: %w", err, cause)
}

// next returns the URL to which the last answer redirects, or nil if the answer is valid and
// final.
func (r *round) next(ctx context.Context, target *url.URL) (*url.URL, error) {
	switch r.last.status {
	case http.StatusOK:
		return r.nextByPreferences(ctx)
	case http.StatusNotModified:
		if r.etag == "" {
			return nil, r.fail(CodeNothingToValidate, nil)
		}
		return nil, nil
	case http.StatusForbidden, http.StatusNotFound:
		return nil, r.fail(CodeInvalidSDKKey, nil)
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther,
		http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		next, err := r.f.allowed.location(target, r.last.header.Get("Location"))
		if err != nil {
			return nil, r.fail(CodeUnexpectedStatus, err)
		}
		return next, nil
	}
	return nil, r.fail(CodeUnexpectedStatus, nil)
}

// nextByPreferences follows the p of a config JSON (S86). It checks the answer if it is final
// (S81).
func (r *round) nextByPreferences(ctx context.Context) (*url.URL, error) {
	f := r.f
	if f.cfg.Received != nil {
		f.cfg.Received(r.last.body)
	}
	got, err := parseAnswer(r.last.body)
	if err != nil {
		return nil, r.fail(CodeInvalidBody, err)
	}
	if got.url != "" && (f.cfg.BaseURL == "" || got.redirect == redirectForce) {
		base, err := f.allowed.redirectBase(got.url)
		switch {
		case err == nil && samePlace(base, f.base):
		case got.redirect == redirectNone && err != nil:
			f.debug(ctx, "The config JSON contains a base URL that is not allowed; ignoring it.", err)
		case err != nil:
			return nil, r.fail(CodeInvalidBody, err)
		case got.redirect == redirectNone:
			f.base = base
		default: // as in the official SDKs, a mode that S86 does not define redirects
			if got.redirect == redirectShould {
				f.warnOutOfSync(ctx)
			}
			f.base = base
			return f.configURL(base), nil
		}
	}
	if !got.hasFlags {
		return nil, r.fail(CodeInvalidBody, errors.New("f is missing or null"))
	}
	if f.cfg.Check != nil {
		if err := f.cfg.Check(r.last.body); err != nil {
			return nil, r.fail(CodeInvalidBody, err)
		}
	}
	return nil, nil
}

func (r *round) response() Response {
	resp := Response{
		NotModified: r.last.status == http.StatusNotModified,
		JSON:        r.last.body,
		ETag:        r.etag,
		Sent:        r.last.sent,
		Requests:    r.requests,
		RayID:       r.f.rayID(r.last.header),
		Status:      r.last.status,
	}
	resp.Date, _ = http.ParseTime(r.last.header.Get("Date")) // zero on error
	if !resp.NotModified {
		resp.ETag = r.last.header.Get("ETag")
	}
	return resp
}

func (r *round) fail(code int, err error) *Error {
	return &Error{
		Code:       code,
		Status:     r.last.status,
		RayID:      r.f.rayID(r.last.header),
		RetryAfter: retryAfter(r.last.header, time.Now()),
		Requests:   r.requests,
		Err:        r.f.redact.err(err),
		maskedKey:  Mask(r.f.cfg.SDKKey),
	}
}
