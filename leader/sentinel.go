package leader

import (
	"context"
	"errors"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/internal/redisnode"
)

// failoverAddr is go-redis's address of a client that asks Sentinels.
const failoverAddr = "FailoverClient"

// handshake is longer than it takes until a new connection is in use.
const handshake = 30 * time.Second

var errFormerPrimary = errors.New("leader: the connection leads to a former primary")

// onePrimary keeps a client connected to the primary that the Sentinels named last. When
// the Sentinels name another, go-redis closes its connections, but not those that it is
// still dialing. If the former primary was stopped and resumes, such a connection comes into
// use: the leader would lead there, with few followers, until the Sentinels have turned the
// former primary into a replica (F8).
type onePrimary struct {
	mu     sync.Mutex
	dials  int // started
	latest int // the number of the latest successful dial
	addr   string
	recent []dialedConn // connections to addr that may not be in use yet
}

type dialedConn struct {
	conn net.Conn
	at   time.Time
}

// followOnePrimary installs a onePrimary in a client that asks Sentinels.
func followOnePrimary(client redis.UniversalClient) {
	if single := redisnode.Single(client); single != nil && single.Options().Addr == failoverAddr {
		single.AddHook(&onePrimary{})
	}
}

func (p *onePrimary) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		p.mu.Lock()
		p.dials++
		dial := p.dials
		p.mu.Unlock()
		conn, err := next(ctx, network, addr)
		if err != nil {
			return conn, err
		}
		if !p.accept(dial, conn) {
			_ = conn.Close()
			return nil, errFormerPrimary
		}
		return conn, nil
	}
}

func (p *onePrimary) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }

func (p *onePrimary) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// accept reports whether the connection may be used. It may not if a later dial has led to
// another address. accept closes recent connections to a former address.
func (p *onePrimary) accept(dial int, conn net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	addr := conn.RemoteAddr().String()
	if addr != p.addr {
		if dial < p.latest {
			return false
		}
		for _, former := range p.recent {
			_ = former.conn.Close()
		}
		p.addr, p.recent = addr, nil
	}
	p.latest = max(p.latest, dial)
	now := time.Now()
	p.recent = slices.DeleteFunc(p.recent, func(d dialedConn) bool { return now.Sub(d.at) > handshake })
	p.recent = append(p.recent, dialedConn{conn, now})
	return true
}
