package cdn

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"time"
)

// maxHeaderBytes bounds the header of an answer, and therefore every ETag.
const maxHeaderBytes = 64 << 10

// newTransport returns the fetcher's own transport. It uses HTTP/1.1: that is enough for one
// small request a minute, and leaves no goroutine that looks like a hanging connection.
func newTransport(cfg Config, base *url.URL, resolver *net.Resolver) *transport {
	t := &http.Transport{
		Proxy:                  func(r *http.Request) (*url.URL, error) { return proxyOf(r.Context()), nil },
		DialContext:            ageing(newDialer(cfg, base, resolver)),
		TLSHandshakeTimeout:    cfg.ConnectTimeout,
		DisableCompression:     true, // readBody decompresses with a limit
		MaxIdleConns:           4,
		MaxIdleConnsPerHost:    1,
		IdleConnTimeout:        90 * time.Second,
		MaxResponseHeaderBytes: maxHeaderBytes,
		Protocols:              new(http.Protocols),
	}
	t.Protocols.SetHTTP1(true)
	return &transport{Transport: t, roots: cfg.Roots}
}

type dialFunc func(ctx context.Context, network, addr string) (net.Conn, error)

// newDialer returns a dial function. It connects to an address that is not on the internet only
// for the configured base URL or proxy.
func newDialer(cfg Config, base *url.URL, resolver *net.Resolver) dialFunc {
	free := &net.Dialer{Timeout: cfg.ConnectTimeout, Resolver: resolver}
	if cfg.AllowPrivate {
		return free.DialContext
	}
	guarded := &net.Dialer{Timeout: cfg.ConnectTimeout, Resolver: resolver, Control: refusePrivate}
	named := dialAddr(base)
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		if addr == named || proxyOf(ctx) != nil {
			return free.DialContext(ctx, network, addr)
		}
		return guarded.DialContext(ctx, network, addr)
	}
}

func refusePrivate(_, address string, _ syscall.RawConn) error {
	addr, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: address: %w", errRedirectRefused, err)
	}
	if !isPublic(addr.Addr()) {
		return fmt.Errorf("%w: the host is at %v, which is not a public address, and AllowPrivate (allow_private) is not set", errRedirectRefused, addr.Addr())
	}
	return nil
}

// Ranges of the special-purpose address registries that netip classifies as global.
var (
	notPublic = []netip.Prefix{
		netip.MustParsePrefix("0.0.0.0/8"),
		netip.MustParsePrefix("100.64.0.0/10"), // carrier-grade NAT
		netip.MustParsePrefix("192.0.0.0/24"),
		netip.MustParsePrefix("192.0.2.0/24"),
		netip.MustParsePrefix("192.88.99.0/24"),
		netip.MustParsePrefix("198.18.0.0/15"),
		netip.MustParsePrefix("198.51.100.0/24"),
		netip.MustParsePrefix("203.0.113.0/24"),
		netip.MustParsePrefix("240.0.0.0/4"),
		netip.MustParsePrefix("2001::/23"), // includes Teredo, which embeds an IPv4 address
		netip.MustParsePrefix("2001:db8::/32"),
		netip.MustParsePrefix("2002::/16"), // 6to4, which embeds an IPv4 address
		netip.MustParsePrefix("3fff::/20"),
	}
	ipv6Global = netip.MustParsePrefix("2000::/3")
	nat64      = netip.MustParsePrefix("64:ff9b::/96")
)

func isPublic(addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	if nat64.Contains(addr) {
		b := addr.As16()
		return isPublic(netip.AddrFrom4([4]byte(b[12:])))
	}
	if !addr.IsGlobalUnicast() || addr.IsPrivate() || addr.Is6() && !ipv6Global.Contains(addr) {
		return false
	}
	for _, prefix := range notPublic {
		if prefix.Contains(addr) {
			return false
		}
	}
	return true
}
