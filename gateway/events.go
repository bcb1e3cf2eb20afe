package gateway

import (
	"bytes"
	cryptorand "crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"time"

	"github.com/catbridge/catbridge/gateway/internal/ofrep"
	"github.com/catbridge/catbridge/internal/stream"
)

const (
	// eventsPath is the path of the streams of events for clients of OFREP.
	eventsPath = "/ofrep/v1/events"
	// hintEach spreads the requests that follow an event: 5,000 a second.
	hintEach = 200 * time.Microsecond
	// connectAgain is how long a client beyond the limits waits at least until it connects again, and
	// half of what it waits at most: less than the 30 s after which the provider for pages gives up.
	connectAgain = 10 * time.Second
)

// newSigner returns the signer of URIs with these keys, or with a random one if there are none.
func newSigner(keys [][]byte) (*ofrep.Signer, error) {
	var errs []error
	for i, key := range keys {
		if len(key) < ofrep.MinKey {
			errs = append(errs, fmt.Errorf("gateway: EventKeys[%d] has less than %d bytes", i, ofrep.MinKey))
		}
	}
	if len(keys) == 0 {
		keys = [][]byte{[]byte(cryptorand.Text() + cryptorand.Text())}
	}
	return ofrep.NewSigner(keys...), errors.Join(errs...)
}

// SetEventKeys replaces [Config.EventKeys]. Open streams stay. Without keys, a new random one is
// used. It copies them. If the error is not nil, it joins all faults, and nothing changes (G19).
func (g *Gateway) SetEventKeys(keys [][]byte) error {
	signer, err := newSigner(keys)
	if err == nil {
		g.signer.Store(signer)
	}
	return err
}

// eventFrame is the event that makes clients of OFREP ask again.
func eventFrame(c *content) stream.Frame {
	data, err := json.Marshal(map[string]string{"type": "refetchEvaluation", "etag": c.id})
	if err != nil {
		panic(err) // unreachable: strings
	}
	return stream.NewFrame(c.id, "message", data)
}

// eventToken returns the credential of the stream of events that belongs to a request for flags; "":
// the request may not have one (G19).
func (g *Gateway) eventToken(w http.ResponseWriter, r *http.Request, of *sdk) string {
	origin := r.Header.Get("Origin")
	to, refused := g.permitted(r, selector{}, RightStream)
	if refused != nil || len(origin) > ofrep.MaxOrigin || to.token != "" && !slices.Contains(to.sdks, of) {
		return ""
	}
	g.limitReaders(w.Header(), r, to)
	signer := g.signer.Load()
	return signer.Sign(ofrep.Grant{Scope: signer.ScopeOf(scopeOf(of, to)), Origin: origin}, time.Now())
}

var errUnknownURI = &failure{http.StatusNotFound, "the SDK or the token of this URI is no longer known: ask for the flags again"}

// granted returns the SDK of a signed URI, if the token that it was made for still allows it.
func (g *Gateway) granted(signer *ofrep.Signer, grant ofrep.Grant) (*sdk, *failure) {
	is := g.table.Load().scoped(signer, grant.Scope)
	switch {
	case is == nil:
		return nil, errUnknownURI
	case is.to == nil:
		return is.sdk, nil
	case is.to.rights&RightStream == 0:
		return nil, errNoRight
	case grant.Origin != "" && !is.to.origins.none() && !is.to.origins.allow(grant.Origin) && !g.origins.allow(grant.Origin):
		return nil, errOrigin
	}
	return is.sdk, nil
}

// serveEvents answers with a stream of events: one for each change of the content (G19).
func (g *Gateway) serveEvents(w http.ResponseWriter, r *http.Request, _ place) {
	signer := g.signer.Load()
	grant, err := signer.Verify(queryOf(r, "token"), time.Now())
	if err != nil {
		refuse(w, &failure{http.StatusUnauthorized, err.Error() + ": ask for the flags again"})
		return
	}
	if origin := r.Header["Origin"]; len(origin) > 1 || len(origin) == 1 && origin[0] != grant.Origin {
		refuse(w, errOrigin) // without an Origin, it is not of another site
		return
	}
	of, refused := g.granted(signer, grant)
	if refused != nil {
		refuse(w, refused)
		return
	}
	of.current() // so that there is an event if there is a content
	has := of.received(r)
	s, err := g.streams.OpenWhile(stream.ClientOf(r), func() bool {
		now, refused := g.granted(signer, grant)
		return refused == nil && now.site == of.site && sameUser(now.user, of.user)
	})
	if err != nil { // the client still learns of changes, a little later
		frame, _ := of.events.Current()
		if bytes.Equal(frame, has) {
			frame = nil
		}
		again := connectAgain + rand.N(connectAgain)
		if errors.Is(err, stream.ErrDraining) {
			again = time.Second // the next request reaches another process
		} else {
			g.counts.rejected.Add(1)
		}
		stream.ServeOnce(w, r, frame, again)
		return
	}
	defer s.Close()
	g.counts.streams.Add(1)
	defer g.counts.streams.Add(-1)
	s.Serve(w, r, g.streams.Hints(&of.events, has, hintEach))
}

// received returns the latest event if the client that starts a stream does not need it: the client
// has the content, or a newer one that has not arrived here yet.
func (s *site) received(r *http.Request) stream.Frame {
	// Not by Last-Event-ID: a client that has received an event may have failed to ask for the flags since.
	has, err := ofrep.ParseVersion(queryOf(r, "after"))
	if err != nil {
		return nil
	}
	frame, _ := s.events.Current() // before the content: an event too many does no harm
	if now, ok := s.version(); ok && (has.Hash == now.Hash || has.Rev > now.Rev) {
		return frame
	}
	return nil
}

// version returns the version of the content in force, with the latest rev.
func (s *site) version() (v ofrep.Version, ok bool) {
	held, ok := s.client.Content()
	if !ok {
		return ofrep.Version{}, false
	}
	return ofrep.VersionOf(held.Rev, held.Hash), true
}
