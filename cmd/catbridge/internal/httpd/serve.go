package httpd

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// UnixPrefix is the start of an address to listen on that is the path of a Unix socket.
const UnixPrefix = "unix:"

// ServeConfig configures the server of catbridge serve.
type ServeConfig struct {
	// Addr is the address to listen on: host:port, or unix: and the path of a socket. Required.
	Addr string
	// Gateway answers all requests but those for the paths of operation and of webhooks. It sets the
	// pattern of the request to its route, for the log. Required.
	Gateway http.Handler
	// Hooks handles GET and POST of /hook/{name}. nil: the path does not exist.
	Hooks http.Handler
	// NewUI returns what serves the dashboard under /ui/; nil: the gateway answers these paths, too.
	NewUI NewUI
	// Drain answers the held requests. Run calls it when it ends. Required.
	Drain func(context.Context)
	// Report returns the state of what is served. Required.
	Report func() ServeStatus
	// TLS returns the configuration of each new connection; nil: no TLS. If it has authorities of
	// clients, all but the probes need a certificate of theirs. See also [Server.CloseRevoked].
	TLS func() *tls.Config
	// Authorized reports whether a token may read metrics, status and profiles. Required.
	Authorized func(token string) bool
	// Insecure allows everyone to read them.
	Insecure bool
	Gatherer prometheus.Gatherer // of /metrics; nil: it is not served
	Status   bool                // enables /status
	Pprof    bool                // enables /debug/pprof/
	// Hosts are names that requests for metrics, status and profiles may use on a loopback address,
	// besides localhost and IP addresses.
	Hosts []string
	// MaxConnections bounds the number of open connections. Required.
	MaxConnections int
	// AccessLog logs every request at level info, without the address of the client.
	AccessLog bool
	Logger    *slog.Logger // Required.

	ui UI // nil: there is none
}

// ServeStatus is the answer of GET /status of catbridge serve, as JSON. The names of its fields do
// not change; later versions may add fields. It contains no secrets.
type ServeStatus struct {
	Version string       `json:"version,omitempty"` // of the program
	Time    time.Time    `json:"time"`              // of the answer
	Ready   bool         `json:"ready"`             // as in /readyz
	SDKs    []SDKStatus  `json:"sdks"`              // one for each SDK key
	Streams StreamStatus `json:"streams"`           // held requests and event streams
}

// SDKStatus is the part of a [ServeStatus] about one SDK key.
type SDKStatus struct {
	Name   string `json:"name"`             // under which it is served
	Ready  bool   `json:"ready"`            // there is a config
	State  string `json:"state"`            // of the connection to Redis
	Source string `json:"source,omitempty"` // of the config
	Rev    int64  `json:"rev"`              // of the config, Unix milliseconds; 0: no config
	Hash   string `json:"hash,omitempty"`   // of the config, SHA-256
	// Age is the time since the CDN last confirmed the config; missing: unknown.
	Age          *float64 `json:"age_seconds,omitempty"`
	Epoch        int64    `json:"epoch,omitempty"`                 // of the last known leader
	Control      int64    `json:"control,omitempty"`               // seq of the operators' pin and forces; missing: nothing is in force
	PollInterval float64  `json:"poll_interval_seconds,omitempty"` // of the leader; missing: unknown
}

// StreamStatus counts the held requests and the event streams.
type StreamStatus struct {
	Holding  int    `json:"holding"`  // requests that are held now
	Held     uint64 `json:"held"`     // requests that were held, since the start
	Released uint64 `json:"released"` // by a change
	Refused  uint64 `json:"refused"`  // by the limits

	Events         int    `json:"events"`          // event streams that are open now
	RejectedEvents uint64 `json:"rejected_events"` // by the limits
	SlowEvents     uint64 `json:"slow_events"`     // ended because their client did not read
}

// NewServe returns a server that already listens. The caller must call [Server.Run] or
// [Server.Close].
func NewServe(cfg ServeConfig) (*Server, error) {
	var listener net.Listener
	var err error
	if path, isSocket := strings.CutPrefix(cfg.Addr, UnixPrefix); isSocket {
		listener, err = listenUnix(path)
	} else {
		listener, err = Listen(cfg.Addr)
	}
	if err != nil {
		return nil, err
	}
	if cfg.ui, err = cfg.NewUI.on(listener.Addr()); err != nil {
		_ = listener.Close()
		return nil, err
	}
	s := newServer(listener, cfg.MaxConnections, newServeHandler(cfg, listener.Addr()), cfg.Logger)
	s.drain = cfg.Drain
	if cfg.ui != nil {
		s.drain = func(ctx context.Context) {
			cfg.ui.Drain(ctx)
			cfg.Drain(ctx)
		}
	}
	if cfg.TLS != nil {
		s.tls = cfg.TLS
		s.listener.encrypted = true
		s.server.TLSConfig = &tls.Config{
			MinVersion:         tls.VersionTLS12,
			GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return cfg.TLS(), nil },
		}
	}
	return s, nil
}

// newServeHandler has no [http.ServeMux] in front of the gateway, which would redirect paths with a
// double slash.
func newServeHandler(cfg ServeConfig, addr net.Addr) http.Handler {
	guarded := func(next http.Handler) http.Handler { return authorized(cfg, next) }
	switch {
	case addr.Network() == "unix":
		guarded = func(next http.Handler) http.Handler { return next }
	case onLoopback(addr):
		guarded = func(next http.Handler) http.Handler { return fromHosts(cfg.Hosts, next) }
	}
	mux, answers := http.NewServeMux(), &unread{most: maxUnread}
	mux.Handle("/healthz", only(getOrHead, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { answer(w, true, "alive", "", nil) }))) // 200 while the process works
	mux.Handle("/readyz", only(getOrHead, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { serveReady(w, cfg.Report()) })))        // 200 once there was a config for every SDK key, otherwise 503; a line for each SDK key
	addInternal(mux, answers, guarded, cfg.Gatherer, cfg.Logger, cfg.Pprof)
	if cfg.Status {
		mux.Handle("/status", guarded(only(getOrHead, answers.holding(atOnce(statusAtOnce, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			writeStatus(w, cfg.Report())
		})))))) // JSON, see below; with the setting status
	}
	addUI(mux, answers, cfg.ui)
	if cfg.Hooks != nil {
		hooks := only(getOrPost, buffered(answers.holding(atOnce(hooksAtOnce, cfg.Hooks))))
		mux.Handle("/hook/{name}", hooks) // ConfigCat's webhook for the SDK key of that name; with the setting serve.webhooks
		mux.Handle("/hook/{name}/{$}", hooks)
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "not found", http.StatusNotFound) })
	operation, served := headers(mux), buffered(working(cfg.Gateway))
	level := slog.LevelDebug
	if cfg.AccessLog {
		level = slog.LevelInfo
	}
	var handler http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/healthz" || r.URL.Path == "/readyz":
			operation.ServeHTTP(w, r)
		case lacksCertificate(r, cfg.TLS):
			http.Error(w, "a client certificate is required", http.StatusUnauthorized)
		case isOperation(r.URL.Path) || cfg.ui != nil && isUI(r):
			operation.ServeHTTP(w, r)
		default:
			served.ServeHTTP(w, r)
		}
	})
	if cfg.TLS != nil {
		handler = verified(cfg.TLS, handler)
	}
	return observed(cfg.Logger, access{level, false}, lastIfUnclear(handler))
}

func isOperation(path string) bool {
	return path == "/metrics" || strings.HasPrefix(path, "/hook/") || path == "/status" || path == "/debug/pprof" || strings.HasPrefix(path, "/debug/pprof/")
}

// lacksCertificate reports whether clients need a certificate, and this one has none.
func lacksCertificate(r *http.Request, config func() *tls.Config) bool {
	return config != nil && config().ClientCAs != nil && (r.TLS == nil || len(r.TLS.VerifiedChains) == 0)
}

// authorized passes on requests with a token, and those of clients with a certificate.
func authorized(cfg ServeConfig, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		token, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !bearer {
			token = r.Header.Get("X-Api-Key")
		}
		if cfg.Insecure || r.TLS != nil && len(r.TLS.VerifiedChains) > 0 || cfg.Authorized(token) {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("WWW-Authenticate", "Bearer")
		http.Error(w, "a token with the right status is required", http.StatusUnauthorized)
	})
}

func serveReady(w http.ResponseWriter, s ServeStatus) {
	lines := make([]string, 0, len(s.SDKs))
	for _, sdk := range s.SDKs {
		state := "ready, " + sdk.State
		if !sdk.Ready {
			state = "no config yet, " + sdk.State
		}
		lines = append(lines, sdk.Name+": "+state)
	}
	answer(w, s.Ready, "ready", "not ready", lines)
}

func writeStatus(w http.ResponseWriter, s ServeStatus) {
	body, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		panic(err) // unreachable: all fields can be encoded
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(append(body, '\n'))
}

// Probe asks a server of catbridge leader or serve for a path, such as /readyz. It returns the
// answer's text, and an error unless the answer is 200. addr is an address that the server listens
// on. The certificate of the server is not verified: the probe sends no secret.
func Probe(ctx context.Context, addr, path string) (string, error) {
	status, text, err := getFrom(ctx, addr, "http", path)
	if err == nil && status == http.StatusBadRequest && strings.Contains(text, "HTTP request to an HTTPS server") {
		status, text, err = getFrom(ctx, addr, "https", path)
	}
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("%d %s", status, http.StatusText(status))
	}
	return text, err
}

func getFrom(ctx context.Context, addr, scheme, path string) (status int, text string, err error) {
	dialer := new(net.Dialer)
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // see above
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			if path, isSocket := strings.CutPrefix(addr, UnixPrefix); isSocket {
				return dialer.DialContext(ctx, "unix", path)
			}
			return dialer.DialContext(ctx, "tcp", reachable(addr))
		},
	}
	defer transport.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+"://localhost"+path, nil)
	if err != nil {
		return 0, "", err
	}
	res, err := transport.RoundTrip(req)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxBodyBytes))
	return res.StatusCode, string(body), err
}

// reachable returns the address at which this machine reaches a server that listens on all of its
// addresses.
func reachable(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return net.JoinHostPort(host, port)
}
