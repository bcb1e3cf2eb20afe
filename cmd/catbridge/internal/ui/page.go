package ui

import (
	"fmt"
	"net/http"
	"time"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/observe"
)

// request is what the function of a page gets.
type request struct {
	*http.Request
	ui   *UI
	who  *viewer
	view *observe.View // of the SDK key in the path; nil: the path has none
	now  time.Time
}

// labels returns the labels of the SDK keys that the viewer may look at.
func (r *request) labels() []string {
	var labels []string
	for _, label := range r.ui.config.Observer.Labels() {
		if r.who.mayLook(label) {
			labels = append(labels, label)
		}
	}
	return labels
}

// key returns the name in the path: of a flag or a segment. See [segment].
func (r *request) key(name string) string { return fromSegment(r.PathValue(name)) }

// page is what is rendered.
type page struct {
	title    string // Flags of shop
	nav      string // what the navigation marks: overview, flags, history, fleet or actions
	template string // flags.html; it defines main, and is rendered inside layout.html
	data     any    // .Data of the template
	status   int    // 0: 200
	// still pages are not replaced by live updates, such as those that answer a POST.
	still bool

	// Of a redirect. flash is shown once on the page of the location.
	location, flash string
}

// pageFunc returns the page of a request.
type pageFunc func(*request) (*page, error)

// redirectTo answers a POST: the browser goes to a path, whose page shows the text of flash once.
func redirectTo(path, flash string) (*page, error) {
	return &page{location: path, flash: flash}, nil
}

// failure is an error whose text is shown to the viewer. It contains no secret.
type failure struct {
	status     int
	text       string
	retryAfter string // seconds; empty: the header is not sent
}

func (f *failure) Error() string { return f.text }

// setHeaders sets the headers that belong to the status.
func (f *failure) setHeaders(h http.Header) {
	if f.status == http.StatusUnauthorized {
		h.Set("WWW-Authenticate", "Bearer")
	}
	if f.retryAfter != "" {
		h.Set("Retry-After", f.retryAfter)
	}
}

var errForbidden = &failure{status: http.StatusForbidden, text: "Your token does not have the right to this."}

// notFoundf returns an error for something that does not exist (404).
func notFoundf(format string, args ...any) error {
	return &failure{status: http.StatusNotFound, text: fmt.Sprintf(format, args...)}
}

// badRequestf returns an error for a request that the viewer can correct (400).
func badRequestf(format string, args ...any) error {
	return &failure{status: http.StatusBadRequest, text: fmt.Sprintf(format, args...)}
}

// unavailablef returns an error for something that may work later, such as Redis (503).
func unavailablef(format string, args ...any) error {
	return &failure{status: http.StatusServiceUnavailable, text: fmt.Sprintf(format, args...)}
}
