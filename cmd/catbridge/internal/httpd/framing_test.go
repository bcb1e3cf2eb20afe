package httpd

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

// exchange sends text on a connection, and returns the status of each answer until the
// server closes it, which ends in an error if it does not.
func exchange(t *testing.T, s *Server, text string) (statuses []string) {
	t.Helper()
	c, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(time.Minute))
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
	for answers := bufio.NewReader(c); ; {
		answer, err := http.ReadResponse(answers, nil)
		if err != nil {
			return statuses
		}
		_, _ = io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
		statuses = append(statuses, answer.Status[:3])
	}
}

const (
	ask     = "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
	lastAsk = "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
)

func post(lines, body string) string {
	return "POST /hook/main HTTP/1.1\r\nHost: x\r\n" + lines + "\r\n" + body
}

// If a proxy and this server disagree on the end of a request, the rest of it becomes a request
// that the proxy has not seen.
func TestARequestWithTwoLengthsIsRejectedAndEndsItsConnection(t *testing.T) {
	s, _ := start(t, Config{})
	smuggled := "0\r\n\r\n" + ask
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"length first":        {post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", smuggled), []string{"400"}},
		"length last":         {post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", smuggled), []string{"400"}},
		"others between":      {post("transfer-ENCODING: chunked\r\nX: y\r\nContent-Type: a\r\ncontent-length:5\r\n", smuggled), []string{"400"}},
		"length 0":            {post("Content-Length: 0\r\nTransfer-Encoding: chunked\r\n", smuggled), []string{"400"}},
		"line feeds only":     {strings.ReplaceAll(post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", smuggled), "\r", ""), []string{"400"}},
		"after others":        {ask + post("Content-Length: 3\r\n", "abc") + ask + post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", smuggled), []string{"200", "200", "200", "400"}},
		"HTTP/1.0":            {strings.Replace(post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", smuggled), "1.1", "1.0", 1), []string{"400"}},
		"length alone":        {post("Content-Length: 3\r\n", "abc") + lastAsk, []string{"200", "200"}},
		"chunked alone":       {post("Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n0\r\n\r\n") + ask, []string{"200"}},
		"both in a body":      {post("Content-Length: 48\r\n", "\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n") + lastAsk, []string{"200", "200"}},
		"names that go on":    {post("Content-Lengthy: 5\r\nTransfer-Encodings: chunked\r\n", "") + lastAsk, []string{"200", "200"}},
		"names in values":     {post("X: Content-Length: 5\r\nY: Transfer-Encoding: chunked\r\n", "") + lastAsk, []string{"200", "200"}},
		"length of no number": {post("Content-Length: +3\r\n", "abc") + ask, []string{"400"}},
		"lengths that differ": {post("Content-Length: 3\r\nContent-Length: 4\r\n", "abc") + ask, []string{"400"}},
		"the same length":     {post("Content-Length: 3\r\nContent-Length: 3\r\n", "abc") + lastAsk, []string{"200", "200"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := exchange(t, s, c.text); !slices.Equal(got, c.want) {
				t.Errorf("answered %q, want %q", got, c.want)
			}
		})
	}
}

// A parsed request must arrive as it was sent, in pieces of any size.
func FuzzFraming(f *testing.F) {
	f.Add([]byte(ask+post("Content-Length: 3\r\n", "abc")+ask), 3)
	f.Add([]byte(post("Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n0\r\n\r\n")+ask), 7)
	f.Add([]byte(post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")), 1)
	f.Add([]byte(post("Content-Length: 99999999999999999999\r\n", "x")), 2)
	f.Fuzz(func(t *testing.T, sent []byte, size int) {
		read := func(r io.Reader) ([]byte, framingState) {
			var fr framing
			var got []byte
			p := make([]byte, 1+uint(size)%64)
			for {
				n, err := fr.read(r, p)
				got = append(got, p[:n]...)
				if err != nil {
					return append(got, fr.held...), fr.state
				}
			}
		}
		whole, state := read(bytes.NewReader(sent))
		single, sameState := read(iotest.OneByteReader(bytes.NewReader(sent)))
		if !bytes.Equal(whole, single) || state != sameState {
			t.Errorf("%q: in pieces %q", whole, single)
		}
		if state != refused {
			if !bytes.Equal(whole, sent) {
				t.Errorf("%q became %q", sent, whole)
			}
			return
		}
		before, ok := bytes.CutSuffix(whole, []byte(":\r\n\r\n"))
		if !ok || !bytes.HasPrefix(sent, before) {
			t.Errorf("%q became %q", sent, whole)
		}
	})
}
