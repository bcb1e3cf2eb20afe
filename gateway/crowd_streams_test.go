package gateway

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/catbridge/catbridge/follower/followertest"
	"github.com/catbridge/catbridge/internal/stream"
)

// TestTenThousandEventStreams opens event streams on 10,000 connections of real sockets. Some clients do not
// read, some are gone. All others must receive the change, those that do not read must lose their place, and
// nobody else.
func TestTenThousandEventStreams(t *testing.T) {
	c := crowd{reading: 9200, stalled: 400, gone: 400}
	if testing.Short() || raceDetector {
		c = crowd{reading: 180, stalled: 10, gone: 10}
	}
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if need := uint64(2*(c.all()-c.gone) + 400); limit.Max < need { // both ends are in this process
		t.Skipf("the process may open %d files, and the test needs %d: run ulimit -n %d", limit.Max, need, need)
	}
	flags := followertest.New(t, map[string]any{"version": 1, "filling": strings.Repeat("0123456789", 40_000)})
	g := startWith(t, flags.Client)
	g.streams = stream.NewSet(stream.Limits{ // a short timeout: only clients that never read block a write
		Total: c.all(), PerClient: c.all(), MinAge: time.Hour, MaxAge: time.Hour,
		WriteTimeout: time.Second, Heartbeat: time.Minute, ReconnectAfter: time.Second,
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: g, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(smallBuffers{listener}) }()
	t.Cleanup(func() { _ = server.Close(); <-served })

	before := memory()
	// What those that do not read are sent is larger than what the kernel keeps of it.
	one, all := "/sse/eval/k/"+encoded(`{"key":"version","sdkKey":"`+sdkKey+`"}`), "/sse/eval-all/k/"+encoded(`{"sdkKey":"`+sdkKey+`"}`)
	connect := func(path string, buffer int) net.Conn {
		conn, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if buffer > 0 {
			_ = conn.(*net.TCPConn).SetReadBuffer(buffer)
		}
		t.Cleanup(func() { _ = conn.Close() })
		if _, err := io.WriteString(conn, "GET "+path+" HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		return conn
	}
	for range c.gone {
		_ = connect(one, 0).Close()
	}
	var (
		opened, clients sync.WaitGroup
		last            atomic.Int64 // when the last client had the change, Unix ns
	)
	for range c.reading {
		conn := connect(one, 0)
		opened.Add(1)
		clients.Go(func() {
			done := sync.OnceFunc(opened.Done)
			defer done()
			lines := bufio.NewReaderSize(conn, 512)
			for {
				line, err := lines.ReadString('\n')
				switch {
				case err != nil:
					t.Errorf("a client lost its connection: %v", err)
					return
				case strings.HasPrefix(line, `data: {"value":1,`):
					done()
				case strings.HasPrefix(line, `data: {"value":2,`):
					last.Store(time.Now().UnixNano())
					return
				}
			}
		})
	}
	for range c.stalled {
		connect(all, 4096)
	}
	opened.Wait()
	during := memory()
	began := time.Now()
	flags.Set("version", 2)
	clients.Wait()
	took := time.Unix(0, last.Load()).Sub(began)
	for g.Stats().SlowStreams < uint64(c.stalled) {
		time.Sleep(10 * time.Millisecond)
	}
	if s := g.Stats(); s.SlowStreams != uint64(c.stalled) || s.Streams != c.reading || s.RejectedStreams != 0 {
		t.Errorf("stats %+v", s)
	}
	t.Logf("| streams | reading | stalled | gone | memory of a stream, both ends | last one had the change after |")
	t.Logf("| %d | %d | %d | %d | %d KB | %v |", c.all(), c.reading, c.stalled, c.gone,
		(during-before)/uint64(c.all())/1024, took.Round(time.Millisecond))
}
