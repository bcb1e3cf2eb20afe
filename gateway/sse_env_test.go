package gateway

import (
	"bufio"
	"encoding/base64"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/catbridge/catbridge/internal/testenv/pipes"
	"github.com/catbridge/catbridge/internal/wire"
)

// streaming is a gateway with an HTTP server in virtual time.
type streaming struct {
	*environment
	pipes *pipes.Listener
}

// inStreamBubble runs a test with a config.
func inStreamBubble(t *testing.T, config string, test func(t *testing.T, e *streaming), change ...func(*Config)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(time.UnixMilli(wire.MinRev + 1))) // revs of an earlier clock are not times
		e := &streaming{start(t, change...), pipes.New()}
		e.flags.SetConfigJSON([]byte(config))
		server := &http.Server{Handler: e.Gateway, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second}
		served := make(chan error)
		go func() { served <- server.Serve(e.pipes) }()
		test(t, e)
		_ = e.pipes.Close()
		<-served
		_ = server.Close()
		synctest.Wait()
		if s := e.Stats(); s.Streams != 0 || s.Holding != 0 {
			t.Errorf("open after the end: %+v", s)
		}
		for _, s := range e.table.Load().sites {
			if n := len(s.groups.all); n != 0 {
				t.Errorf("%d groups after the end", n)
			}
		}
	})
}

// events is the client of an event stream.
type events struct {
	*http.Response
	conn net.Conn
	body *bufio.Reader
	t    *testing.T
}

// open sends a request from this machine.
func (e *streaming) open(t *testing.T, method, target, body string, headers ...string) *events {
	t.Helper()
	return e.openFrom(t, "127.0.0.1", method, target, body, headers...)
}

func (e *streaming) openFrom(t *testing.T, client, method, target, body string, headers ...string) *events {
	t.Helper()
	local := &net.TCPAddr{IP: net.ParseIP(client), Port: 80}
	if !local.IP.IsLoopback() {
		local = &net.TCPAddr{IP: net.IPv4(192, 0, 2, 9), Port: 80}
	}
	near, err := e.pipes.DialAs(local, &net.TCPAddr{IP: net.ParseIP(client), Port: 1234})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = near.Close() })
	r := request(method, target, headers...)
	r.Host = "localhost"
	if body != "" {
		r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
		r.Header.Set("Content-Type", "application/json")
	}
	if err := r.Write(near); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(near), nil)
	if err != nil {
		t.Fatal(err)
	}
	return &events{res, near, bufio.NewReader(res.Body), t}
}

func (c *events) close() { _ = c.conn.Close() }

// next returns the data of the next event, a comment, or what ended the stream. It skips ids and retry.
func (c *events) next() string {
	c.t.Helper()
	var lines []string
	for {
		line, err := c.body.ReadString('\n')
		if err != nil {
			return "end: " + err.Error()
		}
		switch line = strings.TrimSuffix(line, "\n"); {
		case line == "" && len(lines) > 0:
			return strings.Join(lines, "\n")
		case line != "" && !strings.HasPrefix(line, "id: ") && !strings.HasPrefix(line, "retry: "):
			lines = append(lines, strings.TrimPrefix(line, "data: "))
		}
	}
}

func (c *events) want(all ...string) {
	c.t.Helper()
	for _, event := range all {
		if have := c.next(); have != event {
			c.t.Fatalf("received %q, want %q", have, event)
		}
	}
}

// encoded returns the data of a path.
func encoded(text string) string { return base64.URLEncoding.EncodeToString([]byte(text)) }
