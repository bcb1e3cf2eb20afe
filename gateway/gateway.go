package gateway

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/catbridge/catbridge/gateway/internal/ofrep"
	"github.com/catbridge/catbridge/internal/hostname"
	"github.com/catbridge/catbridge/internal/stream"
)

const (
	// maxQuery bounds the query of a request's URL, in bytes.
	maxQuery = 4 << 10

	// etagName is not in Go's form: the SDKs for C++ and Elixir look for this one only.
	etagName = "ETag"

	// retryAfter is what a client without an answer is told to wait, in seconds.
	retryAfter = "1"

	writeTimeout = 10 * time.Second
)

// Gateway is the [http.Handler] that serves configs (G1 to G11). It is safe for concurrent use.
type Gateway struct {
	hold           time.Duration
	maxStale       time.Duration
	openNames      bool
	openEvaluation bool
	hosts          []string
	origins        origins

	streams *stream.Set
	signer  atomic.Pointer[ofrep.Signer] // of the URIs of event streams
	table   atomic.Pointer[table]
	changes sync.Mutex // held while the table is replaced

	counts counts
	agents agents
}

// New returns a gateway. The caller must call [Gateway.Close]. The error joins all faults of cfg, and
// contains no key and no token (G10).
func New(cfg Config) (*Gateway, error) {
	allowed, err := parseOrigins(cfg.Origins)
	signer, keysErr := newSigner(cfg.EventKeys)
	if err := errors.Join(cfg.check(), err, keysErr, checkSDKs(cfg.SDKs)); err != nil {
		return nil, err
	}
	g := &Gateway{
		hold: cfg.Hold, maxStale: cfg.MaxStale, openNames: cfg.OpenNames, openEvaluation: cfg.OpenEvaluation, origins: allowed, hosts: hostname.Lower(cfg.Hosts),
		streams: stream.NewSet(stream.Limits{
			Total: cfg.MaxStreams, PerClient: cfg.MaxStreamsPerClient,
			MinAge: 15 * time.Minute, MaxAge: 30 * time.Minute,
			WriteTimeout: writeTimeout, Heartbeat: 15 * time.Second, ReconnectAfter: time.Second,
		}),
	}
	g.signer.Store(signer)
	g.counts.perRoute = newRouteCounts()
	g.table.Store(newTable(cfg.SDKs, &table{}))
	return g, nil
}

// SetSDKs replaces the configs that are served. Requests that are held and may no longer read their
// config, or have another client, are answered at once: with 404, 401 or 403, as new ones are, or with the config of the other
// client. Event streams that would not be opened as they are end. Without sdks, every key is answered with 404. If the error is
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
		}
	}
	g.streams.Recheck()
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

// ServeHTTP implements [http.Handler] for the routes of the package comment (G1 to G9, G12 to G20). It sets
// the Pattern of the request to that of its route.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h["X-Content-Type-Options"] = nosniff
	cors := g.allowOrigin(h, r)
	in := routeOf(r.URL.Path)
	at := in.at
	r.Pattern = at.pattern
	tooLong := len(r.URL.Path) > at.maxPath || len(r.URL.RawPath) > 3*at.maxPath || len(r.URL.RawQuery) > maxQuery
	if at != configRoute || tooLong || r.Method != http.MethodGet && r.Method != http.MethodHead { // serveConfig counts itself
		w = &counter{ResponseWriter: w, counts: g.counts.of(at)}
	}
	switch {
	case tooLong:
		fail(w, http.StatusRequestURITooLong, "the URL is too long")
	case r.Method == http.MethodOptions:
		g.preflight(w, r, at, cors)
	case at.serve == nil:
		fail(w, http.StatusNotFound, "not found")
	case !slices.Contains(at.methods, r.Method):
		h["Allow"] = at.allow
		fail(w, http.StatusMethodNotAllowed, "use "+at.methods[0])
	default:
		at.serve(g, w, r, in)
	}
}

// findConfig returns what the key of a request selects, or nil if the request may not read it.
func (g *Gateway) findConfig(r *http.Request, key string) *target {
	to := g.table.Load().find(key)
	if to == nil || to.bare && !g.mayUseName(r) || to.rights&RightConfig == 0 || !g.usedFrom(r, to) {
		return nil
	}
	return to
}

func (g *Gateway) serveConfig(w http.ResponseWriter, r *http.Request, in place) {
	key := in.rest
	to := g.findConfig(r, key)
	if to == nil {
		g.failConfig(w, in.at, http.StatusNotFound, "not found")
		return
	}
	g.limitReaders(w.Header(), r, to)
	agent := agentOf(r)
	g.agents.count(agent)
	s := to.serving().site
	c, replaced := s.current()
	if c == nil {
		g.unavailable(w, in.at, "no config yet")
		return
	}
	match := matches(r, c.tag)
	hold := min(g.hold, maxHold(agent))
	if match && hold > 0 && r.Method == http.MethodGet && hasItself(r, c.tag) && g.await(w, r, hold, key, s, replaced) {
		// The key or its token may have been removed, or have another client.
		if to = g.findConfig(r, key); to == nil {
			g.failConfig(w, in.at, http.StatusNotFound, "not found")
			return
		}
		s = to.serving().site
		if c, _ = s.current(); c == nil {
			g.unavailable(w, in.at, "no config yet")
			return
		}
		match = matches(r, c.tag)
	}
	confirmed := s.confirmedAgo(c, time.Now())
	if g.maxStale > 0 && (!confirmed.known || confirmed.age > g.maxStale) {
		g.unavailable(w, in.at, "the config is older than allowed")
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
		g.counts.of(in.at).add(http.StatusNotModified)
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h["Content-Type"] = contentType
	h["Content-Length"] = as.length
	if as.encoding != nil {
		h["Content-Encoding"] = as.encoding
	}
	g.counts.of(in.at).add(http.StatusOK)
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
)

// fail answers a request with a text.
func fail(w http.ResponseWriter, status int, text string) {
	h := w.Header()
	h["Content-Type"], h["Cache-Control"] = textType, noStore
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text + "\n"))
}

// failConfig is fail for requests for configs, which are counted here.
func (g *Gateway) failConfig(w http.ResponseWriter, at *route, status int, text string) {
	g.counts.of(at).add(status)
	fail(w, status, text)
}

func (g *Gateway) unavailable(w http.ResponseWriter, at *route, text string) {
	w.Header()["Retry-After"] = []string{retryAfter}
	g.failConfig(w, at, http.StatusServiceUnavailable, text)
}
