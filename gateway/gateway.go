package gateway

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/catbridge/catbridge/gateway/internal/stream"
	"github.com/catbridge/catbridge/internal/hostname"
)

const (
	pathPrefix = "configuration-files/"
	pathSuffix = "/config_v6.json"

	// maxPath and maxQuery bound the parts of a request's URL, in bytes.
	maxPath  = 1 << 10
	maxQuery = 4 << 10

	// etagName is not in Go's form: the SDKs for C++ and Elixir look for this one only.
	etagName = "ETag"

	// retryAfter is what a client without an answer is told to wait, in seconds.
	retryAfter = "1"

	writeTimeout = 10 * time.Second
)

// Gateway is the [http.Handler] that serves configs (G1 to G11). It is safe for concurrent use.
type Gateway struct {
	hold      time.Duration
	maxStale  time.Duration
	openNames bool
	hosts     []string
	origins   origins

	streams *stream.Set
	table   atomic.Pointer[table]
	changes sync.Mutex // held while the table is replaced

	counts counts
	agents agents
}

// New returns a gateway. The caller must call [Gateway.Close]. The error joins all faults of cfg, and
// contains no key and no token (G10).
func New(cfg Config) (*Gateway, error) {
	allowed, err := parseOrigins(cfg.Origins)
	if err := errors.Join(cfg.check(), err, checkSDKs(cfg.SDKs)); err != nil {
		return nil, err
	}
	g := &Gateway{
		hold: cfg.Hold, maxStale: cfg.MaxStale, openNames: cfg.OpenNames, origins: allowed, hosts: hostname.Lower(cfg.Hosts),
		streams: stream.NewSet(stream.Limits{
			Total: cfg.MaxStreams, PerClient: cfg.MaxStreamsPerClient,
			MinAge: 15 * time.Minute, MaxAge: 30 * time.Minute,
			WriteTimeout: writeTimeout, Heartbeat: 15 * time.Second, ReconnectAfter: time.Second,
		}),
	}
	g.table.Store(newTable(cfg.SDKs, &table{}))
	return g, nil
}

// SetSDKs replaces the configs that are served. Requests that are held for a client that is no
// longer among them are answered. Without sdks, every key is answered with 404. If the error is
// not nil, it joins all faults, and nothing changes (G11).
func (g *Gateway) SetSDKs(sdks []SDK) error {
	if err := checkSDKs(sdks); err != nil {
		return err
	}
	g.changes.Lock()
	defer g.changes.Unlock()
	before := g.table.Load()
	after := newTable(sdks, before)
	g.table.Store(after)
	for _, s := range before.sites {
		if !slices.Contains(after.sites, s) {
			s.remove()
			close(s.removed)
		}
	}
	return nil
}

// Drain answers the held requests, in random order, spread evenly over a time, and holds no more.
// With 0 it answers all at once; if ctx is done earlier, the rest at once. Call it before
// [http.Server.Shutdown], which waits for the held requests (G7).
func (g *Gateway) Drain(ctx context.Context, over time.Duration) { g.streams.Drain(ctx, over) }

// Close removes the gateway's hooks from its clients and answers all held requests, without waiting
// until the answers are sent. Close is idempotent. The gateway must not be used afterwards
// (G7).
func (g *Gateway) Close() {
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	g.Drain(ended, 0)
	_ = g.SetSDKs(nil)
}

// ServeHTTP implements [http.Handler] for GET, HEAD and OPTIONS of configs (G1 to G9).
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h["X-Content-Type-Options"] = nosniff
	cors := g.allowOrigin(h, r)
	switch {
	case len(r.URL.Path) > maxPath || len(r.URL.RawPath) > 3*maxPath || len(r.URL.RawQuery) > maxQuery:
		g.fail(w, http.StatusRequestURITooLong, "the URL is too long")
		return
	case r.Method == http.MethodOptions:
		g.preflight(w, r, cors)
		return
	}
	key, ok := keyOf(r.URL.Path)
	if !ok {
		g.notFound(w)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h["Allow"] = allow
		g.fail(w, http.StatusMethodNotAllowed, "use GET")
		return
	}
	g.serveConfig(w, r, key)
}

// keyOf returns the key in the path of a config. It accepts several slashes at the start.
func keyOf(path string) (key string, ok bool) {
	key, ok = strings.CutPrefix(strings.TrimLeft(path, "/"), pathPrefix)
	if !ok {
		return "", false
	}
	key, ok = strings.CutSuffix(key, pathSuffix)
	return key, ok && key != ""
}

// find returns what the key of a request selects, or nil if the request may not read it.
func (g *Gateway) find(r *http.Request, key string) *target {
	to := g.table.Load().find(key)
	if to == nil || to.bare && !g.mayUseName(r) {
		return nil
	}
	return to
}

func (g *Gateway) serveConfig(w http.ResponseWriter, r *http.Request, key string) {
	to := g.find(r, key)
	if to == nil {
		g.notFound(w)
		return
	}
	agent := agentOf(r)
	g.agents.count(agent)
	s := to.site()
	c, replaced := s.current()
	if c == nil {
		g.unavailable(w, "no config yet")
		return
	}
	match := matches(r, c.tag)
	hold := min(g.hold, maxHold(agent))
	if match && hold > 0 && r.Method == http.MethodGet && hasItself(r, c.tag) && g.await(w, r, hold, s, replaced) {
		// Meanwhile the key may have been removed, or have another client.
		if to = g.find(r, key); to == nil {
			g.notFound(w)
			return
		}
		s = to.site()
		if c, _ = s.current(); c == nil {
			g.unavailable(w, "no config yet")
			return
		}
		match = matches(r, c.tag)
	}
	confirmed := s.confirmedAgo(c, time.Now())
	if g.maxStale > 0 && (!confirmed.known || confirmed.age > g.maxStale) {
		g.unavailable(w, "the config is older than allowed")
		return
	}
	as := c.choose(r.Header["Accept-Encoding"])
	h := w.Header()
	h[etagName] = as.etag
	h["Cache-Control"] = noCache
	h["Vary"] = append(h["Vary"], "Accept-Encoding")
	if confirmed.known {
		h["Age"], h["X-Catbridge-Age"] = confirmed.header, confirmed.header
	}
	if match {
		g.counts.add(http.StatusNotModified)
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h["Content-Type"] = contentType
	h["Content-Length"] = as.length
	if as.encoding != nil {
		h["Content-Encoding"] = as.encoding
	}
	g.counts.add(http.StatusOK)
	if r.Method != http.MethodHead {
		_, _ = w.Write(as.body)
	}
}

// Values of headers, shared by all answers.
var (
	nosniff     = []string{"nosniff"}
	noCache     = []string{"no-cache"}
	contentType = []string{"application/json"}
	textType    = []string{"text/plain; charset=utf-8"}
	noStore     = []string{"no-store"}
	allow       = []string{"GET, HEAD, OPTIONS"}
)

func (g *Gateway) fail(w http.ResponseWriter, status int, text string) {
	h := w.Header()
	h["Content-Type"], h["Cache-Control"] = textType, noStore
	g.counts.add(status)
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text + "\n"))
}

// notFound is the answer to every key that is not valid, whatever the reason.
func (g *Gateway) notFound(w http.ResponseWriter) { g.fail(w, http.StatusNotFound, "not found") }

func (g *Gateway) unavailable(w http.ResponseWriter, text string) {
	w.Header()["Retry-After"] = []string{retryAfter}
	g.fail(w, http.StatusServiceUnavailable, text)
}
