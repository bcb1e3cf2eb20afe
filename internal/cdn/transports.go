package cdn

import (
	"net/url"
	"sync"
	"time"
)

// sharedConns bounds the connections to one host that many fetchers share: thousands of
// SDK keys that start at once wait for each other instead of dialling thousands of times.
const sharedConns = 32

// Transports lets many fetchers share connections, see [Config]: those whose policy on
// addresses is the same, so that none gets a connection that it might not have dialled.
// The zero value is ready. It is safe for concurrent use.
type Transports struct {
	mu     sync.Mutex
	shared map[transportKey]*transport
}

// transportKey is all that newTransport looks at.
type transportKey struct {
	connectTimeout time.Duration
	roots          *Roots
	free           bool   // may dial any address
	named          string // else the one that may be private
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

// Close drops the idle connections. It may be called at any time and again; a Fetch
// after it works.
func (t *Transports) Close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, shared := range t.shared {
		shared.CloseIdleConnections()
	}
}
