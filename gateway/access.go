package gateway

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"
)

// The headers of requests that name an SDK or are credentials.
const (
	sdkIDHeader  = "X-ConfigCat-SdkId"
	sdkKeyHeader = "X-ConfigCat-SdkKey"
	tokenHeader  = "X-API-Key"
)

// failure is why a request is refused. Its text is for the client: it contains no key, token or
// attribute.
type failure struct {
	status int
	text   string
}

// Failures do not depend on whether a name or key exists.
var (
	errUnknownSDK  = &failure{http.StatusNotFound, "there is no SDK with this name or key"}
	errNoToken     = &failure{http.StatusUnauthorized, "a token or an SDK key is required"}
	errNoRight     = &failure{http.StatusForbidden, "the token does not have the right to this"}
	errOrigin      = &failure{http.StatusForbidden, "pages of this origin may not do this"}
	errWhichSDK    = &failure{http.StatusBadRequest, "there is more than one SDK: name one in the path or in the header " + sdkIDHeader + " or " + sdkKeyHeader}
	errNoConfig    = &failure{http.StatusServiceUnavailable, "no config yet"}
	errStaleConfig = &failure{http.StatusServiceUnavailable, "the config is older than allowed"}
)

// refuse answers a request with a text. Handlers that answer in another form write it themselves,
// with the headers that setHeaders sets.
func refuse(w http.ResponseWriter, f *failure) {
	f.setHeaders(w.Header())
	fail(w, f.status, f.text)
}

// setHeaders sets the headers that belong to the status.
func (f *failure) setHeaders(h http.Header) {
	h["Cache-Control"] = noStore
	switch f.status {
	case http.StatusUnauthorized:
		h["Www-Authenticate"] = []string{"Bearer"}
	case http.StatusServiceUnavailable, http.StatusTooManyRequests:
		h["Retry-After"] = []string{retryAfter}
	}
}

// selector is how a request names its SDK, apart from its headers. Both may be empty.
type selector struct {
	name string // in the path, perhaps followed by a dot and a token
	key  string // in the body
}

// access returns the SDK of a request that may do what the right allows. The credential is a name
// from where a name alone is enough, a token, or an SDK key (G12).
func (g *Gateway) access(w http.ResponseWriter, r *http.Request, by selector, right Rights) (*sdk, *failure) {
	to, f := g.permitted(r, by, right)
	if f != nil {
		return nil, f
	}
	g.limitReaders(w.Header(), r, to)
	return to.serving(), nil
}

// permitted is access without effects. It may be called while the request is served.
func (g *Gateway) permitted(r *http.Request, by selector, right Rights) (*target, *failure) {
	all, f := g.find(r, by)
	for _, to := range all {
		switch {
		case to.rights&right == 0:
			f = cmp.Or(f, errNoRight)
		case !g.usedFrom(r, to), to.bare && g.isCrossOrigin(r):
			f = cmp.Or(f, errOrigin)
		default:
			return to, nil
		}
	}
	return nil, f
}

// find returns what the credentials of a request select, the strongest first. There is a failure if there
// is nothing.
func (g *Gateway) find(r *http.Request, by selector) (all []*target, f *failure) {
	t := g.table.Load()
	if by.name == "" {
		by.name = headerOf(r, sdkIDHeader)
	}
	if by.key == "" {
		by.key = headerOf(r, sdkKeyHeader)
	}
	tokens, trusted := t.token(tokenOf(r)), g.openEvaluation || g.mayUseName(r)
	add := func(to *target, valid bool) {
		if valid {
			all = append(all, to)
		}
	}
	// Clients without a credential do not learn what exists.
	orNoToken := func(f *failure) *failure {
		if !trusted && tokens == nil {
			return errNoToken
		}
		return f
	}
	switch {
	case by.name != "":
		named, keyed := t.find(namePrefix+by.name), t.find(by.key)
		add(tokens[by.name], tokens[by.name] != nil)
		add(keyed, by.key != "" && keyed != nil && !keyed.bare && named.shares(keyed))
		add(named, named != nil && (!named.bare || trusted))
		f = orNoToken(errUnknownSDK)
	case by.key != "":
		keyed := t.find(by.key)
		add(keyed, keyed != nil && (!keyed.bare || trusted))
		f = errUnknownSDK
	default:
		for _, to := range tokens {
			add(to, len(tokens) == 1)
		}
		add(t.only, t.only != nil && trusted)
		f = orNoToken(errWhichSDK)
	}
	if len(all) > 0 {
		return all, nil
	}
	return nil, f
}

// shares reports whether two targets have a config in common.
func (t *target) shares(other *target) bool {
	return t != nil && slices.ContainsFunc(t.sdks, func(s *sdk) bool {
		return slices.ContainsFunc(other.sdks, func(o *sdk) bool { return s.site == o.site })
	})
}

// usedFrom reports whether a page of the request's origin, if there is one, may use what was selected.
func (g *Gateway) usedFrom(r *http.Request, to *target) bool {
	origin := r.Header["Origin"]
	return to.origins.none() || len(origin) == 0 || len(origin) == 1 && (to.origins.allow(origin[0]) || g.origins.allow(origin[0]))
}

// tokenOf returns the token of a request, or "".
func tokenOf(r *http.Request) string {
	if token, bearer := strings.CutPrefix(headerOf(r, "Authorization"), "Bearer "); bearer {
		return token
	}
	return headerOf(r, tokenHeader)
}

// headerOf returns a header. Its name is in any form, and is not converted for each request.
func headerOf(r *http.Request, name string) string {
	if values := r.Header[canonicalHeaders[name]]; len(values) > 0 {
		return values[0]
	}
	return ""
}

var canonicalHeaders = map[string]string{
	"Authorization": "Authorization", tokenHeader: http.CanonicalHeaderKey(tokenHeader),
	sdkIDHeader: http.CanonicalHeaderKey(sdkIDHeader), sdkKeyHeader: http.CanonicalHeaderKey(sdkKeyHeader),
}

// crossOrigin detects requests that browsers send for pages of other sites.
var crossOrigin http.CrossOriginProtection

// isCrossOrigin reports whether a page of another site causes a request that can have effects, and
// is not allowed to. A name alone is no secret, so such a page could send it.
func (g *Gateway) isCrossOrigin(r *http.Request) bool {
	origin := r.Header["Origin"]
	return crossOrigin.Check(r) != nil && (len(origin) != 1 || !g.origins.allow(origin[0]))
}

// inForce returns the content of an SDK to evaluate, and a channel that is closed when there is
// another (G4).
func (g *Gateway) inForce(s *site) (*content, <-chan struct{}, *failure) {
	c, replaced := s.current()
	if c == nil {
		return nil, replaced, errNoConfig
	}
	if g.maxStale > 0 {
		if confirmed := s.confirmedAgo(c, time.Now()); !confirmed.known || confirmed.age > g.maxStale {
			return nil, replaced, errStaleConfig
		}
	}
	return c, replaced, nil
}
