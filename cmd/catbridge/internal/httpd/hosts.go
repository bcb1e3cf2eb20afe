package httpd

import (
	"net"
	"net/http"

	"github.com/catbridge/catbridge/internal/hostname"
)

// fromHosts rejects requests whose Host is not an IP address, localhost or one of the names. It
// prevents DNS rebinding.
func fromHosts(names []string, next http.Handler) http.Handler {
	names = hostname.Lower(names)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !hostname.IsOwn(r.Host, names) {
			http.Error(w, "this Host is not served: use the IP address, or add the name to http_hosts", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// onLoopback reports whether a listener can only be reached from this machine.
func onLoopback(addr net.Addr) bool {
	tcp, ok := addr.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}
