// Package hostname checks the Host of HTTP requests, so that a web page whose own host name
// resolves to this machine cannot read what only this machine may see (DNS rebinding).
package hostname

import (
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strings"
)

var form = regexp.MustCompile(`^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$`)

// Valid reports whether name is a host name, without scheme, port and path.
func Valid(name string) bool { return form.MatchString(name) }

// Lower returns the names in lower case, as [IsOwn] needs them.
func Lower(names []string) []string {
	lower := make([]string, len(names))
	for i, name := range names {
		lower[i] = strings.ToLower(name)
	}
	return lower
}

// IsOwn reports whether the Host of a request is an IP address, localhost or one of names, which
// are in lower case. Those cannot be the host names of web pages of others.
func IsOwn(host string, names []string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	} else {
		host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	return host == "localhost" || slices.Contains(names, host)
}
