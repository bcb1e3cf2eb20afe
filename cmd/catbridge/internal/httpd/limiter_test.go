package httpd

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// fewConnections bounds the connections of a server of a test.
const fewConnections = 128

// fresh sends a request on a new connection.
func fresh(method, url, body string) (status int, answer string, err error) {
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: time.Minute}
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	resp, err := client.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(text), err
}

// Senders that hold all their connections open must not block probes or webhooks, and must not
// use unbounded memory (F33).
func TestSlowSendersExhaustNothing(t *testing.T) {
	for name, sends := range map[string]string{
		"nothing": "",
		"header":  "POST /hook/main HTTP/1.1\r\nHost: x\r\nX-",
		"body":    "POST /hook/main HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\nxxx",
		"answer":  "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", // and never reads it
	} {
		t.Run(name, func(t *testing.T) {
			s, url := start(t, Config{maxConnections: fewConnections})
			for range 4 * fewConnections {
				c, err := net.Dial("tcp", s.Addr().String())
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				_, _ = io.WriteString(c, sends) // may be closed already
			}
			for i := range 20 {
				if status, body, err := fresh("GET", url+"/healthz", ""); err != nil || status != http.StatusOK {
					t.Fatalf("probe %d: %d %q %v", i, status, body, err)
				}
				if status, body, err := fresh("POST", url+"/hook/main", "x"); err != nil || status != http.StatusOK {
					t.Fatalf("webhook %d: %d %q %v", i, status, body, err)
				}
			}
			s.listener.mu.Lock()
			defer s.listener.mu.Unlock()
			if len(s.listener.open) > fewConnections {
				t.Errorf("%d connections are open", len(s.listener.open))
			}
		})
	}
}

// A request in progress keeps its connection, however many others arrive.
func TestTheConnectionOfARequestInProgressIsKept(t *testing.T) {
	arrived, finish := make(chan struct{}), make(chan struct{})
	s, url := start(t, Config{maxConnections: fewConnections, Leader: fixedLeader{hook: func(w http.ResponseWriter, _ *http.Request) {
		close(arrived)
		<-finish
		_, _ = io.WriteString(w, "done")
	}}})
	answered := make(chan string, 1)
	go func() {
		status, body, err := fresh("POST", url+"/hook/main", "x")
		answered <- fmt.Sprintf("%d %s %v", status, body, err)
	}()
	<-arrived
	for range 3 * fewConnections {
		c, err := net.Dial("tcp", s.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	if status, _, err := fresh("GET", url+"/healthz", ""); err != nil || status != http.StatusOK {
		t.Fatal(status, err)
	}
	close(finish)
	if got := <-answered; got != "200 done <nil>" {
		t.Errorf("answered %s", got)
	}
}

func TestClosedConnectionsAreNotCounted(t *testing.T) {
	s, url := start(t, Config{maxConnections: fewConnections})
	for range 3 * fewConnections {
		if status, _, err := fresh("GET", url+"/healthz", ""); err != nil || status != http.StatusOK {
			t.Fatal(status, err)
		}
	}
	deadline := time.Now().Add(time.Minute)
	for {
		s.listener.mu.Lock()
		open, waiting := len(s.listener.open), s.listener.waiting.Len()
		s.listener.mu.Unlock()
		if open == 0 && waiting == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d open, %d waiting", open, waiting)
		}
		time.Sleep(time.Millisecond)
	}
}
