package doctor

import (
	"cmp"
	"context"
	"net"
	"net/url"

	"github.com/catbridge/catbridge/internal/cdn"
)

func (d *Doctor) proxy(ctx context.Context) {
	if d.As != Leader {
		d.unknown("not checked: a %s needs no CDN, unless it is online", d.As)
		return
	}
	base, err := url.Parse(cmp.Or(d.Settings.Defaults.BaseURL, "https://cdn-global.configcat.com"))
	var u *url.URL
	if err == nil {
		u, err = cdn.ProxyFor(d.Settings.ProxyURL, base)
	}
	switch {
	case err != nil:
		d.fault("write it like http://host:port", "the URL of the proxy is invalid: %v", err)
		return
	case u == nil:
		d.unknown("no proxy is set")
		return
	}
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", hostPort(u))
	if err != nil {
		d.fault("check proxy_url or $HTTPS_PROXY, and that the proxy runs", "%v", err)
		return
	}
	_ = conn.Close()
	d.good("%s accepts connections", u.Redacted())
}

func hostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"https": "443", "socks5": "1080", "socks5h": "1080"}[u.Scheme]
	}
	if port == "" {
		port = "80"
	}
	return net.JoinHostPort(u.Hostname(), port)
}
