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
)

// sdkKey tells of the form, which settings were checked for already.
func (d *Doctor) sdkKey(_ context.Context, i int) {
	k := d.Settings.SDKKeys[i]
	if err := cdn.CheckSDKKey(k.Key, k.BaseURL != ""); err != nil {
		d.fault("copy it anew from the ConfigCat dashboard", "%v", err)
		return
	}
	d.good("%s has the form of an SDK key", cdn.Mask(k.Key))
}

// network looks names up, connects, and encrypts.
func (d *Doctor) network(ctx context.Context) {
	s := d.Settings.Redis
	if s.Socket != "" {
		d.connect(ctx, "unix", s.Socket)
		return
	}
	good := 0
	for _, address := range s.Addresses {
		// One that does not answer leaves time for the others.
		ctx, cancel := context.WithTimeout(ctx, d.Timeout/time.Duration(len(s.Addresses)))
		if d.lookUp(ctx, hostOf(address)) && d.connect(ctx, "tcp", address) {
			good++
		}
		cancel()
	}
	// Of several Sentinels or nodes one that answers is enough.
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
	d.good("%s is %s", host, strings.Join(addresses, ", "))
	return true
}

func (d *Doctor) connect(ctx context.Context, network, address string) bool {
	began := time.Now()
	plain, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		d.fault("check that Redis runs there, and firewalls on the way", "%v", err)
		return false
	}
	took := time.Since(began)
	_ = plain.Close()
	if !d.Settings.Redis.TLS.Enabled {
		d.good("%s accepts connections, after %v; without TLS", address, rounded(took))
		return true
	}
	conn, err := d.dial(ctx, network, address)
	if err != nil {
		advice := "see redis.tls"
		if ctx.Err() != nil {
			advice = "if Redis does not speak TLS at this port, write redis:// or turn redis.tls.enabled off"
		}
		d.fault(advice, "TLS with %s: %v", address, err)
		return false
	}
	defer conn.Close()
	d.encrypted(address, took, conn)
	return true
}

// expiresSoon is when a certificate is worth a word.
const expiresSoon = 14 * 24 * time.Hour

func (d *Doctor) encrypted(address string, took time.Duration, conn net.Conn) {
	state, ok := conn.(interface{ ConnectionState() tls.ConnectionState })
	if !ok || len(state.ConnectionState().PeerCertificates) == 0 {
		d.good("%s accepts connections, after %v, with TLS", address, rounded(took))
		return
	}
	version, until := state.ConnectionState().Version, state.ConnectionState().PeerCertificates[0].NotAfter
	if time.Until(until) < expiresSoon {
		d.fault("renew it", "the certificate of %s expires at %s", address, until.UTC().Format(time.RFC3339))
		return
	}
	d.good("%s accepts connections, after %v, with %s and a certificate until %s",
		address, rounded(took), tls.VersionName(version), until.UTC().Format(time.DateOnly))
}

// login sends a first command, in a cluster to each node: those are reached by the
// addresses that they announce, not by those in the settings.
func (d *Doctor) login(ctx context.Context) {
	who := "the default user"
	if name := d.Settings.Redis.Username; name != "" {
		who = "the user " + name
	}
	began := time.Now()
	err := d.eachNode(ctx, func(ctx context.Context, node *redis.Client) error { return node.Ping(ctx).Err() })
	took := time.Since(began)
	switch {
	case err == nil:
		d.good("%s is let in and answered, after %v", who, rounded(took))
	case redis.IsPermissionError(err):
		d.fault("give the user +ping", "%s is let in, but may not PING: %v", who, err)
		d.bad = false // all else can be tried
	default:
		d.fault("", "%s: %v", who, redisurl.Explain(err))
	}
}

// eachNode calls f for each node of a cluster, or for the one Redis. Calls for several
// nodes run at the same time.
func (d *Doctor) eachNode(ctx context.Context, f func(context.Context, *redis.Client) error) error {
	switch client := d.client.(type) {
	case *redis.ClusterClient:
		return client.ForEachShard(ctx, f)
	case *redis.Client:
		return f(ctx, client)
	}
	return nil
}
