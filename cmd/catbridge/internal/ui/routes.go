package ui

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/observe"
)

// pages adds the routes of all pages.
func (u *UI) pages() {
	u.mux.HandleFunc("GET /ui/assets/{file}", u.serveAsset)
	u.mux.HandleFunc("GET /ui/events", u.events)
	u.signPages()
	u.overviewPages()
	u.flagPages()
	u.historyPages()
	u.fleetPages()
	u.actionPages()
	u.page("/ui/", rightRead, func(*request) (*page, error) { return nil, notFoundf("There is no such page.") })
}

// page adds a page, such as "GET /ui/sdk/{sdk}/flags". Its {sdk} is the label of an SDK key, which
// becomes request.view.
func (u *UI) page(pattern string, needs right, f pageFunc) {
	u.add(route{pattern, needs, false}, f)
}

// post adds what a form sends. It must come from a page of the dashboard.
func (u *UI) post(pattern string, needs right, f pageFunc) {
	u.add(route{pattern, needs, true}, f)
}

// route is the way to a page.
type route struct {
	pattern string
	needs   right
	isForm  bool // it answers forms
}

func (u *UI) add(to route, f pageFunc) {
	u.routes = append(u.routes, to)
	u.mux.HandleFunc(to.pattern, func(w http.ResponseWriter, r *http.Request) { u.serve(w, r, to, f) })
}

// serve answers a request with a page.
func (u *UI) serve(w http.ResponseWriter, r *http.Request, to route, f pageFunc) {
	req := &request{Request: r, ui: u, now: time.Now()}
	var err error
	var p *page
	if req.who, err = u.identify(w, r); err == nil {
		p, err = u.answer(w, req, to, f)
	}
	switch {
	case errors.Is(err, errNoCredential) && r.Method == http.MethodGet && !req.isFragment():
		u.sendToSignIn(w, req)
	case err != nil:
		u.fail(w, req, err)
	default:
		u.render(w, req, p)
	}
}

func (u *UI) answer(w http.ResponseWriter, r *request, to route, f pageFunc) (*page, error) {
	if to.isForm {
		if err := u.checkForm(w, r.Request, r.who); err != nil {
			return nil, err
		}
	}
	if !r.who.may(to.needs) {
		if r.who.open {
			return nil, errOpenActions // those who need no credential have all other rights
		}
		return nil, errForbidden
	}
	labels := r.labels()
	name := r.PathValue("sdk")
	if name != "" {
		labels = []string{fromSegment(name)}
	}
	if !r.isFragment() {
		u.freshen(r.Context(), labels)
		r.now = time.Now()
	}
	if name != "" {
		if r.view = u.viewOf(r.who, labels[0]); r.view == nil {
			return nil, notFoundf("There is no SDK key with this name, or your token is not for it.")
		}
	}
	return f(r)
}

func (u *UI) viewOf(who *viewer, label string) *observe.View {
	if !who.mayLook(label) {
		return nil
	}
	return u.config.Observer.View(label)
}

// isFragment reports whether a module requests only what changes on the page.
func (r *request) isFragment() bool { return r.Header.Get("Catbridge-Fragment") == "main" }

// sendToSignIn answers the request for a page by somebody who is not signed in. After a link on
// another site browsers do not send the cookie, so such a request is repeated once from here.
func (u *UI) sendToSignIn(w http.ResponseWriter, r *request) {
	to := r.URL.RequestURI()
	if r.Header.Get("Sec-Fetch-Site") == "cross-site" && r.Header.Get("Sec-Fetch-Mode") == "navigate" {
		w.Header().Set("Refresh", "0; url="+localPath(to))
		u.render(w, r, &page{title: "One moment", template: "hop.html", data: localPath(to), still: true})
		return
	}
	http.Redirect(w, r.Request, "/ui/signin?to="+url.QueryEscape(to), http.StatusSeeOther)
}

// localPath returns a path of the dashboard, which a browser requests from this server; other text
// becomes the overview.
func localPath(text string) string {
	parsed, err := url.Parse(text)
	if err != nil || !strings.HasPrefix(text, "/ui/") || parsed.Host != "" || parsed.Scheme != "" || strings.ContainsAny(text, "\\\r\n\t") {
		return "/ui/"
	}
	segments := strings.Split(strings.TrimSuffix(parsed.EscapedPath(), "/"), "/")
	for _, segment := range segments[1:] {
		// Browsers and redirects resolve these, also escaped ones, and would leave the dashboard.
		if name, err := url.PathUnescape(segment); err != nil || name == "" || name == "." || name == ".." {
			return "/ui/"
		}
	}
	return parsed.RequestURI()
}
