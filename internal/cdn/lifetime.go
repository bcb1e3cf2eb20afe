package cdn

import (
	"context"
	"errors"
	"net"
	"time"
)

// maxConnAge is the age after which a connection is not used again, see the package
// documentation.
const maxConnAge = 5 * time.Minute

// errAged fails the first write of a request. net/http then knows that nothing was sent, and uses
// another connection.
var errAged = errors.New("cdn: the connection is too old for another request")

func ageing(dial dialFunc) dialFunc {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return &ageingConn{Conn: c, born: time.Now()}, nil
	}
}

type ageingConn struct {
	net.Conn
	born time.Time
}

func (c *ageingConn) Write(p []byte) (int, error) {
	if time.Since(c.born) >= maxConnAge {
		_ = c.Conn.Close()
		return 0, errAged
	}
	return c.Conn.Write(p)
}
