package redistest

import (
	"bufio"
	"net"
	"sync"
)

// conn is one connection through the link: the client has the other end of near.
type conn struct {
	link   *Link
	near   net.Conn
	server net.Conn
	gone   chan struct{} // closed by cut
	once   sync.Once
}

// inFlight is the maximum number of chunks on the way in one direction, like the buffers of
// a kernel.
const inFlight = 4096

// join forwards all data between near, where a client writes, and the server.
func (l *Link) join(near, server net.Conn) {
	c := &conn{link: l, near: near, server: server, gone: make(chan struct{})}
	l.mu.Lock()
	if l.conns == nil {
		l.conns = map[*conn]struct{}{}
	}
	l.conns[c] = struct{}{}
	l.dialed++
	l.mu.Unlock()

	up, down := make(chan []byte, inFlight), make(chan []byte, inFlight)
	go c.read(near, up)
	go c.readFrames(down)
	var both sync.WaitGroup
	both.Go(func() { c.write(c.server, up); _ = c.server.Close() })
	both.Go(func() { c.write(c.near, down); _ = c.near.Close() })
	go func() {
		both.Wait()
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.conns, c)
	}()
}

// cut ends the connection in both directions; data on the way is lost.
func (c *conn) cut() {
	c.once.Do(func() { close(c.gone) })
	_ = c.near.Close()
	_ = c.server.Close()
}

// read reads the data of the client, whether or not it can be forwarded.
func (c *conn) read(from net.Conn, out chan<- []byte) {
	defer close(out)
	for {
		chunk := make([]byte, 32<<10)
		n, err := from.Read(chunk)
		c.link.hold(chunk[:n])
		c.link.keep(chunk[:n], c.gone)
		if !c.pass(out, chunk[:n]) || err != nil {
			return
		}
	}
}

// readFrames reads the data of the server, one value at a time.
func (c *conn) readFrames(out chan<- []byte) {
	defer close(out)
	r := bufio.NewReaderSize(c.server, 32<<10)
	for {
		frame, err := readValue(r, nil)
		if err != nil {
			return
		}
		if !c.link.loses(frame) && !c.pass(out, frame) {
			return
		}
	}
}

func (c *conn) pass(out chan<- []byte, chunk []byte) bool {
	select {
	case out <- chunk:
		return true
	case <-c.gone:
		return false
	}
}

// write forwards the data, once the link permits it.
func (c *conn) write(to net.Conn, in <-chan []byte) {
	for chunk := range in {
		if !c.link.passable(c.gone) {
			return
		}
		if _, err := to.Write(chunk); err != nil {
			// The reader must not block on a full queue.
			go func() {
				for range in {
				}
			}()
			return
		}
	}
}
