package cdn

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// parseHTTPURL parses and normalizes a base URL: lower-case host, no default port, no trailing
// slash. Equivalent URLs are then equal strings.
func parseHTTPURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("invalid URL: %w", withoutURL(err))
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("invalid URL: the scheme must be http or https")
	}
	if err := checkAuthority(u); err != nil {
		return nil, fmt.Errorf("invalid URL: %w", err)
	}
	if u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || u.RawFragment != "" || strings.HasSuffix(text, "#") {
		return nil, errors.New("invalid URL: want no query and no fragment")
	}
	u.Path, u.RawPath = strings.TrimRight(u.Path, "/"), strings.TrimRight(u.RawPath, "/")
	return u, nil
}

func checkAuthority(u *url.URL) error {
	host, port := u.Hostname(), u.Port()
	if host == "" {
		return errors.New("the host is missing")
	}
	if literal, ok := literalIP(host); ok {
		host = literal.String()
	} else if !isHostName(host) {
		return errors.New("the host is neither a name (international ones in punycode) nor an IP address")
	}
	if port != "" {
		if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
			return errors.New("the port is not between 1 and 65535")
		}
	} else if strings.HasSuffix(u.Host, ":") {
		return errors.New("the port is missing after the colon")
	}
	host = strings.ToLower(host)
	switch {
	case port != "" && port != defaultPort(u.Scheme):
		u.Host = net.JoinHostPort(host, port)
	case strings.Contains(host, ":"):
		u.Host = "[" + host + "]"
	default:
		u.Host = host
	}
	return nil
}

func defaultPort(scheme string) string {
	switch scheme {
	case "http":
		return "80"
	case "https":
		return "443"
	}
	return ""
}

// dialAddr returns the address that net/http dials for a URL.
func dialAddr(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = defaultPort(u.Scheme)
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// samePlace reports whether two base URLs are equal, ignoring user information.
func samePlace(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && a.Host == b.Host && a.EscapedPath() == b.EscapedPath()
}

func literalIP(host string) (netip.Addr, bool) {
	addr, err := netip.ParseAddr(host)
	return addr, err == nil && addr.Zone() == ""
}

// isHostName accepts the names that look-up accepts, including _, which occurs in names of
// containers.
func isHostName(s string) bool {
	if len(s) > 253 {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 {
			return false
		}
		for _, c := range []byte(label) {
			switch {
			case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_':
			default:
				return false
			}
		}
	}
	return true
}

// withoutURL removes the URL from an error of url.Parse, and, if the URL may contain a password,
// also the part that the error quotes.
func withoutURL(err error) error {
	e, ok := errors.AsType[*url.Error](err)
	if !ok {
		return err
	}
	if strings.Contains(e.URL, "@") {
		return errors.New("details withheld, since they may contain a password")
	}
	return e.Err
}
