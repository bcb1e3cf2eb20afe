package leader

import (
	"context"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// failoverAddr is what go-redis has for an address where Sentinels tell of it.
const failoverAddr = "FailoverClient"

// handshake is longer than a connection may take until it can be used.
const handshake = 30 * time.Second

// onePrimary keeps a client to the primary that the Sentinels named last. Told of
// another, go-redis closes the connections that it has, but not one that it is just
// making. If the former primary was stopped, and wakes up, that one comes into use: the
// leader would lead there, heard by few, until the Sentinels have turned the former
// primary into a replica (F8).
type onePrimary struct {
	mu    sync.Mutex
	addr  string
	young []dialled // connections to addr that may not be in use yet
}

type dialled struct {
	conn net.Conn
	at   time.Time
}

// followOnePrimary has it watch over a client that asks Sentinels.
func followOnePrimary(client redis.UniversalClient) {
	if single, ok := client.(*redis.Client); ok && single != nil && single.Options().Addr == failoverAddr {
		single.AddHook(&onePrimary{})
	}
}

func (p *onePrimary) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := next(ctx, network, addr)
		if err == nil {
			p.dialled(conn)
		}
		return conn, err
	}
}

func (p *onePrimary) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }

func (p *onePrimary) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// dialled closes the connections to another address than that of the latest.
func (p *onePrimary) dialled(conn net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if addr := conn.RemoteAddr().String(); addr != p.addr {
		for _, former := range p.young {
			_ = former.conn.Close()
		}
		p.addr, p.young = addr, nil
	}
	now := time.Now()
	p.young = slices.DeleteFunc(p.young, func(d dialled) bool { return now.Sub(d.at) > handshake })
	p.young = append(p.young, dialled{conn, now})
}
