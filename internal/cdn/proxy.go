package cdn

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// proxies selects the proxy of a request.
type proxies struct {
	fixed       *url.URL // of Config.ProxyURL; nil: from the environment
	environment func(*http.Request) (*url.URL, error)
}

func newProxies(cfg Config) (*proxies, error) {
	fixed, err := parseProxy(cfg)
	return &proxies{fixed, http.ProxyFromEnvironment}, err
}

// ProxyFor returns the proxy for requests to target: that of proxyURL, or, if it is empty, that
// of $HTTPS_PROXY, $HTTP_PROXY and $NO_PROXY. It returns nil if there is no proxy.
func ProxyFor(proxyURL string, target *url.URL) (*url.URL, error) {
	p, err := newProxies(Config{ProxyURL: proxyURL})
	if err != nil {
		return nil, err
	}
	return p.to(target)
}

func (p *proxies) to(target *url.URL) (*url.URL, error) {
	if p.fixed != nil {
		return p.fixed, nil
	}
	found, err := p.environment(&http.Request{URL: target})
	if err != nil || found == nil {
		return nil, err
	}
	proxy := *found // a copy, because others also use it
	if err := checkProxy(&proxy); err != nil {
		return nil, fmt.Errorf("$HTTPS_PROXY or $HTTP_PROXY: %w", err)
	}
	return &proxy, nil
}

// users returns the credentials of all proxies that can be used.
func (p *proxies) users(base *url.URL) []*url.Userinfo {
	var users []*url.Userinfo
	for _, target := range []*url.URL{base, {Scheme: "https", Host: "cdn-global" + cdnDomain}, {Scheme: "http", Host: "cdn-global" + cdnDomain}} {
		if proxy, err := p.to(target); err == nil {
			users = append(users, userOf(proxy))
		}
	}
	return users
}

type proxyKey struct{}

// withProxy makes a request use a proxy. The dialer also learns from the context that it does not
// connect to the target itself.
func withProxy(ctx context.Context, proxy *url.URL) context.Context {
	if proxy == nil {
		return ctx
	}
	return context.WithValue(ctx, proxyKey{}, proxy)
}

func proxyOf(ctx context.Context) *url.URL {
	proxy, _ := ctx.Value(proxyKey{}).(*url.URL)
	return proxy
}

func parseProxy(cfg Config) (*url.URL, error) {
	if cfg.ProxyURL == "" {
		return nil, nil
	}
	if cfg.Transport != nil {
		return nil, errors.New("ProxyURL: not allowed with Transport; configure the proxy there")
	}
	proxy, err := url.Parse(cfg.ProxyURL)
	if err != nil {
		return nil, fmt.Errorf("ProxyURL: %w", withoutURL(err))
	}
	if err := checkProxy(proxy); err != nil {
		return nil, fmt.Errorf("ProxyURL: %w", err)
	}
	return proxy, nil
}

func checkProxy(proxy *url.URL) error {
	switch proxy.Scheme {
	case "http", "https", "socks5", "socks5h":
	default:
		return errors.New("the scheme must be http, https, socks5 or socks5h")
	}
	if err := checkAuthority(proxy); err != nil {
		return err
	}
	if strings.Trim(proxy.Path, "/") != "" || proxy.RawQuery != "" || proxy.Fragment != "" {
		return errors.New("want nothing after host and port")
	}
	return nil
}
