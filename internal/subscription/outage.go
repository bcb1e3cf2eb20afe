package subscription

import (
	"crypto/tls"
	"errors"
	"net"

	"github.com/redis/go-redis/v9"
)

// Outage decides which of several consecutive failures to log: the first one, and the first one
// whose cause is permanent. A changed password or certificate is therefore logged, even if a
// closed connection was the first failure (F25). The zero value is ready to use. It is not safe
// for concurrent use.
type Outage struct{ on, refused bool }

// News records a failure and reports whether to log it.
func (o *Outage) News(err error) bool {
	refused := isRefusal(err)
	news := !o.on || refused && !o.refused
	o.on, o.refused = true, o.refused || refused
	return news
}

// On reports whether the last attempt failed.
func (o *Outage) On() bool { return o.on }

// End ends an outage and reports whether there was one.
func (o *Outage) End() bool {
	was := o.on
	*o = Outage{}
	return was
}

// isRefusal reports whether one side refuses the other because of its password, certificate or
// permissions.
func isRefusal(err error) bool {
	if redis.IsAuthError(err) || redis.IsPermissionError(err) {
		return true
	}
	if _, untrusted := errors.AsType[*tls.CertificateVerificationError](err); untrusted {
		return true
	}
	alert, ok := errors.AsType[*net.OpError](err)
	return ok && alert.Op == "remote error" // crypto/tls's name for an alert of the peer
}
