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

// maxURLBytes bounds what a server may name as a place to go on.
const maxURLBytes = 2048

// cdnDomain is where ConfigCat's own redirects lead to.
const cdnDomain = ".configcat.com"

var errUserInfo = fmt.Errorf("%w: the URL holds user information", ErrRedirectRefused)

// hostPolicy tells where a redirect may lead to. Immutable.
type hostPolicy struct {
	base         *url.URL
	exact        map[string]bool // host, and host:port
	suffixes     []string        // .domain
	allowPrivate bool
}

func newHostPolicy(base *url.URL, allowed []string, allowPrivate bool) (*hostPolicy, error) {
	p := &hostPolicy{
		base:         base,
		exact:        map[string]bool{base.Hostname(): true},
		suffixes:     []string{cdnDomain},
		allowPrivate: allowPrivate,
	}
	for _, entry := range allowed {
		if domain, ok := strings.CutPrefix(entry, "*."); ok {
			if !isHostName(domain) {
				return nil, fmt.Errorf("%q is no *.domain", entry)
			}
			p.suffixes = append(p.suffixes, "."+strings.ToLower(domain))
			continue
		}
		host := entry
		if literal, ok := literalIP(entry); ok {
			host = literal.String() // before a colon is taken for a port's
		} else {
			u := &url.URL{Host: entry}
			if err := checkAuthority(u); err != nil {
				return nil, fmt.Errorf("%q is no host, host:port or *.domain: %w", entry, err)
			}
			if host = u.Hostname(); u.Port() != "" {
				host = net.JoinHostPort(host, u.Port())
			}
		}
		p.exact[host] = true
	}
	return p, nil
}

// redirectBase parses and checks the base URL that a config JSON names (S86).
func (p *hostPolicy) redirectBase(text string) (*url.URL, error) {
	if len(text) > maxURLBytes {
		return nil, fmt.Errorf("%w: the URL has %d bytes, more than %d", ErrRedirectRefused, len(text), maxURLBytes)
	}
	u, err := parseHTTPURL(text)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRedirectRefused, err)
	}
	if u.User != nil {
		return nil, errUserInfo
	}
	return u, p.check(u)
}

// location parses and checks the place that an HTTP redirect names.
func (p *hostPolicy) location(from *url.URL, text string) (*url.URL, error) {
	if len(text) > maxURLBytes {
		return nil, fmt.Errorf("%w: the URL has %d bytes, more than %d", ErrRedirectRefused, len(text), maxURLBytes)
	}
	if text == "" {
		return nil, errors.New("a redirect without a Location")
	}
	named, err := url.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%w: Location: no valid URL: %w", ErrRedirectRefused, withoutURL(err))
	}
	if named.User != nil {
		return nil, errUserInfo
	}
	u := from.ResolveReference(named)
	if u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("%w: Location: the scheme is neither http nor https", ErrRedirectRefused)
	}
	if err := checkAuthority(u); err != nil {
		return nil, fmt.Errorf("%w: Location: %w", ErrRedirectRefused, err)
	}
	return u, p.check(u)
}

// check tells whether a redirect may lead to u, which parseHTTPURL, or a
// Location header, gave.
func (p *hostPolicy) check(u *url.URL) error {
	if u.Scheme == "http" && p.base.Scheme == "https" {
		return fmt.Errorf("%w: from https to http", ErrRedirectRefused)
	}
	if dialAddr(u) == dialAddr(p.base) {
		return nil
	}
	host := u.Hostname()
	if !p.exact[host] && !p.exact[dialAddr(u)] && !p.underDomain(host) {
		return fmt.Errorf("%w: host %q is not among the allowed ones", ErrRedirectRefused, u.Host)
	}
	if p.allowPrivate {
		return nil
	}
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return fmt.Errorf("%w: host %q is this machine, and private addresses are not allowed", ErrRedirectRefused, u.Host)
	}
	if addr, ok := literalIP(host); ok && !isPublic(addr) {
		return fmt.Errorf("%w: %v is not a public address, and private ones are not allowed", ErrRedirectRefused, addr)
	}
	return nil
}

func (p *hostPolicy) underDomain(host string) bool {
	for _, suffix := range p.suffixes {
		if strings.HasSuffix(host, suffix) {
			return true
		}
	}
	return false
}

// parseHTTPURL parses a base URL into its one spelling: lower-case host, no
// default port, no slash at the end. So equal places have equal text.
func parseHTTPURL(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("no valid URL: %w", withoutURL(err))
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("no valid URL: the scheme must be http or https")
	}
	if err := checkAuthority(u); err != nil {
		return nil, fmt.Errorf("no valid URL: %w", err)
	}
	if u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || u.RawFragment != "" || strings.HasSuffix(text, "#") {
		return nil, errors.New("no valid URL: a query or fragment has no place in it")
	}
	u.Path, u.RawPath = strings.TrimRight(u.Path, "/"), strings.TrimRight(u.RawPath, "/")
	return u, nil
}

// checkAuthority checks host and port, and brings them into one spelling.
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

// dialAddr is the address that net/http dials for a URL.
func dialAddr(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = defaultPort(u.Scheme)
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// samePlace tells whether two base URLs are the same but for user information.
func samePlace(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && a.Host == b.Host && a.EscapedPath() == b.EscapedPath()
}

func literalIP(host string) (netip.Addr, bool) {
	addr, err := netip.ParseAddr(host)
	return addr, err == nil && addr.Zone() == ""
}

// isHostName accepts what name look-up does: also _, which names of containers hold.
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

// withoutURL drops the URL from an error of url.Parse, and, if the URL may hold
// a password, the part of it that such an error quotes.
func withoutURL(err error) error {
	e, ok := errors.AsType[*url.Error](err)
	if !ok {
		return err
	}
	if strings.Contains(e.URL, "@") {
		return errors.New("its text is withheld, it may hold a password")
	}
	return e.Err
}
