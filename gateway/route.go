package gateway

import (
	"net/http"
	"slices"
	"strings"
)

const (
	pathSuffix = "/config_v6.json"

	// maxPath bounds a path, in bytes.
	maxPath = 1 << 10
	// maxDataPath bounds a path that contains in base64 what is a body elsewhere.
	maxDataPath = maxPath + maxBody*4/3
)

// route is a path that the gateway serves. docs/http.md is generated from the calls of newRoute: the comment at
// the end of the line is the right that a token needs, and what the answer is.
type route struct {
	pattern string   // for logs and metrics
	methods []string // without OPTIONS; the first is suggested
	allow   []string // the header Allow
	used    []string // the methods for pages of other origins
	maxPath int
	serve   func(g *Gateway, w http.ResponseWriter, r *http.Request, in place)
}

// place is what a path names.
type place struct {
	at   *route
	name string // of the SDK, perhaps with a token; empty: none
	rest string // {key} or {data}
}

func newRoute(pattern string, maxPath int, serve func(*Gateway, http.ResponseWriter, *http.Request, place), methods ...string) *route {
	return &route{
		pattern: pattern, methods: methods, maxPath: maxPath, serve: serve,
		used:  []string{strings.Join(methods, ", ")},
		allow: []string{strings.Join(append(slices.Clone(methods), http.MethodOptions), ", ")},
	}
}

var (
	configRoute = newRoute("/configuration-files/{key}"+pathSuffix, maxPath, (*Gateway).serveConfig, http.MethodGet, http.MethodHead) // config: the config JSON, for official SDKs
	// otherRoute is every path that the gateway does not serve.
	otherRoute = newRoute("other", maxPath, nil, http.MethodGet)
)

// routes are all routes.
var routes = slices.Concat([]*route{configRoute, otherRoute}, restRoutes, sseRoutes, ofrepRoutes)

// routeNamed returns the route whose pattern consists of these parts, or nil.
func routeNamed(list []*route, parts ...string) *route {
	for _, at := range list {
		rest, ok := at.pattern, true
		for _, part := range parts {
			if ok {
				rest, ok = strings.CutPrefix(rest, part)
			}
		}
		if ok && rest == "" {
			return at
		}
	}
	return nil
}

// routeOf returns what a path names. It accepts several slashes at the start.
func routeOf(path string) place {
	first, rest, _ := strings.Cut(strings.TrimLeft(path, "/"), "/")
	var in place
	switch first {
	case "configuration-files":
		if key, ok := strings.CutSuffix(rest, pathSuffix); ok && key != "" {
			in = place{at: configRoute, rest: key}
		}
	case "api":
		in = restPlace(rest)
	case "sse":
		in = ssePlace(rest)
	case "ofrep":
		in = ofrepPlace(rest)
	}
	if in.at == nil {
		return place{at: otherRoute}
	}
	return in
}
