package httpd

import (
	"context"
	"net"
	"net/http"
	"strings"
	"time"
)

// UI is the dashboard, usually a *ui.UI.
type UI interface {
	// ServeHTTP answers requests for /ui/ and below. It checks by itself who sent them.
	http.Handler
	// Drain ends the event streams, which the UI bounds itself.
	Drain(context.Context)
}

// NewUI returns the dashboard of a server that listens. local reports whether the listener can only
// be reached from this machine.
type NewUI func(local bool) (UI, error)

// on returns the dashboard of a listener, or nil if there is none.
func (n NewUI) on(addr net.Addr) (UI, error) {
	if n == nil {
		return nil, nil
	}
	return n(addr.Network() == "unix" || onLoopback(addr))
}

// pageWait is how long a page waits for its turn: after a change, all open pages ask at once.
const pageWait = 5 * time.Second

// addUI adds the dashboard, unless it is nil.
func addUI(mux *http.ServeMux, answers *unread, ui UI) {
	if ui == nil {
		return
	}
	mux.Handle("GET /{$}", http.HandlerFunc(toUI))
	mux.Handle("/ui/", buffered(answers.holding(inTurn(pagesAtOnce, pageWait, ui)))) // the dashboard, by GET, HEAD or POST, to which / leads; with the setting ui
	mux.Handle("/ui/events", buffered(answers.holding(working(patient(ui)))))        // server-sent events for its pages; likewise
}

// toUI sends browsers from the root to the dashboard, which asks for a credential itself.
func toUI(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/ui/", http.StatusFound) }

// isUI reports whether the dashboard, if there is one, answers a request.
func isUI(r *http.Request) bool {
	return r.URL.Path == "/ui" || strings.HasPrefix(r.URL.Path, "/ui/") || r.URL.Path == "/" && (r.Method == http.MethodGet || r.Method == http.MethodHead)
}
