package settings

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"os"
	"strings"
	"time"
)

// unixPrefix is the start of an address to listen on that is the path of a Unix socket.
const unixPrefix = "unix:"

// ServeListen is where catbridge serve listens by default.
const ServeListen = "127.0.0.1:8093"

// Serving configures catbridge serve.
type Serving struct {
	Listen         string // host:port, or unix: and a path
	Hold           time.Duration
	MaxStale       time.Duration
	OpenNames      bool
	Insecure       bool
	Online         bool
	SnapshotFolder string
	FleetReport    time.Duration
	Origins        []string
	Webhooks       bool
	MaxStreams     int
	PerClient      int
	MaxConnections int
	AccessLog      bool

	Tokens    []Token
	EventKeys [][]byte    // which sign the URIs of event streams; empty: a random one
	TLS       *tls.Config // nil: no TLS

	tokenFiles                      []string
	eventKeyFile                    string
	certFile, keyFile, clientCAFile string
}

func (s *Serving) table() []*setting {
	list := []*setting{
		{path: "serve.listen", flag: "listen", value: text(&s.Listen), usage: "`address` to listen on: host:port, or unix:/path for a Unix socket"},
		{path: "serve.hold", flag: "hold", value: duration(&s.Hold), usage: "`duration` for which a request of an SDK that polls and is up to date is held until a change, at most 5s (default: requests are not held)"},
		{path: "serve.max_stale", flag: "max-stale", value: duration(&s.MaxStale), usage: "`duration` since the CDN last confirmed a config after which it is not served (default: it always is)"},
		{path: "serve.open_names", flag: "open-names", value: boolean(&s.OpenNames), usage: "serve configs under their names without a token to everybody who reaches the address, not only to this machine"},
		{path: "serve.insecure", flag: "insecure", value: boolean(&s.Insecure), usage: "serve metrics, status and profiles, and evaluate flags under a name alone, without a token on addresses that other machines reach"},
		{path: "serve.token_files", flag: "token-file", live: true, value: files(&s.tokenFiles), usage: "`path` of a file with tokens, one per line: " + tokenUsage + "; may be repeated"},
		{path: "serve.origins", flag: "origin", value: listOf(&s.Origins), usage: "`origin` whose pages may read answers, such as https://app.example.com or https://*.example.com; may be repeated (default: none)"},
		{path: "serve.webhooks", flag: "webhooks", value: boolean(&s.Webhooks), usage: "accept ConfigCat's webhooks under /hook/{name} for SDK keys with a name and webhook keys; the user in Redis needs the rights to ask the leader to poll"},
		{path: "serve.event_key_file", flag: "event-key-file", live: true, value: file(&s.eventKeyFile), usage: "`path` of a file with keys, one per line, that sign the URIs of event streams for OpenFeature: the same file for all processes behind one name (default: a random key)"},
		{path: "serve.online", flag: "online", value: boolean(&s.Online), usage: "ask the CDN while Redis has no config or its content has expired"},
		{path: "serve.snapshot_dir", flag: "snapshot-dir", value: file(&s.SnapshotFolder), usage: "`path` of an existing folder that keeps the last config of each SDK key for a start without Redis"},
		{path: "serve.fleet_report", flag: "fleet-report", value: duration(&s.FleetReport), usage: "`duration` between two reports to the fleet, which catbridge status counts, 5s to 5m (default: no reports)"},
		{path: "serve.max_streams", flag: "max-streams", value: integer(&s.MaxStreams), usage: "maximum `number` of requests that are held and of event streams that are open at once; further requests are answered at once, further streams with 503"},
		{path: "serve.max_streams_per_client", flag: "max-streams-per-client", value: integer(&s.PerClient), usage: "the same `number` for each IPv4 address and each /64 network of IPv6"},
		{path: "serve.max_connections", flag: "max-connections", value: integer(&s.MaxConnections), usage: "maximum `number` of open connections"},
		{path: "serve.access_log", flag: "access-log", value: boolean(&s.AccessLog), usage: "log every request with its route, status and time, without the client's address"},
		{path: "serve.tls.cert_file", flag: "tls-cert-file", live: true, value: file(&s.certFile), usage: "`path` of the certificate (PEM) with which to serve HTTPS; this file and the next two are read again when they change"},
		{path: "serve.tls.key_file", flag: "tls-key-file", live: true, value: file(&s.keyFile), usage: "`path` of the certificate's key (PEM)"},
		{path: "serve.tls.client_ca_file", flag: "tls-client-ca-file", live: true, value: file(&s.clientCAFile), usage: "`path` of the CA certificates (PEM) that must have signed the clients' certificates (mTLS)"},
	}
	for _, set := range list {
		set.part = ServeOnly
	}
	return list
}

// checkServe checks the settings of catbridge serve, and reads the files that they name if the
// command uses them.
func (l *loader) checkServe() {
	s := &l.s.Serve
	if path, isSocket := strings.CutPrefix(s.Listen, unixPrefix); isSocket {
		if path == "" {
			l.say(nil, "serve.listen", "the path of the Unix socket is missing: write unix:/path")
		}
	} else {
		l.checkAddress("serve.listen", s.Listen)
	}
	if s.Hold > 5*time.Second {
		l.say(nil, "serve.hold", "%v is longer than 5s: some official SDKs give up after 10s", s.Hold)
	}
	if s.FleetReport != 0 && (s.FleetReport < 5*time.Second || s.FleetReport > 5*time.Minute) {
		l.say(nil, "serve.fleet_report", "%v is not between 5s and 5m", s.FleetReport)
	}
	for path, n := range map[string]int{"serve.max_streams": s.MaxStreams, "serve.max_streams_per_client": s.PerClient, "serve.max_connections": s.MaxConnections} {
		if n == 0 {
			l.say(nil, path, "it must be above 0")
		}
	}
	if l.Part&ServeOnly == 0 {
		return
	}
	if s.SnapshotFolder != "" {
		if info, err := os.Stat(s.SnapshotFolder); err != nil || !info.IsDir() {
			l.say(nil, "serve.snapshot_dir", "it is not an existing folder: create it, writable for this user")
		}
	}
	if s.Online {
		for i := range l.s.SDKKeys {
			l.checkOnline(&l.s.SDKKeys[i])
		}
	}
	s.Tokens = l.tokens("serve.token_files", s.tokenFiles)
	if s.eventKeyFile != "" {
		if text, ok := l.readFile(nil, "serve.event_key_file", s.eventKeyFile); ok {
			l.eventKeys(s.eventKeyFile, text)
		}
	}
	l.serveTLS()
	l.checkServeUI()
}

// checkOnline: names of proxies are not SDK keys of the CDN.
func (l *loader) checkOnline(k *SDKKey) {
	if k.BaseURL == "" && strings.HasPrefix(k.Key, "configcat-proxy/") {
		l.say(k, "key", "the SDK key is for a proxy and needs a base URL")
	}
}

// serveTLS reads the certificate, its key and the authorities of clients. The files are among
// those that are watched.
func (l *loader) serveTLS() {
	s := &l.s.Serve
	switch {
	case s.certFile == "" && s.keyFile == "" && s.clientCAFile == "":
		return
	case s.certFile == "":
		l.say(nil, "serve.tls.cert_file", "it is missing: TLS needs a certificate and its key")
		return
	case s.keyFile == "":
		l.say(nil, "serve.tls.key_file", "it is missing: TLS needs a certificate and its key")
		return
	}
	cert, haveCert := l.readFile(nil, "serve.tls.cert_file", s.certFile)
	key, haveKey := l.readFile(nil, "serve.tls.key_file", s.keyFile)
	config := &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}}
	if haveCert && haveKey {
		pair, err := tls.X509KeyPair([]byte(cert), []byte(key))
		if err != nil {
			l.say(nil, "serve.tls.cert_file", "%s and %s are not a certificate and its key: %v", s.certFile, s.keyFile, err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	if s.clientCAFile != "" {
		if authorities, ok := l.readFile(nil, "serve.tls.client_ca_file", s.clientCAFile); ok {
			config.ClientCAs = x509.NewCertPool()
			if !config.ClientCAs.AppendCertsFromPEM([]byte(authorities)) {
				l.say(nil, "serve.tls.client_ca_file", "%s contains no certificate (PEM)", s.clientCAFile)
			}
			// Probes have no certificate. The server requires one for all else.
			config.ClientAuth = tls.VerifyClientCertIfGiven
		}
	}
	s.TLS = config
}

func (l *loader) checkAddress(path, address string) {
	if _, port, err := net.SplitHostPort(address); err != nil {
		l.say(nil, path, "it is not an address to listen on: write host:port or :port")
	} else if _, err := net.LookupPort("tcp", port); err != nil {
		l.say(nil, path, "the port is neither a number up to 65535 nor the name of a service")
	}
}

// servesTLS reports whether catbridge serve uses TLS with these settings.
func (s *Settings) servesTLS() bool { return s.Serve.certFile != "" }
