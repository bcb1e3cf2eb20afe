package demo

import (
	"context"
	"errors"
	"net"
	"sync"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/redisurl"
)

var errCut = errors.New("the leader was killed")

// cable is the set of connections of one leader to Redis. Cutting it closes them and prevents
// new ones: to the other leaders, that is a killed process.
type cable struct {
	mu    sync.Mutex
	conns map[net.Conn]struct{}
	isCut bool
}

// through wraps dial: the cable can cut its connections.
func (c *cable) through(dial redisurl.Dial) redisurl.Dial {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.isCut {
			conn.Close()
			return nil, errCut
		}
		if c.conns == nil {
			c.conns = map[net.Conn]struct{}{}
		}
		c.conns[conn] = struct{}{}
		return &strand{Conn: conn, cable: c}, nil
	}
}

func (c *cable) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.isCut = true
	for conn := range c.conns {
		conn.Close()
	}
	c.conns = nil
}

type strand struct {
	net.Conn
	cable *cable
}

func (s *strand) Close() error {
	s.cable.mu.Lock()
	delete(s.cable.conns, s.Conn)
	s.cable.mu.Unlock()
	return s.Conn.Close()
}
