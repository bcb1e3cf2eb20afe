package gateway

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/catbridge/catbridge/internal/stream"
)

// maxStreamUser bounds the user of a stream, which stays in memory, in bytes.
const maxStreamUser = 16 << 10

// The routes of ConfigCat Proxy's server-sent events, and, with POST, the same with the user in the body: there
// it is in no access log (G15).
var sseRoutes = []*route{
	newRoute("/sse/{sdkId}/eval/{data}", maxDataPath, (*Gateway).streamOne, http.MethodGet),           // stream: the value of a flag for a user, and its changes
	newRoute("/sse/{sdkId}/eval-all/{data}", maxDataPath, (*Gateway).streamAll, http.MethodGet),       // stream: the values of all flags for a user, and their changes
	newRoute("/sse/{sdkId}/eval-all", maxPath, (*Gateway).streamAll, http.MethodGet, http.MethodPost), // stream: the same; GET for no user, POST with the data as body
	newRoute("/sse/{sdkId}/eval", maxPath, (*Gateway).streamOne, http.MethodPost),                     // stream: one flag, with the data as body
	newRoute("/sse/eval/k/{data}", maxDataPath, (*Gateway).streamOne, http.MethodGet),                 // stream: one flag, with the SDK key in the data
	newRoute("/sse/eval-all/k/{data}", maxDataPath, (*Gateway).streamAll, http.MethodGet),             // stream: all flags, with the SDK key in the data
	newRoute("/sse/eval", maxPath, (*Gateway).streamOne, http.MethodPost),                             // stream: one flag, for the SDK of a header or of the token
	newRoute("/sse/eval-all", maxPath, (*Gateway).streamAll, http.MethodPost),                         // stream: all flags, likewise
}

// ssePlace returns the place below /sse/, or the zero place. The data may contain slashes, which
// base64 has besides the form for URLs.
func ssePlace(rest string) place {
	parts := strings.SplitN(rest, "/", 3)
	if last := len(parts) - 1; parts[last] == "" {
		parts = parts[:last]
	}
	switch {
	case len(parts) == 1:
		return place{at: routeNamed(sseRoutes, "/sse/", parts[0])}
	case len(parts) == 3 && parts[1] == "k":
		return place{at: routeNamed(sseRoutes, "/sse/", parts[0], "/k/{data}"), rest: parts[2]}
	case len(parts) == 2 && parts[0] != "":
		return place{at: routeNamed(sseRoutes, "/sse/{sdkId}/", parts[1]), name: parts[0]}
	case len(parts) == 3 && parts[0] != "":
		return place{at: routeNamed(sseRoutes, "/sse/{sdkId}/", parts[1], "/{data}"), name: parts[0], rest: parts[2]}
	}
	return place{}
}

func (g *Gateway) streamOne(w http.ResponseWriter, r *http.Request, in place) {
	g.stream(w, r, in, true)
}
func (g *Gateway) streamAll(w http.ResponseWriter, r *http.Request, in place) {
	g.stream(w, r, in, false)
}

// stream sends the value of one flag, or of all, and their changes (G15).
func (g *Gateway) stream(w http.ResponseWriter, r *http.Request, in place, one bool) {
	s, f := g.openStream(w, r, in, one)
	if f != nil {
		refuse(w, f)
		return
	}
	defer s.Close()
	defer s.group.leave()
	g.counts.streams.Add(1)
	defer g.counts.streams.Add(-1)
	source, stop := g.fresh(&memberSource{group: s.group, changes: isSet(r, "changes")}, s.Stream, s.group.site)
	defer stop()
	s.Serve(w, r, source)
}

type groupStream struct {
	*stream.Stream
	group *group
}

func (g *Gateway) openStream(w http.ResponseWriter, r *http.Request, in place, one bool) (*groupStream, *failure) {
	by, request := selector{name: in.name}, new(evalRequest)
	if in.rest != "" { // it may contain the SDK key
		data, f := decodeData(in.rest)
		if f != nil {
			return nil, f
		}
		if request, f = parseEval(data, "failed to deserialize incoming 'data'"); f != nil {
			return nil, f
		}
		by.key = request.SDKKey
	}
	of, f := g.access(w, r, by, RightStream)
	if f != nil {
		return nil, f
	}
	if r.Method == http.MethodPost {
		if request, f = readEval(w, r); f != nil {
			return nil, f
		}
	}
	u, f := userOf(of, request.User)
	if f != nil {
		return nil, f
	}
	if u != nil && len(u.canonical()) > maxStreamUser {
		return nil, &failure{http.StatusRequestEntityTooLarge, fmt.Sprintf("the user of a stream has more than %d bytes: omit attributes that no rule uses", maxStreamUser)}
	}
	c, _, f := g.inForce(of.site)
	if f != nil {
		return nil, f
	}
	key := ""
	if one {
		if key = request.Key; !c.has(key) {
			return nil, noSuchFlag(key)
		}
	}
	s, err := g.streams.OpenWhile(stream.ClientOf(r), func() bool { return g.mayGoOn(r, by, RightStream, of) })
	if err != nil {
		if errors.Is(err, stream.ErrDraining) {
			w.Header()["Connection"] = closing
		} else {
			g.counts.rejected.Add(1)
		}
		return nil, &failure{http.StatusServiceUnavailable, err.Error()}
	}
	return &groupStream{s, of.join(key, u, isSet(r, "details"))}, nil
}

// mayGoOn reports whether a request that still goes on would be served by the same SDK if it came now.
func (g *Gateway) mayGoOn(r *http.Request, by selector, right Rights, of *sdk) bool {
	to, f := g.permitted(r, by, right)
	if f != nil {
		return false
	}
	now := to.serving()
	return now.site == of.site && sameUser(now.user, of.user)
}

func sameUser(a, b *user) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.canonical() == b.canonical()
}

var errData = &failure{http.StatusBadRequest, "failed to decode incoming 'data': it is not base64url"}

// decodeData decodes base64 in the form for URLs or in the usual one, padded or not.
func decodeData(text string) ([]byte, *failure) {
	if base64.RawStdEncoding.DecodedLen(len(text)) > maxBody {
		return nil, &failure{http.StatusRequestEntityTooLarge, "'data' is too large: use POST"}
	}
	text = strings.NewReplacer("+", "-", "/", "_").Replace(strings.TrimRight(text, "="))
	data, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return nil, errData
	}
	return data, nil
}
