package httpd

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// fromHosts lets requests through whose Host is an address, localhost or one of the names.
// A page in a browser can have its own name mean this machine (DNS rebinding), and so read
// what only this machine is to see; the Host is that name then.
func fromHosts(names []string, next http.Handler) http.Handler {
	allowed := []string{"localhost"}
	for _, name := range names {
		allowed = append(allowed, strings.ToLower(name))
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := hostName(r.Host)
		if _, err := netip.ParseAddr(host); err != nil && !slices.Contains(allowed, host) {
			http.Error(w, "this Host is not served: ask by address, or add the name to http_hosts", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// hostName returns a Host header without port, brackets and the dot of a full name.
func hostName(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	} else {
		host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

// onLoopback reports whether a listener can be reached from this machine alone.
func onLoopback(addr net.Addr) bool {
	tcp, ok := addr.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}
