package httpd

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/catbridge/catbridge/internal/testenv/pipes"
)

func TestAnUnusableAddressIsExplained(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for addr, want := range map[string]string{
		taken.Addr().String(): "another process listens there; stop it, or choose another port",
		"":                    "is not host:port",
		"localhost":           "is not host:port",
		"9876":                "is not host:port",
		":http":               "no port from 0 to 65535",
		":65536":              "no port from 0 to 65535",
		":-1":                 "no port from 0 to 65535",
		"192.0.2.1:0":         "does not have this address",
	} {
		_, err := New(Config{Addr: addr, Leader: fixedLeader{}})
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), addr) {
			t.Errorf("%q: %v, want %q", addr, err, want)
		}
	}
	if _, err := New(Config{Addr: taken.Addr().String(), Leader: fixedLeader{}}); !errors.Is(err, syscall.EADDRINUSE) {
		t.Errorf("the cause is not kept: %v", err)
	}
}

func TestAServerWithoutALeaderIsRefused(t *testing.T) {
	_, err := New(Config{Addr: "127.0.0.1:0"})
	if err == nil || !strings.Contains(err.Error(), "Leader is required") {
		t.Error(err)
	}
}

func TestCloseWithoutRunFreesTheAddress(t *testing.T) {
	s, err := New(Config{Addr: "127.0.0.1:0", Leader: fixedLeader{}})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	again, err := New(Config{Addr: s.Addr().String(), Leader: fixedLeader{}})
	if err != nil {
		t.Fatal(err)
	}
	again.Close()
}

func TestRequestsInProgressEndBeforeTheServer(t *testing.T) {
	arrived, finish := make(chan struct{}), make(chan struct{})
	s, err := New(Config{Addr: "127.0.0.1:0", Leader: fixedLeader{hook: func(w http.ResponseWriter, _ *http.Request) {
		close(arrived)
		<-finish
		_, _ = io.WriteString(w, "done")
	}}})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	answered := make(chan string, 1)
	go func() {
		resp, err := http.Post("http://"+s.Addr().String()+"/hook/main", "", nil)
		if err != nil {
			answered <- err.Error()
			return
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		answered <- string(body)
	}()
	<-arrived
	cancel()
	select {
	case err := <-ended:
		t.Fatalf("ended before the request: %v", err)
	default:
	}
	close(finish)
	if got := <-answered; got != "done" {
		t.Errorf("answered %q", got)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
	http.DefaultClient.CloseIdleConnections()
}

func TestSlowSendersAreDisconnectedInTime(t *testing.T) {
	for name, c := range map[string]struct {
		sends   string
		within  time.Duration
		answers string
	}{
		"nothing": {"", readHeaderTimeout, ""},
		"header":  {"POST /hook/main HTTP/1.1\r\nHost: x\r\n", readHeaderTimeout, ""},
		"body":    {"POST /hook/main HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n", readTimeout, "408"},
		"idle":    {"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", idleTimeout, "200"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, err := New(Config{Addr: "127.0.0.1:0", Leader: fixedLeader{}})
				if err != nil {
					t.Fatal(err)
				}
				_ = s.listener.Close()
				listener := pipes.New()
				s.listener = limit(listener, fewConnections)
				ctx, cancel := context.WithCancel(t.Context())
				done := make(chan error, 1)
				go func() { done <- s.Run(ctx) }()
				defer func() { cancel(); _ = listener.Close(); <-done }()

				mine, err := listener.Dial()
				if err != nil {
					t.Fatal(err)
				}
				began := time.Now()
				go func() { _, _ = io.WriteString(mine, c.sends) }()
				all, _ := io.ReadAll(bufio.NewReader(mine))
				if took := time.Since(began); took > c.within+time.Second {
					t.Errorf("closed after %v, want %v", took, c.within)
				}
				if status := strings.Fields(string(all) + " - -")[1]; status != c.answers && c.answers != "" {
					t.Errorf("answered %q", all)
				}
			})
		})
	}
}
