package gateway

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
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
		return local.IP.IsLoopback() && g.isOwnHost(r.Host)
	}
	return false
}

// isOwnHost reports whether a Host header cannot be that of another site whose name resolves to
// this machine.
func (g *Gateway) isOwnHost(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	} else {
		host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	return host == "localhost" || slices.Contains(g.hosts, host)
}
