package ui

import (
	"crypto/rand"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/catbridge/catbridge/internal/hostname"
	"github.com/catbridge/catbridge/internal/stream"
)

// right is one right of a viewer, or several.
type right uint8

const (
	rightRead    right = 1 << iota // look at everything
	rightExplain                   // evaluate flags for a user
	rightControl                   // put flags and pins in force
)

// viewer is who sent a request.
type viewer struct {
	name   string   // of the token; empty: unknown
	rights right    // with those that they include; 0: nobody
	sdks   []string // labels; empty: all
	// credential identifies the viewer's credential without revealing it; empty: there is none.
	credential string
	// key authenticates the values in forms and cookies of this viewer alone.
	key []byte
	// session reports whether the credential is a session, which the viewer can end.
	session bool
	// open reports whether nobody needs a credential.
	open bool
	// bearer reports whether the credential is a header, which no page of another site can send.
	bearer bool
}

// may reports whether the viewer has a right.
func (v *viewer) may(r right) bool { return v.rights&r == r }

// mayLook reports whether the viewer's credential is for an SDK key.
func (v *viewer) mayLook(label string) bool {
	return len(v.sdks) == 0 || slices.Contains(v.sdks, label)
}

var (
	errNoCredential = &failure{status: http.StatusUnauthorized, text: "Sign in with a token that has the right read, explain or control."}
	errWrongToken   = &failure{status: http.StatusUnauthorized, text: "The token is not valid here, or has no right to the dashboard."}
	errForwarded    = &failure{status: http.StatusForbidden, text: "The request came through a proxy, and without tokens the dashboard is for this machine alone: give tokens with the right read."}
	errOpenActions  = &failure{status: http.StatusForbidden, text: "Actions need a token with the right control, on this machine, too. Give the leader a file with one: --ui-token-file or ui_token_files."}
	errHost         = &failure{status: http.StatusForbidden, text: "This Host is not served: use the IP address, or add the name to http_hosts."}
)

// isForwarded reports whether a request has a header that proxies add.
func isForwarded(r *http.Request) bool {
	for name := range r.Header {
		if slices.Contains(proxyHeaders, name) || slices.ContainsFunc(proxyPrefixes, func(prefix string) bool { return strings.HasPrefix(name, prefix) }) {
			return true
		}
	}
	return false
}

// The headers that proxies add, and the starts of others. Sidecars with Envoy and tunnels end on this
// machine.
var (
	proxyHeaders = []string{
		"Cdn-Loop", "Fastly-Client-Ip", "Forwarded", "True-Client-Ip", "Via", "X-Client-Ip", "X-Cluster-Client-Ip", "X-Proxyuser-Ip", "X-Real-Ip",
	}
	proxyPrefixes = []string{"Cf-", "Fly-", "X-Amzn-", "X-Appengine-", "X-Azure-", "X-Envoy-", "X-Forwarded", "X-Original-"}
)

// identify returns who sent a request. If nobody did, the viewer has no rights, and the error says
// why; the viewer's key is then good for the sign-in form.
func (u *UI) identify(w http.ResponseWriter, r *http.Request) (*viewer, error) {
	if u.openNow() {
		if isForwarded(r) {
			return &viewer{key: u.key}, errForwarded
		}
		return &viewer{rights: u.openRights(), key: u.key, open: true}, nil
	}
	if token, bearer := bearerOf(r); bearer {
		c, err := u.try(r, token)
		if err != nil {
			return &viewer{}, err
		}
		v := c.viewer
		v.bearer = true
		return &v, nil
	}
	if v, _ := u.session(r); v != nil {
		return v, nil
	}
	v := &viewer{key: u.formKey(w, r)}
	if r.TLS != nil && len(r.TLS.VerifiedChains) > 0 {
		subject := r.TLS.VerifiedChains[0][0].Subject
		v.name, v.rights, v.credential = subject.CommonName, rightRead|rightExplain, "certificate "+subject.String()
		return v, nil
	}
	return v, errNoCredential
}

// bearerOf returns the token in the header of a request.
func bearerOf(r *http.Request) (token string, ok bool) {
	return strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
}

// openNow reports whether nobody needs a credential.
func (u *UI) openNow() bool { return u.config.Open && !u.guarded.Load() }

// sayWhoMay logs it if nobody needs a credential.
func (u *UI) sayWhoMay() {
	switch {
	case !u.openNow():
	case u.openRights()&rightControl != 0:
		u.config.Logger.Warn("The dashboard needs no token: everybody on this machine may look at it, and put flags in force. To prevent that, give tokens.")
	default:
		u.config.Logger.Warn("The dashboard needs no token: everybody on this machine may look at it. To prevent that, give tokens.")
	}
}

// openRights returns the rights of those who need no credential.
func (u *UI) openRights() right {
	if u.config.Acts && u.config.OpenActions {
		return rightRead | rightExplain | rightControl
	}
	return rightRead | rightExplain
}

// try returns the credential of a token. A valid token always has one, however many wrong ones were
// tried.
func (u *UI) try(r *http.Request, token string) (*credential, error) {
	if c := u.tokens.Load().find(token); c != nil {
		return c, nil
	}
	wait, first := u.attempts.add(stream.ClientOf(r), time.Now())
	if first {
		u.config.Logger.Warn("Many wrong tokens are tried for the dashboard. Valid ones are accepted all the same.")
	}
	if wait > 0 {
		return nil, &failure{
			status: http.StatusTooManyRequests, text: errWrongToken.text + " Too many wrong ones were tried, perhaps by others at your address. A valid one is accepted at any time.",
			retryAfter: strconv.Itoa(int(wait/time.Second) + 1),
		}
	}
	return nil, errWrongToken
}

// session returns the viewer of the request's session, or nil.
func (u *UI) session(r *http.Request) (*viewer, sessionID) {
	for _, cookie := range r.CookiesNamed(u.cookie) {
		if v, id := u.tokens.Load().session(cookie.Value, time.Now()); v != nil && !u.ended.has(id) {
			return v, id
		}
	}
	return nil, sessionID{}
}

// formKey returns what authenticates the forms of somebody without a session: a random value that
// the browser keeps in a cookie. Pages of other sites do not know it.
func (u *UI) formKey(w http.ResponseWriter, r *http.Request) []byte {
	if cookie, err := r.Cookie(u.cookie + formCookie); err == nil {
		if key, err := sessionText.DecodeString(cookie.Value); err == nil && len(key) == nonceBytes {
			return key
		}
	}
	key := make([]byte, nonceBytes)
	_, _ = rand.Read(key) // never fails
	u.setCookie(w, r, formCookie, sessionText.EncodeToString(key), sessionAge)
	return key
}

// The ends of the names of cookies besides that of the session.
const (
	formCookie  = "-form"
	flashCookie = "-flash"
)

// setCookie sets a cookie, or removes it if age is negative. Other ports of the same host are other
// dashboards, and have other names.
func (u *UI) setCookie(w http.ResponseWriter, r *http.Request, end, value string, age time.Duration) {
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // Secure where the browser uses HTTPS
		Name: u.cookie + end, Value: value, Path: "/ui/", MaxAge: int(age / time.Second),
		HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: u.isSecure(r),
	})
}

// isSecure reports whether the browser uses HTTPS.
func (u *UI) isSecure(r *http.Request) bool {
	return u.config.Secure || strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https")
}

// checkHost returns an error if a page of another site may have led its own name here (DNS
// rebinding).
func (u *UI) checkHost(r *http.Request) error {
	if (u.config.Open || len(u.hosts) > 0) && !hostname.IsOwn(r.Host, u.hosts) {
		return errHost
	}
	return nil
}
