package followertest

import (
	"net"
	"sync"
)

// conn is one end of a pipe whose writes do not wait for the other end. Redis answers the first
// command of a pipeline before it reads the last one, and go-redis reads no answer before it has
// written all commands. A pipe has no buffer, so without conn both would block forever.
type conn struct {
	net.Conn

	wake chan struct{} // capacity 1: there are pending bytes
	gone chan struct{} // closed with the connection
	once sync.Once

	mu      sync.Mutex
	pending []byte
	err     error // of a write to the pipe
}

func newConn(pipe net.Conn) *conn {
	c := &conn{Conn: pipe, wake: make(chan struct{}, 1), gone: make(chan struct{})}
	go c.send()
	return c
}

func (c *conn) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return 0, c.err
	}
	c.pending = append(c.pending, p...)
	select {
	case c.wake <- struct{}{}:
	default:
	}
	return len(p), nil
}

func (c *conn) Close() error {
	c.once.Do(func() { close(c.gone) })
	return c.Conn.Close()
}

func (c *conn) send() {
	for {
		select {
		case <-c.wake:
		case <-c.gone:
			return
		}
		c.mu.Lock()
		p := c.pending
		c.pending = nil
		c.mu.Unlock()
		if _, err := c.Conn.Write(p); err != nil {
			c.mu.Lock()
			c.err = err
			c.mu.Unlock()
			return
		}
	}
}
