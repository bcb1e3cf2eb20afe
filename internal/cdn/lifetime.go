package cdn

import (
	"context"
	"errors"
	"net"
	"time"
)

// maxConnAge is the age at which a connection takes no further request. A connection that
// is used again and again would keep to the address that the CDN's name had when it was
// made, whatever the name means by now.
const maxConnAge = 5 * time.Minute

// errAged fails the first write of a request. net/http then knows that nothing of the
// request was sent, and sends it on another connection.
var errAged = errors.New("cdn: the connection is too old for another request")

// ageing returns a dial function whose connections take no request after maxConnAge.
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
