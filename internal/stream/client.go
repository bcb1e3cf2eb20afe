package stream

import (
	"net/http"
	"net/netip"
)

// ClientOf returns what the limits of a client count by: its IP address, or the first 64 bits of
// an IPv6 address, because one machine can use all others.
func ClientOf(r *http.Request) string {
	remote, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr // of a Unix socket
	}
	ip := remote.Addr().Unmap()
	if ip.Is6() {
		network, _ := ip.Prefix(64) // it has so many bits
		return network.String()
	}
	return ip.String()
}
