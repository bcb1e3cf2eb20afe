package gateway

import (
	"net"
	"net/http"

	"github.com/catbridge/catbridge/internal/hostname"
)

// mayUseName reports whether a name alone is enough for a request.
func (g *Gateway) mayUseName(r *http.Request) bool {
	if g.openNames || r.TLS != nil && len(r.TLS.VerifiedChains) > 0 {
		return true
	}
	switch local := r.Context().Value(http.LocalAddrContextKey).(type) {
	case *net.UnixAddr:
		return true
	case *net.TCPAddr:
		return local.IP.IsLoopback() && hostname.IsOwn(r.Host, g.hosts)
	}
	return false
}
