package bench_test

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
)

// cable is the network of one client. It counts what the client reads, and can be cut.
type cable struct {
	read atomic.Int64 // bytes since the last repair

	mu    sync.Mutex
	conns []net.Conn
	off   bool
}

// through returns a dialer whose connections use the cable.
func (c *cable) through(dial dialer) dialer {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.off {
			_ = conn.Close()
			return nil, errRefused
		}
		conn = &countedConn{conn, &c.read}
		c.conns = append(c.conns, conn)
		return conn, nil
	}
}

// cut closes all connections, and refuses others until repair is called.
func (c *cable) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.off = true
	for _, conn := range c.conns {
		_ = conn.Close()
	}
	c.conns = nil
}

func (c *cable) repair() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.off = false
	c.read.Store(0)
}

type countedConn struct {
	net.Conn
	read *atomic.Int64
}

func (c *countedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.read.Add(int64(n))
	return n, err
}
