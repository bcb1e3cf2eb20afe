package doctor

import (
	"context"
	"crypto/tls"
	"net"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/redisurl"
	"github.com/catbridge/catbridge/internal/cdn"
	"github.com/catbridge/catbridge/internal/redisnode"
)

func (d *Doctor) sdkKey(_ context.Context, i int) {
	k := d.Settings.SDKKeys[i]
	if err := cdn.CheckSDKKey(k.Key, k.BaseURL != ""); err != nil {
		d.fault("copy it again from the ConfigCat dashboard", "%v", err)
		return
	}
	d.good("%s has the form of an SDK key", cdn.Mask(k.Key))
}

// network resolves names, connects, and does the TLS handshake.
func (d *Doctor) network(ctx context.Context) {
	s := d.Settings.Redis
	if s.Socket != "" {
		d.connect(ctx, "unix", s.Socket)
		return
	}
	good := 0
	for _, address := range s.Addresses {
		// Each address has its share of the timeout.
		ctx, cancel := context.WithTimeout(ctx, d.Timeout/time.Duration(len(s.Addresses)))
		if d.lookUp(ctx, hostOf(address)) && d.connect(ctx, "tcp", address) {
			good++
		}
		cancel()
	}
	// One reachable Sentinel or node is enough.
	d.bad = good == 0
}

func (d *Doctor) lookUp(ctx context.Context, host string) bool {
	if net.ParseIP(host) != nil {
		return true
	}
	addresses, err := net.DefaultResolver.LookupHost(ctx, host)
	if err != nil {
		d.fault("check the name in redis.url or redis.addresses, and this host's DNS", "%v", err)
		return false
	}
	d.good("%s resolves to %s", host, strings.Join(addresses, ", "))
	return true
}

func (d *Doctor) connect(ctx context.Context, network, address string) bool {
	began := time.Now()
	plain, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		d.fault("check that Redis runs there, and that no firewall blocks the connection", "%v", err)
		return false
	}
	took := time.Since(began)
	_ = plain.Close()
	if !d.Settings.Redis.TLS.Enabled {
		d.good("%s accepts connections without TLS, after %v", address, rounded(took))
		return true
	}
	conn, err := d.dial(ctx, network, address)
	if err != nil {
		advice := "check the settings below redis.tls"
		if ctx.Err() != nil {
			advice = "if Redis does not use TLS on this port, write redis:// or set redis.tls.enabled to false"
		}
		d.fault(advice, "TLS with %s: %v", address, err)
		return false
	}
	defer conn.Close()
	d.encrypted(address, took, conn)
	return true
}

// expiresSoon is how long before its expiry a certificate is reported.
const expiresSoon = 14 * 24 * time.Hour

func (d *Doctor) encrypted(address string, took time.Duration, conn net.Conn) {
	state, ok := conn.(interface{ ConnectionState() tls.ConnectionState })
	if !ok || len(state.ConnectionState().PeerCertificates) == 0 {
		d.good("%s accepts connections with TLS, after %v", address, rounded(took))
		return
	}
	version, until := state.ConnectionState().Version, state.ConnectionState().PeerCertificates[0].NotAfter
	if time.Until(until) < expiresSoon {
		d.fault("renew the certificate", "the certificate of %s expires at %s", address, until.UTC().Format(time.RFC3339))
		return
	}
	d.good("%s accepts connections with %s, after %v; its certificate is valid until %s",
		address, tls.VersionName(version), rounded(took), until.UTC().Format(time.DateOnly))
}

// login sends a first command, in a cluster to each node. The nodes are reached by the addresses
// that they announce, not by those in the settings.
func (d *Doctor) login(ctx context.Context) {
	who := "the default user"
	if name := d.Settings.Redis.Username; name != "" {
		who = "the user " + name
	}
	began := time.Now()
	err := redisnode.Each(ctx, d.client, func(ctx context.Context, node *redis.Client) error { return node.Ping(ctx).Err() })
	took := time.Since(began)
	switch {
	case err == nil:
		d.good("%s is logged in; Redis answered after %v", who, rounded(took))
	case redis.IsPermissionError(err):
		d.fault("grant +ping", "%s is logged in, but has no right to PING: %v", who, err)
		d.bad = false // the other checks can run
	default:
		d.fault("", "%s: %v", who, redisurl.Explain(err))
	}
}
