package gateway

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/catbridge/catbridge/follower/followertest"
)

// crowd is how many connections a test holds at once, and how many of them misbehave.
type crowd struct{ reading, stalled, slow, gone int }

func (c crowd) all() int { return c.reading + c.stalled + c.slow + c.gone }

// TestF42_TenThousandHeldRequests holds requests on 10,000 connections of real sockets. Some
// clients do not read the answer, some read it a byte at a time, some are gone. All others must
// receive the change, and the places of all must be free afterwards.
func TestF42_TenThousandHeldRequests(t *testing.T) {
	c := crowd{reading: 9000, stalled: 400, slow: 300, gone: 300}
	if testing.Short() || raceDetector {
		c = crowd{reading: 180, stalled: 8, slow: 6, gone: 6}
	}
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if need := uint64(2*(c.all()-c.gone) + 400); limit.Max < need { // both ends are in this process
		t.Skipf("the process may open %d files, and the test needs %d: run ulimit -n %d", limit.Max, need, need)
	}
	values := map[string]any{"version": 1, "filling": strings.Repeat("0123456789", 6400)}
	flags := followertest.New(t, values)
	g := startWith(t, flags.Client, holding, func(cfg *Config) { cfg.MaxStreamsPerClient = c.all() })
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: g, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(smallBuffers{listener}) }()
	t.Cleanup(func() { _ = server.Close(); <-served })

	before := memory()
	etag := g.do(request("GET", byKey)).Header.Get("ETag")
	// The answer to those that read is small, and to the others it is larger than what the kernel
	// keeps of it.
	ask := "GET " + byKey + " HTTP/1.1\r\nHost: localhost\r\nIf-None-Match: " + etag + "\r\nX-ConfigCat-UserAgent: ConfigCat-Node/a-11.3.1\r\n"
	ends, encoded := "\r\n", "Accept-Encoding: gzip\r\n\r\n"
	var (
		clients  sync.WaitGroup
		received atomic.Int64 // clients with the change
		last     atomic.Int64 // when the last of them had it, Unix ns
		stop     = make(chan struct{})
	)
	connect := func(buffer int, end string) net.Conn {
		conn, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if buffer > 0 {
			_ = conn.(*net.TCPConn).SetReadBuffer(buffer)
		}
		t.Cleanup(func() { _ = conn.Close() })
		if _, err := io.WriteString(conn, ask+end); err != nil {
			t.Fatal(err)
		}
		return conn
	}
	for range c.gone {
		_ = connect(0, ends).Close()
	}
	for range c.reading {
		conn := connect(0, encoded)
		clients.Go(func() {
			for { // a request ends without the change until all are connected
				res, err := http.ReadResponse(bufio.NewReaderSize(conn, 4096), nil)
				if err != nil {
					t.Errorf("a client lost its connection: %v", err)
					return
				}
				_, err = io.Copy(io.Discard, res.Body)
				if err == nil && res.StatusCode == http.StatusOK && res.Header.Get("ETag") != etag {
					received.Add(1)
					last.Store(time.Now().UnixNano())
					return
				}
				if err == nil {
					_, err = io.WriteString(conn, ask+encoded)
				}
				if err != nil {
					t.Errorf("a client received no change: %v", err)
					return
				}
			}
		})
	}
	for range c.stalled {
		connect(4096, ends)
	}
	for range c.slow {
		conn := connect(4096, ends)
		go func() {
			for one := make([]byte, 1); ; {
				if _, err := conn.Read(one); err != nil {
					return
				}
				select {
				case <-stop:
					return
				case <-time.After(20 * time.Millisecond):
				}
			}
		}()
	}
	// Some requests may just be between two rounds.
	for g.Stats().Holding < c.reading*9/10 {
		time.Sleep(10 * time.Millisecond)
	}
	during := memory()
	began := time.Now()
	flags.Set("version", 2)
	clients.Wait()
	close(stop)
	if n := received.Load(); n != int64(c.reading) {
		t.Errorf("%d of %d clients received the change", n, c.reading)
	}
	for g.Stats().Holding > 0 {
		time.Sleep(10 * time.Millisecond)
	}
	t.Logf("| connections | reading | stalled | slow | gone | memory of a connection, both ends | last one had the change after |")
	t.Logf("| %d | %d | %d | %d | %d | %d KB | %v |", c.all(), c.reading, c.stalled, c.slow, c.gone,
		(during-before)/uint64(c.all())/1024, time.Unix(0, last.Load()).Sub(began).Round(time.Millisecond))
}

// memory returns what the process uses for heap and stacks, in bytes.
func memory() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}

// smallBuffers makes the kernel keep little of an answer that nobody reads.
type smallBuffers struct{ net.Listener }

func (l smallBuffers) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err == nil {
		_ = conn.(*net.TCPConn).SetWriteBuffer(16 << 10)
	}
	return conn, err
}
