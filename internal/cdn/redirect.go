package cdn

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
)

const maxURLBytes = 2048

const cdnDomain = ".configcat.com"

var errUserInfo = fmt.Errorf("%w: the URL contains user information", errRedirectRefused)

// hostPolicy decides which redirects are allowed. It is immutable.
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
				return nil, fmt.Errorf("%q is not a valid *.domain", entry)
			}
			p.suffixes = append(p.suffixes, "."+strings.ToLower(domain))
			continue
		}
		var host string
		if literal, ok := literalIP(entry); ok {
			host = literal.String() // its colons do not separate a port
		} else {
			u := &url.URL{Host: entry}
			if err := checkAuthority(u); err != nil {
				return nil, fmt.Errorf("%q is not a host, host:port or *.domain: %w", entry, err)
			}
			if host = u.Hostname(); u.Port() != "" {
				host = net.JoinHostPort(host, u.Port())
			}
		}
		p.exact[host] = true
	}
	return p, nil
}

// redirectBase parses and checks the base URL in a config JSON.
func (p *hostPolicy) redirectBase(text string) (*url.URL, error) {
	if len(text) > maxURLBytes {
		return nil, fmt.Errorf("%w: the URL has %d bytes, more than %d", errRedirectRefused, len(text), maxURLBytes)
	}
	u, err := parseHTTPURL(text)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errRedirectRefused, err)
	}
	if u.User != nil {
		return nil, errUserInfo
	}
	return u, p.check(u)
}

func (p *hostPolicy) location(from *url.URL, text string) (*url.URL, error) {
	if len(text) > maxURLBytes {
		return nil, fmt.Errorf("%w: the URL has %d bytes, more than %d", errRedirectRefused, len(text), maxURLBytes)
	}
	if text == "" {
		return nil, errors.New("redirect without a Location header")
	}
	named, err := url.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%w: Location: invalid URL: %w", errRedirectRefused, withoutURL(err))
	}
	if named.User != nil {
		return nil, errUserInfo
	}
	u := from.ResolveReference(named)
	if u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("%w: Location: the scheme is neither http nor https", errRedirectRefused)
	}
	if err := checkAuthority(u); err != nil {
		return nil, fmt.Errorf("%w: Location: %w", errRedirectRefused, err)
	}
	return u, p.check(u)
}

// check returns an error if a redirect to u is not allowed. u is a result of parseHTTPURL or the
// URL of a Location header.
func (p *hostPolicy) check(u *url.URL) error {
	if u.Scheme == "http" && p.base.Scheme == "https" {
		return fmt.Errorf("%w: from https to http, which only a BaseURL (base_url) of http allows", errRedirectRefused)
	}
	if dialAddr(u) == dialAddr(p.base) {
		return nil
	}
	host := u.Hostname()
	if !p.exact[host] && !p.exact[dialAddr(u)] && !p.underDomain(host) {
		return fmt.Errorf("%w: host %q is not among AllowedHosts (allowed_hosts)", errRedirectRefused, u.Host)
	}
	if p.allowPrivate {
		return nil
	}
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return fmt.Errorf("%w: host %q is this machine, and AllowPrivate (allow_private) is not set", errRedirectRefused, u.Host)
	}
	if addr, ok := literalIP(host); ok && !isPublic(addr) {
		return fmt.Errorf("%w: %v is not a public address, and AllowPrivate (allow_private) is not set", errRedirectRefused, addr)
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
