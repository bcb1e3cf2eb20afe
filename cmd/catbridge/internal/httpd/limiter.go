package httpd

import (
	"container/list"
	"context"
	"crypto/tls"
	"maps"
	"net"
	"slices"
	"sync"
)

// limiter is a listener that bounds the number of open connections. Above the bound, it closes
// the one that has been without a request in progress for longest.
type limiter struct {
	net.Listener
	most      int
	encrypted bool // the data is TLS, in which requests cannot be seen

	mu      sync.Mutex
	open    map[*conn]struct{}
	waiting list.List // of *conn: those without a request in progress, the longest first
}

func limit(l net.Listener, most int) *limiter {
	return &limiter{Listener: l, most: most, open: map[*conn]struct{}{}}
}

func (l *limiter) Accept() (net.Conn, error) {
	for {
		accepted, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		c := &conn{Conn: accepted, limiter: l}
		if l.admit(c) {
			return c, nil
		}
		_ = accepted.Close()
	}
}

// admit makes room for c. It returns false if a request is in progress on every connection.
func (l *limiter) admit(c *conn) bool {
	l.mu.Lock()
	var slowest *conn
	if len(l.open) >= l.most {
		first := l.waiting.Front()
		if first == nil {
			l.mu.Unlock()
			return false
		}
		slowest = first.Value.(*conn)
		slowest.forget()
	}
	l.open[c] = struct{}{}
	c.place = l.waiting.PushBack(c)
	l.mu.Unlock()
	if slowest != nil {
		_ = slowest.Conn.Close()
	}
	return true
}

type conn struct {
	net.Conn
	limiter *limiter
	framing framing // of the data read

	certificate certificate // of the client

	// Guarded by the limiter's lock.
	gone  bool
	busy  int           // requests in progress
	place *list.Element // in waiting; nil: a request is in progress
}

// forget removes the connection from the count. The caller must hold the lock.
func (c *conn) forget() {
	if c.gone {
		return
	}
	c.gone = true
	delete(c.limiter.open, c)
	if c.place != nil {
		c.limiter.waiting.Remove(c.place)
		c.place = nil
	}
}

// closeIf closes the connections that a function selects.
func (l *limiter) closeIf(selects func(*conn) bool) {
	l.mu.Lock()
	open := slices.Collect(maps.Keys(l.open))
	l.mu.Unlock()
	for _, c := range open {
		if selects(c) {
			_ = c.Close()
		}
	}
}

func (c *conn) Read(p []byte) (int, error) {
	if c.limiter.encrypted {
		return c.Conn.Read(p)
	}
	return c.framing.read(c.Conn, p)
}

func (c *conn) Close() error {
	c.limiter.mu.Lock()
	c.forget()
	c.limiter.mu.Unlock()
	return c.Conn.Close()
}

// work calls f, which handles a request, and keeps the connection open meanwhile. With HTTP/2 a
// connection has several requests at once.
func (c *conn) work(f func()) {
	c.count(1)
	defer c.count(-1)
	f()
}

func (c *conn) count(change int) {
	c.limiter.mu.Lock()
	defer c.limiter.mu.Unlock()
	c.busy += change
	switch {
	case c.gone:
	case c.busy > 0 && c.place != nil:
		c.limiter.waiting.Remove(c.place)
		c.place = nil
	case c.busy == 0 && c.place == nil:
		c.place = c.limiter.waiting.PushBack(c)
	}
}

type connKey struct{}

func withConn(ctx context.Context, c net.Conn) context.Context {
	if encrypted, ok := c.(*tls.Conn); ok {
		c = encrypted.NetConn()
	}
	return context.WithValue(ctx, connKey{}, c)
}
