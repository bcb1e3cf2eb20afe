package subscription

import (
	"crypto/tls"
	"errors"
	"net"

	"github.com/redis/go-redis/v9"
)

// Outage tells which failures of a row are worth a line in a log: the first one, and the
// first that names a cause which does not pass by itself. So a password or a certificate
// that was changed is told of, though all began with a connection that was closed (F25).
// The zero value is ready. It is for one goroutine.
type Outage struct{ on, refused bool }

// News notes a failure and tells whether to log it.
func (o *Outage) News(err error) bool {
	refused := isRefusal(err)
	news := !o.on || refused && !o.refused
	o.on, o.refused = true, o.refused || refused
	return news
}

// On tells whether the last try failed.
func (o *Outage) On() bool { return o.on }

// End ends a row, and tells whether there was one.
func (o *Outage) End() bool {
	was := o.on
	*o = Outage{}
	return was
}

// isRefusal tells whether the server, or this process for its own safety, will have
// nothing to do with the other: for its password, its certificate or its rights.
func isRefusal(err error) bool {
	if redis.IsAuthError(err) || redis.IsPermissionError(err) {
		return true
	}
	if _, untrusted := errors.AsType[*tls.CertificateVerificationError](err); untrusted {
		return true
	}
	alert, ok := errors.AsType[*net.OpError](err)
	return ok && alert.Op == "remote error" // as crypto/tls calls an alert
}
