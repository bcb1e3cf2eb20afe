package leader

import (
	"context"
	"errors"
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

// errFormer is what a dial gives that another has overtaken.
var errFormer = errors.New("leader: the connection leads to a former primary")

// onePrimary keeps a client to the primary that the Sentinels named last. Told of
// another, go-redis closes the connections that it has, but not one that it is just
// making. If the former primary was stopped, and wakes up, that one comes into use: the
// leader would lead there, heard by few, until the Sentinels have turned the former
// primary into a replica (F8).
type onePrimary struct {
	mu     sync.Mutex
	dials  int // begun
	latest int // the one begun last among those that came through
	addr   string
	young  []dialled // connections to addr that may not be in use yet
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
		p.mu.Lock()
		p.dials++
		dial := p.dials
		p.mu.Unlock()
		conn, err := next(ctx, network, addr)
		if err != nil {
			return conn, err
		}
		if !p.dialled(dial, conn) {
			_ = conn.Close()
			return nil, errFormer
		}
		return conn, nil
	}
}

func (p *onePrimary) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }

func (p *onePrimary) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// dialled tells whether a connection leads to the same address as that of the latest
// dial, and closes those that do not any more.
func (p *onePrimary) dialled(dial int, conn net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	addr := conn.RemoteAddr().String()
	if addr != p.addr {
		if dial < p.latest {
			return false
		}
		for _, former := range p.young {
			_ = former.conn.Close()
		}
		p.addr, p.young = addr, nil
	}
	p.latest = max(p.latest, dial)
	now := time.Now()
	p.young = slices.DeleteFunc(p.young, func(d dialled) bool { return now.Sub(d.at) > handshake })
	p.young = append(p.young, dialled{conn, now})
	return true
}
