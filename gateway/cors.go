package gateway

import (
	"net/http"
	"slices"
	"strings"
)

// requestHeaders are the headers that handlers read and that browsers ask about. Handlers read no
// others of that kind.
var requestHeaders = []string{
	"Content-Type", "If-None-Match", "Authorization", tokenHeader, sdkIDHeader, sdkKeyHeader, "X-ConfigCat-UserAgent", "Last-Event-ID",
	"Cache-Control", // not read: clients of server-sent events send it
}

// Values of headers. exposedHeaders are the headers of answers that pages may read.
var (
	readHeaders    = []string{strings.Join(requestHeaders, ", ")}
	exposedHeaders = []string{"ETag, Age, Retry-After, X-Catbridge-Age"}
	preflightAge   = []string{"7200"}
	varyOrigin     = []string{"Origin"}
)

// allowOrigin lets pages of an allowed origin read the answer, and reports whether it does. An
// origin that is not allowed is not repeated. The origins of all tokens count, because preflight requests
// contain no credentials. See limitReaders.
func (g *Gateway) allowOrigin(h http.Header, r *http.Request) bool {
	ofTokens := g.table.Load().origins
	if g.origins.none() && len(ofTokens) == 0 {
		return false
	}
	h["Vary"] = varyOrigin[:1:1]
	origin := r.Header["Origin"]
	if len(origin) != 1 || !g.origins.allow(origin[0]) && !slices.ContainsFunc(ofTokens, func(o *origins) bool { return o.allow(origin[0]) }) {
		return false
	}
	h["Access-Control-Allow-Origin"] = origin
	h["Access-Control-Expose-Headers"] = exposedHeaders
	return true
}

// limitReaders keeps a page from reading the answer to a request that selected to, if its origin is
// only that of another token.
func (g *Gateway) limitReaders(h http.Header, r *http.Request, to *target) {
	origin := r.Header["Origin"]
	if len(origin) == 1 && !g.origins.allow(origin[0]) && (to.origins.none() || !to.origins.allow(origin[0])) {
		delete(h, "Access-Control-Allow-Origin")
		delete(h, "Access-Control-Expose-Headers")
	}
}

// preflight answers OPTIONS before any credential is looked at: browsers send none.
func (g *Gateway) preflight(w http.ResponseWriter, r *http.Request, at *route, allowed bool) {
	h := w.Header()
	h["Allow"] = at.allow
	if allowed && r.Header.Get("Access-Control-Request-Method") != "" {
		h["Access-Control-Allow-Methods"] = at.used
		h["Access-Control-Allow-Headers"] = readHeaders
		h["Access-Control-Max-Age"] = preflightAge
	}
	w.WriteHeader(http.StatusNoContent)
}
