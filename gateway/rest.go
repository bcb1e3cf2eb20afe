package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/catbridge/catbridge/evaluate"
)

// The routes of ConfigCat Proxy's REST API. Paths without a name select the SDK by header (G14).
var restRoutes = []*route{
	newRoute("/api/{sdkId}/eval", maxPath, (*Gateway).serveEval, http.MethodPost),                 // evaluate: the value of a flag for a user
	newRoute("/api/{sdkId}/eval-all", maxPath, (*Gateway).serveEvalAll, http.MethodPost),          // evaluate: the values of all flags for a user
	newRoute("/api/{sdkId}/keys", maxPath, (*Gateway).serveKeys, http.MethodGet, http.MethodHead), // evaluate: the keys of all flags
	newRoute("/api/{sdkId}/refresh", maxPath, (*Gateway).serveRefresh, http.MethodPost),           // refresh: empty, once the leader was asked to poll the CDN
	newRoute("/api/eval", maxPath, (*Gateway).serveEval, http.MethodPost),                         // evaluate: the same, for the SDK of a header or of the token
	newRoute("/api/eval-all", maxPath, (*Gateway).serveEvalAll, http.MethodPost),                  // evaluate: likewise
	newRoute("/api/keys", maxPath, (*Gateway).serveKeys, http.MethodGet, http.MethodHead),         // evaluate: likewise
	newRoute("/api/refresh", maxPath, (*Gateway).serveRefresh, http.MethodPost),                   // refresh: likewise
}

// restPlace returns the place below /api/, or the zero place.
func restPlace(rest string) place {
	name, verb, named := strings.Cut(strings.TrimSuffix(rest, "/"), "/")
	if !named {
		return place{at: routeNamed(restRoutes, "/api/", name)}
	}
	if name == "" {
		return place{}
	}
	return place{at: routeNamed(restRoutes, "/api/{sdkId}/", verb), name: name}
}

// evalRequest is what a request asks to evaluate.
type evalRequest struct {
	SDKKey string         `json:"sdkKey"`
	Key    string         `json:"key"`
	User   map[string]any `json:"user"`
}

// readEval reads the body of a request.
func readEval(w http.ResponseWriter, r *http.Request) (*evalRequest, *failure) {
	body, f := readBody(w, r)
	if f != nil {
		return nil, f
	}
	return parseEval(body, "failed to parse JSON body")
}

// parseEval parses a request. Errors start with what failed.
func parseEval(data []byte, what string) (*evalRequest, *failure) {
	request := new(evalRequest)
	if err := parseJSON(data, request); err != nil {
		return nil, &failure{http.StatusBadRequest, fmt.Sprintf("%s: %v", what, err)}
	}
	return request, nil
}

// userOf returns the user of a request to an SDK.
func userOf(of *sdk, attributes map[string]any) (*user, *failure) {
	u, err := newUser(attributes, of.user)
	if _, tooMany := errors.AsType[*tooManyError](err); tooMany {
		return nil, &failure{http.StatusRequestEntityTooLarge, err.Error()}
	} else if err != nil {
		return nil, &failure{http.StatusBadRequest, err.Error()}
	}
	return u, nil
}

// evaluation is a request whose SDK, content and user are known.
type evaluation struct {
	sdk     *sdk
	content *content
	key     string
	user    *user
	details bool
}

// evaluation returns what a request asks for, if it may.
func (g *Gateway) evaluation(w http.ResponseWriter, r *http.Request, in place) (*evaluation, *failure) {
	of, f := g.access(w, r, selector{in.name, ""}, RightEvaluate)
	if f != nil {
		return nil, f
	}
	request, f := readEval(w, r)
	if f != nil {
		return nil, f
	}
	e := &evaluation{sdk: of, key: request.Key, details: isSet(r, "details")}
	if e.user, f = userOf(e.sdk, request.User); f != nil {
		return nil, f
	}
	if e.content, _, f = g.inForce(e.sdk.site); f != nil {
		return nil, f
	}
	return e, nil
}

// isSet reports whether a parameter of the query is neither missing nor 0 or false.
func isSet(r *http.Request, name string) bool {
	if !strings.Contains(r.URL.RawQuery, name) {
		return false
	}
	query, _ := url.ParseQuery(r.URL.RawQuery) // other parameters may be malformed
	value := query.Get(name)
	return value != "" && value != "0" && value != "false"
}

func (g *Gateway) serveEval(w http.ResponseWriter, r *http.Request, in place) {
	e, f := g.evaluation(w, r, in)
	if f != nil {
		refuse(w, f)
		return
	}
	var result evaluate.Result
	if f := e.content.evaluate(&result, e.key, e.user); f != nil {
		refuse(w, f)
		return
	}
	writeJSON(w, appendPayload(make([]byte, 0, 256), &result, formOf(e.sdk, e.content, e.details)))
}

func (g *Gateway) serveEvalAll(w http.ResponseWriter, r *http.Request, in place) {
	e, f := g.evaluation(w, r, in)
	if f != nil {
		refuse(w, f)
		return
	}
	form := formOf(e.sdk, e.content, e.details)
	results := e.content.config.AllResults(e.user.in(e.content), nil)
	out := append(make([]byte, 0, 64*len(results)+2), '{')
	for i, key := range e.content.keys() {
		if i > 0 {
			out = append(out, ',')
		}
		out = appendPayload(append(appendQuoted(out, key.name), ':'), &results[key.index], form)
	}
	writeJSON(w, append(out, '}'))
}

// evaluate evaluates a flag. Nothing is logged: events contain attributes of users.
func (c *content) evaluate(result *evaluate.Result, key string, u *user) *failure {
	c.config.EvaluateTo(result, key, u.in(c), evaluate.Value{}, nil)
	switch result.Code {
	case evaluate.CodeNone:
		return nil
	case evaluate.CodeNoSuchKey:
		return noSuchFlag(key)
	default:
		return &failure{http.StatusInternalServerError, "the flag cannot be evaluated: it is broken in the config"}
	}
}

func noSuchFlag(key string) *failure {
	if key == "" {
		return &failure{http.StatusBadRequest, "'key' must be set"}
	}
	return &failure{http.StatusBadRequest, "feature flag or setting with key '" + shorten(key) + "' not found"}
}

func (g *Gateway) serveKeys(w http.ResponseWriter, r *http.Request, in place) {
	of, f := g.access(w, r, selector{in.name, ""}, RightEvaluate)
	if f != nil {
		refuse(w, f)
		return
	}
	c, _, f := g.inForce(of.site)
	if f != nil {
		refuse(w, f)
		return
	}
	out := []byte(`{"keys":[`)
	for i, key := range c.keys() {
		if i > 0 {
			out = append(out, ',')
		}
		out = appendQuoted(out, key.name)
	}
	writeJSON(w, append(out, "]}"...))
}

func (g *Gateway) serveRefresh(w http.ResponseWriter, r *http.Request, in place) {
	of, f := g.access(w, r, selector{in.name, ""}, RightRefresh)
	if f != nil {
		refuse(w, f)
		return
	}
	if of.refresher == nil {
		refuse(w, &failure{http.StatusNotImplemented, "this server cannot ask the leader to poll"})
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), refreshEvery+refreshTimeout)
	defer cancel()
	if of.refresher.refresh(ctx) != nil { // it was logged by whom the function belongs to
		refuse(w, &failure{http.StatusServiceUnavailable, "the leader could not be asked to poll"})
		return
	}
	w.Header()["Cache-Control"] = noStore
	w.WriteHeader(http.StatusOK)
}

func writeJSON(w http.ResponseWriter, data []byte) {
	h := w.Header()
	h["Content-Type"], h["Cache-Control"] = contentType, noStore
	_, _ = w.Write(data)
}
