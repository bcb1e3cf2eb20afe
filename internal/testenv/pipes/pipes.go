// Package pipes connects clients to an HTTP server without a network, so that a test runs in
// virtual time. Connections are unbuffered: a client that does not read stops the server's write
// at once.
package pipes

import (
	"net"
	"sync"
)

// Listener is a listener whose connections are pipes. It is safe for concurrent use.
type Listener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

// New returns a Listener. The caller must close it, or let a server do so.
func New() *Listener {
	return &Listener{conns: make(chan net.Conn), closed: make(chan struct{})}
}

// Dial waits until a connection is accepted, and returns the client's end. It returns
// [net.ErrClosed] if the listener is closed.
func (l *Listener) Dial() (net.Conn, error) { return l.connect(net.Pipe()) }

// DialAs is like Dial for a connection with addresses, which are those that the server sees.
func (l *Listener) DialAs(local, remote net.Addr) (net.Conn, error) {
	near, far := net.Pipe()
	return l.connect(near, addressed{far, local, remote})
}

func (l *Listener) connect(near, far net.Conn) (net.Conn, error) {
	select {
	case l.conns <- far:
		return near, nil
	case <-l.closed:
		_ = near.Close()
		return nil, net.ErrClosed
	}
}

// Accept implements [net.Listener].
func (l *Listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close implements [net.Listener]. It is idempotent.
func (l *Listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

// Addr implements [net.Listener].
func (l *Listener) Addr() net.Addr { return &net.TCPAddr{} }

// addressed is a connection with addresses.
type addressed struct {
	net.Conn
	local, remote net.Addr
}

func (c addressed) LocalAddr() net.Addr  { return c.local }
func (c addressed) RemoteAddr() net.Addr { return c.remote }
