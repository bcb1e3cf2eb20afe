package doctor

import (
	"context"
	"net"
	"net/url"
)

// proxy connects to the one on the way to the CDN.
func (d *Doctor) proxy(ctx context.Context) {
	if d.As != Leader {
		d.unknown("not tried: a %s needs no CDN, unless it is online", d.As)
		return
	}
	text := d.Settings.LeaderConfig().ProxyURL
	if text == "" {
		d.unknown("none is set")
		return
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" {
		d.fault("write it like http://host:port", "the proxy's URL cannot be read")
		return
	}
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", hostPort(u))
	if err != nil {
		d.fault("check --proxy, or $HTTPS_PROXY, and that it runs", "%v", err)
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
