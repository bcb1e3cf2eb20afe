package cdn

import (
	"net/url"
	"sync"
	"time"
)

// sharedConns bounds the connections to one host that many fetchers share: thousands of SDK keys
// that start at once do not dial thousands of connections.
const sharedConns = 32

// Transports lets fetchers share connections, see [Config]. Only fetchers with the same policy on
// addresses share them: no fetcher gets a connection that it would not be allowed to dial. The
// zero value is ready to use. It is safe for concurrent use.
type Transports struct {
	mu     sync.Mutex
	shared map[transportKey]*transport
}

// transportKey contains all settings that newTransport uses.
type transportKey struct {
	connectTimeout time.Duration
	roots          *Roots
	free           bool   // may dial any address
	named          string // otherwise the only address that may be private
}

func (t *Transports) get(cfg Config, base *url.URL) *transport {
	key := transportKey{connectTimeout: cfg.ConnectTimeout, roots: cfg.Roots, free: cfg.AllowPrivate}
	if !key.free {
		key.named = dialAddr(base)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if found := t.shared[key]; found != nil {
		return found
	}
	made := newTransport(cfg, base, nil)
	made.MaxConnsPerHost, made.MaxIdleConnsPerHost, made.MaxIdleConns = sharedConns, sharedConns, 4*sharedConns
	if t.shared == nil {
		t.shared = map[transportKey]*transport{}
	}
	t.shared[key] = made
	return made
}

// Close closes the idle connections. It is idempotent and safe for concurrent use; Fetch still
// works afterwards.
func (t *Transports) Close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, shared := range t.shared {
		shared.CloseIdleConnections()
	}
}
