package ui

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/catbridge/catbridge/internal/hostname"
	"github.com/catbridge/catbridge/internal/stream"
)

// UI serves the dashboard below /ui/. It is safe for concurrent use.
type UI struct {
	config Config
	hosts  []string // in lower case
	cookie string   // name of the cookie of sessions
	key    []byte   // of forms where nobody needs a credential
	mux    *http.ServeMux
	routes []route // of the pages
	views  templates
	assets assets

	tokens   atomic.Pointer[tokens]
	guarded  atomic.Bool // there was a token: from then on everybody needs one
	ended    ended
	attempts attempts
	streams  *stream.Set
	visits   visits

	indexes flagIndexes
	past    *pastConfigs

	inForce controlCache // of the page of actions
}

// streamLimits bound the event streams: a page that is open and visible has one.
var streamLimits = stream.Limits{
	Total: 256, PerClient: 128, PerCredential: 64, MinAge: 15 * time.Minute, MaxAge: 30 * time.Minute,
	WriteTimeout: 10 * time.Second, Heartbeat: 15 * time.Second, ReconnectAfter: time.Second,
}

// New returns a UI. It returns an error if a required field is missing. The caller must call
// [UI.Drain] at the end.
func New(c Config) (*UI, error) {
	if c.Process == "" || c.Observer == nil || c.Redis == nil {
		return nil, errors.New("ui: Process, Observer and Redis are required")
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	files, err := loadAssets()
	if err != nil {
		return nil, err // unreachable: they are embedded
	}
	views, err := parseTemplates(files)
	if err != nil {
		return nil, err // unreachable: they are embedded, and a test parses them
	}
	u := &UI{
		config: c, hosts: hostname.Lower(c.Hosts), cookie: "catbridge-" + c.Process, key: make([]byte, 32),
		mux: http.NewServeMux(), views: views, assets: files, streams: stream.NewSet(streamLimits), past: newPastConfigs(),
	}
	_, _ = rand.Read(u.key) // never fails
	u.visits.watch = c.Observer.Watching
	u.SetTokens(c.Tokens)
	u.pages()
	u.sayWhoMay()
	return u, nil
}

// SetTokens replaces the credentials. Sessions and event streams of tokens that are missing end.
func (u *UI) SetTokens(list []Token) {
	known := newTokens(list, u.config.Acts)
	if len(known) > 0 {
		u.guarded.Store(true)
	}
	u.tokens.Store(&known)
	u.streams.Recheck()
}

// ServeHTTP answers requests for /ui/ and below. It sets the pattern of the request to its route,
// for the log.
func (u *UI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	setHeaders(w.Header())
	if err := u.checkHost(r); err != nil {
		u.fail(w, &request{Request: r, ui: u, who: &viewer{}, now: time.Now()}, err)
		return
	}
	u.mux.ServeHTTP(w, r)
}

// setHeaders keeps browsers from running, embedding and keeping anything that is not the
// dashboard's own. The referrer stays within the dashboard: with no-referrer, browsers send no
// usable Origin with its forms.
func setHeaders(h http.Header) {
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "+
		"form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
}

// Drain ends the event streams, and admits no more.
func (u *UI) Drain(ctx context.Context) {
	u.streams.Drain(ctx, 0)
	u.visits.end()
}
