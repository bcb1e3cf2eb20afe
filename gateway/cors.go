package gateway

import (
	"net/http"
)

// The headers of requests that the gateway reads and that browsers ask about, and those of its
// answers that pages may read.
var (
	readHeaders    = []string{"If-None-Match, X-ConfigCat-UserAgent"}
	exposedHeaders = []string{"ETag, Age, Retry-After, X-Catbridge-Age"}
	usedMethods    = []string{"GET, HEAD"}
	preflightAge   = []string{"7200"}
	varyOrigin     = []string{"Origin"}
)

// allowOrigin lets pages of an allowed origin read the answer, and reports whether it does. An
// origin that is not allowed is not repeated.
func (g *Gateway) allowOrigin(h http.Header, r *http.Request) bool {
	if g.origins.none() {
		return false
	}
	h["Vary"] = varyOrigin[:1:1]
	origin := r.Header["Origin"]
	if len(origin) != 1 || !g.origins.allow(origin[0]) {
		return false
	}
	h["Access-Control-Allow-Origin"] = origin
	h["Access-Control-Expose-Headers"] = exposedHeaders
	return true
}

// preflight answers OPTIONS before any credential is looked at: browsers send none.
func (g *Gateway) preflight(w http.ResponseWriter, r *http.Request, allowed bool) {
	h := w.Header()
	h["Allow"] = allow
	if allowed && r.Header.Get("Access-Control-Request-Method") != "" {
		h["Access-Control-Allow-Methods"] = usedMethods
		h["Access-Control-Allow-Headers"] = readHeaders
		h["Access-Control-Max-Age"] = preflightAge
	}
	g.counts.add(http.StatusNoContent)
	w.WriteHeader(http.StatusNoContent)
}
