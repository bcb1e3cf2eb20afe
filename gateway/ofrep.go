package gateway

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/catbridge/catbridge/gateway/internal/ofrep"
	"github.com/catbridge/catbridge/internal/stream"
)

const (
	// maxAwait bounds how long a request waits for the content of which an event told its client.
	maxAwait = time.Second
	// awaitEvery is how often such a request compares revs: the rev rises without a change of the
	// content, too.
	awaitEvery = 50 * time.Millisecond
)

// The routes of OFREP (G17).
var (
	flagRoute   = newRoute("/ofrep/v1/evaluate/flags/{key}", maxPath, (*Gateway).serveFlag, http.MethodPost) // evaluate: one flag, for OpenFeature
	flagsRoute  = newRoute("/ofrep/v1/evaluate/flags", maxPath, (*Gateway).serveFlags, http.MethodPost)      // evaluate: all flags, for OpenFeature, and the URI of an event stream
	eventsRoute = newRoute(eventsPath, maxPath, (*Gateway).serveEvents, http.MethodGet)                      // signed URI: an event for each change
	ofrepRoutes = []*route{flagRoute, flagsRoute, eventsRoute}
)

// ofrepPlace returns the place below /ofrep/, or the zero place.
func ofrepPlace(rest string) place {
	key, isFlag := strings.CutPrefix(rest, "v1/evaluate/flags/")
	switch {
	case isFlag && key != "":
		return place{at: flagRoute, rest: key}
	case rest == "v1/evaluate/flags":
		return place{at: flagsRoute}
	case "/ofrep/"+rest == eventsPath:
		return place{at: eventsRoute}
	}
	return place{}
}

// asked is what a request of OFREP asks for.
type asked struct {
	of      *sdk
	content *content
	context *ofrep.Context
	user    *user
}

// attributes returns what evaluations read.
func (a *asked) attributes() map[string]any {
	attributes, _ := a.user.in(a.content).(map[string]any)
	return attributes
}

// serveFlag answers OFREP's request for one flag (G17).
func (g *Gateway) serveFlag(w http.ResponseWriter, r *http.Request, in place) {
	a, failure := g.askedOf(w, r)
	if failure != nil {
		answerFailure(w, failure.For(in.rest))
		return
	}
	status, body := ofrep.Single(a.content.config, in.rest, a.attributes(), a.content.hash)
	answerJSON(w, status, body)
}

// serveFlags answers OFREP's request for many flags (G17, G18).
func (g *Gateway) serveFlags(w http.ResponseWriter, r *http.Request, _ place) {
	a, failure := g.askedOf(w, r)
	if failure != nil {
		answerFailure(w, failure)
		return
	}
	token := g.eventToken(w, r, a.of)
	tag := a.context.ETag(a.content.hash, a.user.canonical(), token)
	w.Header()[etagName] = []string{`"` + tag + `"`}
	if matches(r, tag) {
		w.Header()["Cache-Control"] = noStore
		w.WriteHeader(http.StatusNotModified)
		return
	}
	stream := ""
	if token != "" {
		stream = eventsPath + "?after=" + a.content.id + "&token=" + token
	}
	answerJSON(w, http.StatusOK, a.context.Bulk(a.content.config, a.attributes(), a.content.hash, stream))
}

// askedOf reads a request. Its credential is checked first.
func (g *Gateway) askedOf(w http.ResponseWriter, r *http.Request) (*asked, *ofrep.Failure) {
	of, refused := g.access(w, r, selector{}, RightEvaluate)
	if refused != nil {
		return nil, failureOf(w, refused)
	}
	body, refused := readBody(w, r)
	if refused != nil {
		return nil, failureOf(w, refused)
	}
	if at := tooDeep(body); at >= 0 {
		return nil, ofrep.Invalid(ofrep.InvalidContext, "the context nests deeper than "+strconv.Itoa(maxNesting)+" levels")
	}
	context, failure := ofrep.Parse(body)
	if failure != nil {
		return nil, failure
	}
	user, err := newUser(context.Attributes, of.user)
	if err != nil {
		return nil, ofrep.Invalid(ofrep.InvalidContext, "context: "+err.Error())
	}
	c, failure := g.wantedContent(w, r, of)
	if failure != nil {
		return nil, failure
	}
	if confirmed := of.confirmedAgo(c, time.Now()); confirmed.known {
		w.Header()["X-Catbridge-Age"] = confirmed.header
	}
	return &asked{of, c, context, user}, nil
}

// wantedContent returns the content to evaluate. If the request follows an event, it waits for the
// content of the event, or a newer one, and never returns an older one (G20).
func (g *Gateway) wantedContent(w http.ResponseWriter, r *http.Request, of *sdk) (*content, *ofrep.Failure) {
	if text := queryOf(r, "flagConfigEtag"); text != "" {
		wanted, err := ofrep.ParseVersion(text)
		if err != nil {
			return nil, ofrep.Invalid(ofrep.General, "flagConfigEtag: "+err.Error())
		}
		if !of.reaches(wanted) && !g.awaitVersion(r, of, wanted) {
			if _, refused := g.permitted(r, selector{}, RightEvaluate); refused != nil {
				return nil, failureOf(w, refused)
			}
			return nil, failureOf(w, errBehind)
		}
	}
	c, _, refused := g.inForce(of.site)
	if refused != nil {
		return nil, failureOf(w, refused)
	}
	return c, nil
}

var errBehind = &failure{http.StatusServiceUnavailable, "the config of the event has not arrived here yet"}

// reaches reports whether the content in force is that of a version or a newer one.
func (s *site) reaches(wanted ofrep.Version) bool {
	now, ok := s.version()
	return ok && now.Reaches(wanted)
}

// awaitVersion waits until the content reaches a version, and reports whether it does. A request
// beyond the limits of streams does not wait, and one that would no longer be served by the same SDK ends.
func (g *Gateway) awaitVersion(r *http.Request, of *sdk, wanted ofrep.Version) bool {
	slot, err := g.streams.OpenWhile(stream.ClientOf(r), func() bool { return g.mayGoOn(r, selector{}, RightEvaluate, of) })
	if err != nil {
		return false
	}
	defer slot.Close()
	end, ticker := time.NewTimer(maxAwait), time.NewTicker(awaitEvery)
	defer end.Stop()
	defer ticker.Stop()
	for {
		_, replaced := of.current()
		if of.reaches(wanted) {
			return true
		}
		select {
		case <-replaced:
		case <-ticker.C:
		case <-end.C:
			return false
		case <-slot.Ended():
			return false
		case <-r.Context().Done():
			return false
		}
	}
}

// failureOf sets the headers of a failure and returns it in OFREP's form.
func failureOf(w http.ResponseWriter, f *failure) *ofrep.Failure {
	f.setHeaders(w.Header())
	code := ofrep.General
	if f.status == http.StatusServiceUnavailable {
		code = ofrep.NotReady
	}
	return &ofrep.Failure{Status: f.status, Code: code, Details: f.text}
}

func answerFailure(w http.ResponseWriter, f *ofrep.Failure) { answerJSON(w, f.Status, f.JSON()) }

func answerJSON(w http.ResponseWriter, status int, body []byte) {
	h := w.Header()
	h["Content-Type"], h["Cache-Control"], h["Content-Length"] = contentType, noStore, []string{strconv.Itoa(len(body))}
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// queryOf returns a parameter of the query, or "".
func queryOf(r *http.Request, name string) string {
	if !strings.Contains(r.URL.RawQuery, name) {
		return ""
	}
	query, _ := url.ParseQuery(r.URL.RawQuery) // other parameters may be malformed
	return query.Get(name)
}
