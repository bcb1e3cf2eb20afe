package httpd

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// fromHosts rejects requests whose Host is not an IP address, localhost or one of the names. It
// prevents DNS rebinding: a web page can resolve its own host name to this machine and read, with
// requests to that Host, what only this machine may see.
func fromHosts(names []string, next http.Handler) http.Handler {
	allowed := []string{"localhost"}
	for _, name := range names {
		allowed = append(allowed, strings.ToLower(name))
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := hostName(r.Host)
		if _, err := netip.ParseAddr(host); err != nil && !slices.Contains(allowed, host) {
			http.Error(w, "this Host is not served: use the IP address, or add the name to http_hosts", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// hostName returns a Host header without port, brackets and trailing dot, in lower case.
func hostName(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	} else {
		host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

// onLoopback reports whether a listener can only be reached from this machine.
func onLoopback(addr net.Addr) bool {
	tcp, ok := addr.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}
