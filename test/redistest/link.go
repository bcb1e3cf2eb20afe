package redistest

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"testing"
)

// errDown is what dialling a link that is down gives.
var errDown = errors.New("redistest: the link is down")

// Link is the network between some clients and their server, with its faults. The
// zero value works without any. All methods are safe for concurrent use.
type Link struct {
	mu     sync.Mutex
	conns  map[*conn]struct{}
	down   bool
	thaw   chan struct{} // closed when the freeze ends; nil: not frozen
	drop   func(frame []byte) bool
	drops  int
	dialed int
	to     string // dialled in place of what a client asks for; empty: nothing else
	held   []byte // sent by clients since the freeze began
	late   *Late
}

// Late is a command that is late, see [Link.Late].
type Late struct {
	part    []byte
	arrive  chan struct{}
	arrived sync.Once
	held    atomic.Bool
}

// Cut closes all connections at once. New ones can be made.
func (l *Link) Cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.conns {
		c.cut()
	}
}

// Down cuts the link and lets every attempt to connect fail until [Link.Up].
func (l *Link) Down() {
	l.mu.Lock()
	l.down = true
	l.mu.Unlock()
	l.Cut()
}

// Up ends [Link.Down].
func (l *Link) Up() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = false
}

// Freeze stops everything in both directions with no sign of it, as when packets are
// lost or a process is stopped. What is sent meanwhile arrives after [Link.Thaw], even
// if its sender has closed the connection by then: that is how a write gets late.
func (l *Link) Freeze() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.thaw == nil {
		l.thaw = make(chan struct{})
	}
}

// Thaw ends [Link.Freeze].
func (l *Link) Thaw() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.thaw != nil {
		close(l.thaw)
		l.thaw, l.held = nil, nil
	}
}

// Holds tells whether clients have sent something with that part since the freeze
// began, which waits for the thaw.
func (l *Link) Holds(part string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bytes.Contains(l.held, []byte(part))
}

func (l *Link) hold(chunk []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.thaw != nil {
		l.held = append(l.held, chunk...)
	}
}

// Drop lets replies and messages of the server that match get lost, each a whole
// RESP value; nil: none any more. match must not keep the slice.
func (l *Link) Drop(match func(frame []byte) bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.drop = match
}

// Dropped tells how many values were lost by [Link.Drop].
func (l *Link) Dropped() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.drops
}

// Dialed tells how many connections were made.
func (l *Link) Dialed() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.dialed
}

// Route leads new connections to that address, whichever a client dials, as when a name
// means another server from now on. Empty: to where they dial.
func (l *Link) Route(addr string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.to = addr
}

// Listen gives an address on loopback whose connections lead through the link to that
// server, for other processes. It is there until the end of the test.
func (l *Link) Listen(t testing.TB, server string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("redistest: %v", err)
	}
	dial := l.reach((&net.Dialer{Timeout: dialTimeout}).DialContext)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	var running sync.WaitGroup
	running.Go(func() {
		for {
			near, err := listener.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				server, err := dial(ctx, "tcp", server)
				if err != nil {
					_ = near.Close()
					return
				}
				l.join(near, server)
			})
		}
	})
	t.Cleanup(func() {
		cancel()
		_ = listener.Close()
		l.Cut()
		running.Wait()
		l.Cut() // those that were being made
	})
	return listener.Addr().String()
}

// Late lets the next that clients send with that part wait, and what follows on the same
// connection, until [Late.Arrive]: then it arrives though its sender may have closed the
// connection. All other connections go on.
func (l *Link) Late(part string) *Late {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.late = &Late{part: []byte(part), arrive: make(chan struct{})}
	return l.late
}

// Held tells whether something was sent that is late.
func (l *Late) Held() bool { return l.held.Load() }

// Arrive lets go what is late.
func (l *Late) Arrive() { l.arrived.Do(func() { close(l.arrive) }) }

// keep waits if what was sent is to be late, unless the connection is cut.
func (l *Link) keep(chunk []byte, gone <-chan struct{}) {
	l.mu.Lock()
	late := l.late
	if late == nil || !bytes.Contains(chunk, late.part) {
		l.mu.Unlock()
		return
	}
	l.late = nil
	l.mu.Unlock()
	late.held.Store(true)
	select {
	case <-late.arrive:
	case <-gone:
	}
}

func (l *Link) loses(frame []byte) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.drop == nil || !l.drop(frame) {
		return false
	}
	l.drops++
	return true
}

// passable waits for the end of a freeze; false: gone was closed first.
func (l *Link) passable(gone <-chan struct{}) bool {
	for {
		l.mu.Lock()
		thaw := l.thaw
		l.mu.Unlock()
		if thaw == nil {
			return true
		}
		select {
		case <-thaw:
		case <-gone:
			return false
		}
	}
}

func (l *Link) through(dial dialer) dialer {
	dial = l.reach(dial)
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		server, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		client, near := net.Pipe()
		l.join(near, server)
		return &remote{client, server.RemoteAddr()}, nil
	}
}

// remote is a connection that tells the address of the server behind the link.
type remote struct {
	net.Conn
	addr net.Addr
}

func (r *remote) RemoteAddr() net.Addr { return r.addr }

// reach dials as far as the link's faults let it.
func (l *Link) reach(dial dialer) dialer {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		if !l.passable(ctx.Done()) {
			return nil, ctx.Err()
		}
		l.mu.Lock()
		down, to := l.down, cmp.Or(l.to, addr)
		l.mu.Unlock()
		if down {
			return nil, errDown
		}
		return dial(ctx, network, to)
	}
}
