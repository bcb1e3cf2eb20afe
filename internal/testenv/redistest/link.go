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

// errDown is the error from dialling a link that is down.
var errDown = errors.New("redistest: the link is down")

// Link is the network between some clients and their server, with its faults. The zero
// value has no faults. All methods are safe for concurrent use.
type Link struct {
	mu     sync.Mutex
	conns  map[*conn]struct{}
	down   bool
	thaw   chan struct{} // closed when the freeze ends; nil: not frozen
	drop   func(frame []byte) bool
	drops  int
	dialed int
	to     string // dialled instead of the client's address; empty: the client's
	held   []byte // sent by clients since the freeze began
	late   *Late
}

// Late is a delayed command, see [Link.Late].
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

// Down cuts the link and makes every attempt to connect fail until [Link.Up].
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

// Freeze silently stops all data in both directions, as when packets are lost or a process
// is stopped. Data that is sent in the meantime arrives after [Link.Thaw], even if its
// sender has closed the connection: that makes a write late.
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

// Holds reports whether clients have sent data with that part since the freeze began.
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

// Drop discards replies and messages of the server that match, each a whole RESP value;
// nil: none any more. match must not keep the slice.
func (l *Link) Drop(match func(frame []byte) bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.drop = match
}

// Dropped returns the number of values that [Link.Drop] has discarded.
func (l *Link) Dropped() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.drops
}

// Dialed returns the number of connections made.
func (l *Link) Dialed() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.dialed
}

// Route connects new connections to that address, whichever a client dials, as when a name
// is moved to another server. If addr is empty, connections go to the dialled address.
func (l *Link) Route(addr string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.to = addr
}

// Listen returns an address on loopback whose connections go through the link to that
// server, for other processes. It is valid until the end of the test.
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

// Late delays the next data from clients that contains that part, and all later data on the
// same connection, until [Late.Arrive]: then it arrives even if its sender has closed the
// connection. Other connections are not affected.
func (l *Link) Late(part string) *Late {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.late = &Late{part: []byte(part), arrive: make(chan struct{})}
	return l.late
}

// Held reports whether any data was delayed.
func (l *Late) Held() bool { return l.held.Load() }

// Arrive ends the delay.
func (l *Late) Arrive() { l.arrived.Do(func() { close(l.arrive) }) }

// keep waits while the data is to be late, or until the connection is cut.
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

// passable waits for the end of a freeze, and returns false if gone is closed first.
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

// remote is a connection that returns the address of the server behind the link.
type remote struct {
	net.Conn
	addr net.Addr
}

func (r *remote) RemoteAddr() net.Addr { return r.addr }

// reach dials, unless a fault of the link prevents it.
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
