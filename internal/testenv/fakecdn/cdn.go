// Package fakecdn is a ConfigCat CDN for tests: an http.Handler for a listener, and an
// http.RoundTripper for a testing/synctest bubble, which has no network.
//
// The version of the config only rises. It is the value of the flag [VersionFlag] and of
// [VersionStringFlag]. Tests detect by this version, and not by the bridge's rev, whether
// content went back.
package fakecdn

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/catbridge/catbridge/internal/configserver"
)

// CDN serves one config for every SDK key. All methods are safe for concurrent use.
type CDN struct {
	mu       sync.Mutex
	config   Config
	fault    Fault
	requests []Request
	answered map[int64]time.Time // by version
}

// Request is one request that the CDN answered.
type Request struct {
	At     time.Time // when it arrived
	SDKKey string
	ETag   string // in the request; empty: none
	Status int    // of the answer; 0: the connection broke
}

// New returns a CDN that serves version 1 of a config of the usual size.
func New() *CDN { return &CDN{config: Config{Version: 1}} }

// Publish makes the next version current and returns it.
func (c *CDN) Publish() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.config.Version++
	return c.config.Version
}

// Version returns the current version.
func (c *CDN) Version() int64 { return c.Config().Version }

// Config returns the current config.
func (c *CDN) Config() Config {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.config
}

// SetMinBytes sets the minimum size of configs from the next [CDN.Publish] on, publishes
// one and returns its version.
func (c *CDN) SetMinBytes(n int) int64 { return c.fill(n, false) }

// SetVaryingBytes is like [CDN.SetMinBytes], but what fills a config is different in each version:
// followers read changes whole and not as patches.
func (c *CDN) SetVaryingBytes(n int) int64 { return c.fill(n, true) }

func (c *CDN) fill(n int, varying bool) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.config.MinBytes, c.config.Varying = n, varying
	c.config.Version++
	return c.config.Version
}

// Break makes every request from now on fail with the fault, until [CDN.Repair]. Requests
// that hang in an earlier fault stay there.
func (c *CDN) Break(f Fault) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.fault = f
}

// Repair ends [CDN.Break].
func (c *CDN) Repair() { c.Break(nil) }

// Requests returns all answered requests, in the order of the answers.
func (c *CDN) Requests() []Request {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]Request(nil), c.requests...)
}

// RequestsOf counts the requests for one SDK key.
func (c *CDN) RequestsOf(sdkKey string) int {
	n := 0
	for _, r := range c.Requests() {
		if r.SDKKey == sdkKey {
			n++
		}
	}
	return n
}

// Answered returns when the CDN last confirmed a version: it served the version, or
// answered 304. Zero: never.
func (c *CDN) Answered(version int64) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.answered[version]
}

// rayHead is the prefix of the ray ID of an answer with a config; the version follows.
const rayHead = "fake-"

// answers records an answer that is about to be sent, if it confirms a config.
func (c *CDN) answers(ray string) {
	number, isAnswer := strings.CutPrefix(ray, rayHead)
	version, err := strconv.ParseInt(number, 10, 64)
	if !isAnswer || err != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.answered == nil {
		c.answered = map[int64]time.Time{}
	}
	c.answered[version] = time.Now()
}

// ServeHTTP implements http.Handler.
func (c *CDN) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, sdkKey, ok := configserver.SplitPath(r.URL.Path)
	if !ok || r.Method != http.MethodGet {
		http.NotFound(w, r)
		return
	}
	c.mu.Lock()
	fault, config := c.fault, c.config
	c.mu.Unlock()
	request := Request{At: time.Now(), SDKKey: sdkKey, ETag: r.Header.Get("If-None-Match")}
	status := &statusWriter{ResponseWriter: w, cdn: c}
	defer func() {
		request.Status = status.code
		c.mu.Lock()
		defer c.mu.Unlock()
		c.requests = append(c.requests, request)
	}()
	if fault != nil {
		fault(status, r, c.Config)
		return
	}
	config.serve(status, r)
}

// RoundTrip implements http.RoundTripper without a network. A request ends when its context
// does.
func (c *CDN) RoundTrip(r *http.Request) (response *http.Response, err error) {
	if r.Body != nil {
		_ = r.Body.Close()
	}
	recorder := httptest.NewRecorder()
	defer func() {
		switch failure := recover().(type) {
		case nil:
		case *networkError:
			response, err = nil, failure.err
		default:
			if failure != http.ErrAbortHandler {
				panic(failure)
			}
			if response, err = nil, r.Context().Err(); err == nil {
				err = io.ErrUnexpectedEOF
			}
		}
	}()
	c.ServeHTTP(recorder, r)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	response = recorder.Result()
	response.Request = r
	return response, nil
}

// serve answers as the CDN does: with the config, or with 304 to a client that has it.
func (c Config) serve(w http.ResponseWriter, r *http.Request) {
	c.serveAs(w, r, c.ETag())
}

func (c Config) serveAs(w http.ResponseWriter, r *http.Request, etag string) {
	w.Header().Set("Cache-Control", "max-age=0, must-revalidate")
	w.Header().Set("CF-RAY", rayHead+strconv.FormatInt(c.Version, 10))
	configserver.Answer(w, r, c.JSON(), etag)
}

// statusWriter records the status.
type statusWriter struct {
	http.ResponseWriter
	cdn  *CDN
	code int
}

// Unwrap allows an http.ResponseController to flush.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *statusWriter) WriteHeader(code int) {
	w.begin(code)
	w.ResponseWriter.WriteHeader(code)
}

func (w *statusWriter) Write(p []byte) (int, error) {
	if w.code == 0 {
		w.begin(http.StatusOK)
	}
	return w.ResponseWriter.Write(p)
}

func (w *statusWriter) begin(code int) {
	w.code = code
	w.cdn.answers(w.Header().Get("CF-RAY"))
}
