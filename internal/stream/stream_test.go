package stream

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/catbridge/catbridge/internal/testenv/pipes"
)

var testLimits = Limits{
	Total: 5, PerClient: 3, MinAge: 15 * time.Minute, MaxAge: 30 * time.Minute,
	WriteTimeout: 10 * time.Second, Heartbeat: 15 * time.Second, ReconnectAfter: time.Second,
}

type environment struct {
	*Set
	topic  Topic[Frame]
	source Source // nil: topic
	pipes  *pipes.Listener
}

// inBubble runs a test with an HTTP server in virtual time.
func inBubble(t *testing.T, test func(t *testing.T, e *environment)) {
	synctest.Test(t, func(t *testing.T) {
		e := &environment{Set: NewSet(testLimits), pipes: pipes.New()}
		e.topic.Set(NewFrame("0", "", []byte("first")))
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s, err := e.Open(r.Header.Get("Client"))
			if err != nil {
				http.Error(w, err.Error(), http.StatusServiceUnavailable)
				return
			}
			defer s.Close()
			if have := r.Header.Get("Have"); have != "" {
				s.Serve(w, r, e.Hints(&e.topic, NewFrame(have, "", []byte("first")), 100*time.Millisecond))
				return
			}
			s.Serve(w, r, cmp.Or[Source](e.source, &e.topic))
		}), ReadTimeout: time.Second, WriteTimeout: time.Second, Protocols: new(http.Protocols)}
		server.Protocols.SetHTTP1(true)
		server.Protocols.SetUnencryptedHTTP2(true)
		served := make(chan error)
		go func() { served <- server.Serve(e.pipes) }()
		test(t, e)
		_ = e.pipes.Close()
		<-served
		_ = server.Close()
		synctest.Wait()
		if n := e.Stats().Open; n != 0 {
			t.Errorf("%d streams are still open", n)
		}
	})
}

type client struct {
	conn net.Conn
	body *bufio.Reader
	t    *testing.T
}

// connect starts a stream and reads its header.
func (e *environment) connect(t *testing.T, name string) *client {
	t.Helper()
	return e.connectWith(t, "Client: "+name)
}

func (e *environment) connectWith(t *testing.T, header string) *client {
	t.Helper()
	near, err := e.pipes.Dial()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = near.Close() })
	if _, err := io.WriteString(near, "GET / HTTP/1.1\r\nHost: x\r\n"+header+"\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(near), nil)
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode == http.StatusOK {
		for name, want := range map[string]string{"Content-Type": "text/event-stream", "X-Accel-Buffering": "no", "Content-Encoding": ""} {
			if have := res.Header.Get(name); have != want {
				t.Errorf("%s: %q", name, have)
			}
		}
	}
	return &client{near, bufio.NewReader(res.Body), t}
}

// next returns the next event or comment, or what ended the stream.
func (c *client) next() string {
	var lines []string
	for {
		line, err := c.body.ReadString('\n')
		if err != nil {
			return "end: " + err.Error()
		}
		if line = strings.TrimSuffix(line, "\n"); line == "" {
			return strings.Join(lines, "|")
		}
		lines = append(lines, line)
	}
}

func (c *client) want(events ...string) {
	c.t.Helper()
	for _, event := range events {
		if have := c.next(); have != event {
			c.t.Fatalf("received %q, want %q", have, event)
		}
	}
}

func (e *environment) set(text string) { e.topic.Set(NewFrame("", "", []byte(text))) }

func TestAStreamSendsTheValueAndItsChanges(t *testing.T) {
	inBubble(t, func(t *testing.T, e *environment) {
		c := e.connect(t, "a")
		c.want("retry: 1000", "id: 0|data: first")
		e.topic.Set(NewFrame("7-ab", "change", []byte("two\r\nlines")))
		c.want("id: 7-ab|event: change|data: two|data: lines")
		e.topic.Set(NewFrame("7-ab", "change", []byte("two\nlines"))) // the same
		e.set("third")
		c.want("data: third")
		_ = c.conn.Close()
	})
}

// A stream that has to end while it writes sends nothing that is set later.
func TestAStreamThatHasToEndSendsNothingMore(t *testing.T) {
	inBubble(t, func(t *testing.T, e *environment) {
		for range 20 {
			c := e.connect(t, "a")
			c.want("retry: 1000", "id: 0|data: first")
			e.set("second")
			synctest.Wait() // it writes
			for s := range e.open {
				s.End()
			}
			e.set("third")
			c.want("data: second", "retry: 1000", "end: EOF")
			synctest.Wait()
			e.topic.Set(NewFrame("0", "", []byte("first")))
		}
	})
}

func TestSilentStreamsSendHeartbeats(t *testing.T) {
	inBubble(t, func(t *testing.T, e *environment) {
		c := e.connect(t, "a")
		c.want("retry: 1000", "id: 0|data: first")
		for range 3 {
			began := time.Now()
			c.want(": ")
			if after := time.Since(began); after != testLimits.Heartbeat {
				t.Errorf("a heartbeat after %v", after)
			}
		}
		time.Sleep(10 * time.Second)
		e.set("second")
		c.want("data: second")
		began := time.Now()
		c.want(": ")
		if after := time.Since(began); after != testLimits.Heartbeat {
			t.Errorf("a heartbeat %v after an event", after)
		}
		_ = c.conn.Close()
	})
}

// ConfigCat Proxy 3.0.1 fails this: one stalled client stops all streams of its SDK.
func TestAStalledClientDelaysNobody(t *testing.T) {
	inBubble(t, func(t *testing.T, e *environment) {
		stalled, reading := e.connect(t, "a"), e.connect(t, "b")
		reading.want("retry: 1000", "id: 0|data: first")
		began := time.Now()
		for _, text := range []string{"1", "2", "3", "4"} {
			e.set(text)
			reading.want("data: " + text)
		}
		if took := time.Since(began); took != 0 {
			t.Errorf("the changes took %v", took)
		}
		if s := e.Stats(); s.Open != 2 || s.Slow != 0 {
			t.Errorf("stats %+v", s)
		}
		reading.want(": ") // after 15 s
		if s := e.Stats(); s.Open != 1 || s.Slow != 1 {
			t.Errorf("stats after the write timeout %+v", s)
		}
		_ = stalled.conn.Close()
		_ = reading.conn.Close()
	})
}

func TestASlowClientReceivesTheLatest(t *testing.T) {
	inBubble(t, func(t *testing.T, e *environment) {
		c := e.connect(t, "a")
		c.want("retry: 1000", "id: 0|data: first")
		e.set("1") // the write starts, and waits for the client
		synctest.Wait()
		for _, text := range []string{"2", "3", "4"} {
			e.set(text)
		}
		time.Sleep(5 * time.Second)
		c.want("data: 1", "data: 4")
		_ = c.conn.Close()
	})
}

func TestStreamsEndAtARandomAge(t *testing.T) {
	inBubble(t, func(t *testing.T, e *environment) {
		began := time.Now()
		ends := make(chan time.Duration)
		for _, name := range []string{"a", "b", "c"} {
			c := e.connect(t, name)
			go func() {
				for !strings.HasPrefix(c.next(), "end: ") {
				}
				_ = c.conn.Close()
				ends <- time.Since(began)
			}()
		}
		seen := map[time.Duration]bool{}
		for range 3 {
			age := <-ends
			if age < testLimits.MinAge || age > testLimits.MaxAge {
				t.Errorf("a stream ended at the age of %v", age)
			}
			seen[age] = true
		}
		if len(seen) != 3 {
			t.Errorf("the streams ended together: %v", seen)
		}
	})
}

func TestStreamsAreLimited(t *testing.T) {
	s := NewSet(testLimits)
	var open []*Stream
	for _, step := range []struct {
		client string
		err    error
	}{{"a", nil}, {"a", nil}, {"a", nil}, {"a", ErrClientFull}, {"b", nil}, {"b", nil}, {"c", ErrFull}} {
		stream, err := s.Open(step.client)
		if !errors.Is(err, step.err) {
			t.Errorf("%s: %v, want %v", step.client, err, step.err)
		}
		if err == nil {
			open = append(open, stream)
		}
	}
	if stats := s.Stats(); stats.Open != 5 || stats.Refused != 2 {
		t.Errorf("stats %+v", stats)
	}
	open[0].Close()
	open[0].Close()
	if stats := s.Stats(); stats.Open != 4 {
		t.Errorf("stats after one ended %+v", stats)
	}
	if _, err := s.Open("c"); err != nil {
		t.Error(err)
	}
	if _, err := s.Open("a"); !errors.Is(err, ErrFull) {
		t.Error(err)
	}
}

func TestDrainingSpreadsTheEnds(t *testing.T) {
	inBubble(t, func(t *testing.T, e *environment) {
		began := time.Now()
		ends := make(chan time.Duration)
		for _, name := range []string{"a", "b", "c", "d"} {
			c := e.connect(t, name)
			c.want("retry: 1000", "id: 0|data: first")
			go func() {
				c.want("retry: 1000", "end: EOF")
				_ = c.conn.Close()
				ends <- time.Since(began)
			}()
		}
		go e.Drain(t.Context(), 8*time.Second)
		for i := range 4 {
			if after := <-ends; after != time.Duration(i)*2*time.Second {
				t.Errorf("a stream ended after %v", after)
			}
		}
		if _, err := e.Open("e"); !errors.Is(err, ErrDraining) || !e.Draining() {
			t.Errorf("a stream is admitted: %v", err)
		}
	})
}

func TestStreamsThatAreNoLongerAllowedEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewSet(testLimits)
		allowed := true
		one, _ := s.OpenWhile("a", func() bool { return allowed })
		two, _ := s.Open("b")
		for range 2 {
			s.Recheck()
			select {
			case <-one.Ended():
				if allowed {
					t.Error("an allowed stream ended")
				}
			case <-two.Ended():
				t.Error("a stream that is always allowed ended")
			default:
				if !allowed {
					t.Error("a stream that is not allowed goes on")
				}
			}
			allowed = false
		}
	})
}

// changes returns what was added to a text since the last call.
type changes struct {
	topic *Topic[Frame]
	sent  int
}

func (c *changes) Current() (Frame, <-chan struct{}) {
	text, replaced := c.topic.Current()
	added := text[c.sent:]
	c.sent = len(text)
	return added, replaced
}

func TestASourceMayHaveNothingToSend(t *testing.T) {
	inBubble(t, func(t *testing.T, e *environment) {
		e.source = &changes{topic: &e.topic}
		e.topic.Set(nil)
		c := e.connect(t, "a")
		c.want("retry: 1000")
		e.topic.Set(Frame("data: 1\n\n"))
		c.want("data: 1")
		e.topic.Set(Frame("data: 1\n\n")) // nothing was added
		synctest.Wait()
		e.topic.Set(Frame("data: 1\n\ndata: 2\n\n"))
		c.want("data: 2")
		_ = c.conn.Close()
	})
}

// HTTP/2 ends a request at its write deadline, although nothing is being written.
func TestStreamsOverHTTP2StayOpen(t *testing.T) {
	inBubble(t, func(t *testing.T, e *environment) {
		protocols := new(http.Protocols)
		protocols.SetUnencryptedHTTP2(true)
		transport := &http.Transport{Protocols: protocols, DialContext: func(context.Context, string, string) (net.Conn, error) {
			return e.pipes.Dial()
		}}
		defer transport.CloseIdleConnections()
		res, err := (&http.Client{Transport: transport}).Get("http://stream.example/")
		if err != nil {
			t.Fatal(err)
		}
		if res.ProtoMajor != 2 {
			t.Fatalf("protocol %s", res.Proto)
		}
		c := &client{nil, bufio.NewReader(res.Body), t}
		c.want("retry: 1000", "id: 0|data: first", ": ", ": ", ": ")
		e.set("later")
		c.want("data: later")
		_ = res.Body.Close()
		synctest.Wait()
	})
}

func TestDrainingEndsAllStreamsWhenItsTimeIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewSet(testLimits)
		one, _ := s.Open("a")
		two, _ := s.Open("b")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		s.Drain(ctx, time.Hour)
		<-one.Ended()
		<-two.Ended()
	})
}

func TestATopicReportsEachChange(t *testing.T) {
	var topic Topic[int]
	_, first := topic.Current()
	topic.Set(1)
	<-first
	value, second := topic.Current()
	select {
	case <-second:
		t.Error("replaced too early")
	default:
	}
	if value != 1 {
		t.Errorf("value %d", value)
	}
}
