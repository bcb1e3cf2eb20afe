package httpd

import (
	"bytes"
	"io"
	"strconv"
	"strings"
	"sync/atomic"
)

// framing makes the server reject requests with both Content-Length and Transfer-Encoding, which
// net/http accepts and hides from handlers. It replaces the second of the two header lines by an
// invalid line. The server answers 400 to it and closes the connection.
type framing struct {
	state  framingState
	held   []byte // the start of a line that may be one of the two
	seen   [2]bool
	value  []byte // of Content-Length
	left   uint64 // of the body
	passed []byte // not yet read by the server

	// unclear means that the end of the request's body is unknown. The connection must not be
	// used for another request.
	unclear atomic.Bool
}

type framingState int

const (
	requestLine framingState = iota
	lineStart                // of a header line, of which only held has been read
	lineRest
	lengthValue
	body
	rest    // of a connection whose requests are no longer parsed
	refused // no more bytes are passed on
)

const (
	contentLength = iota
	transferEncoding
)

var framingNames = [2]string{"content-length", "transfer-encoding"}

func (f *framing) read(r io.Reader, p []byte) (int, error) {
	for len(f.passed) == 0 && len(p) > 0 {
		if f.state == refused {
			return 0, io.EOF
		}
		n, err := r.Read(p)
		f.take(p[:n])
		if err != nil && len(f.passed) == 0 {
			return 0, err
		}
	}
	n := copy(p, f.passed)
	f.passed = f.passed[:copy(f.passed, f.passed[n:])]
	return n, nil
}

func (f *framing) take(in []byte) {
	for len(in) > 0 {
		n := 1
		switch f.state {
		case requestLine, lineRest, lengthValue:
			if n = bytes.IndexByte(in, '\n') + 1; n == 0 {
				n = len(in)
			}
			if f.state == lengthValue {
				f.value = append(f.value, in[:min(n, maxLengthBytes-min(len(f.value), maxLengthBytes))]...)
			}
			f.passed = append(f.passed, in[:n]...)
			if in[n-1] == '\n' {
				f.state = lineStart
			}
		case lineStart:
			f.start(in[0])
		case body:
			n = int(min(uint64(len(in)), f.left))
			f.passed = append(f.passed, in[:n]...)
			if f.left -= uint64(n); f.left == 0 {
				f.next()
			}
		case rest:
			n = len(in)
			f.passed = append(f.passed, in...)
		case refused:
			return
		}
		in = in[n:]
	}
}

// maxLengthBytes bounds the bytes kept of a Content-Length.
const maxLengthBytes = 64

func (f *framing) start(b byte) {
	f.held = append(f.held, b)
	line := strings.ToLower(string(f.held))
	switch {
	case line == "\n" || line == "\r\n":
		f.release(lineRest)
		f.end()
		return
	case line == "\r":
		return
	}
	for i, name := range framingNames {
		switch {
		case line == name+":":
			f.seen[i] = true
			if f.seen[contentLength] && f.seen[transferEncoding] {
				f.passed, f.held, f.state = append(f.passed, ":\r\n\r\n"...), nil, refused
				return
			}
			f.release(lineRest)
			if i == contentLength {
				f.state, f.value = lengthValue, f.value[:0]
			}
			return
		case strings.HasPrefix(name, line) || line == name:
			return // the line may still become this name
		}
	}
	next := lineRest
	if b == '\n' {
		next = lineStart
	}
	f.release(next)
}

func (f *framing) release(next framingState) {
	f.passed, f.held, f.state = append(f.passed, f.held...), f.held[:0], next
}

// end determines from the header where the request ends.
func (f *framing) end() {
	switch {
	case f.seen[transferEncoding]:
		f.lose()
	case f.seen[contentLength]:
		n, err := strconv.ParseUint(strings.Trim(string(f.value), " \t\r\n"), 10, 63)
		switch {
		case err != nil:
			f.lose()
		case n == 0:
			f.next()
		default:
			f.state, f.left = body, n
		}
	default:
		f.next()
	}
}

func (f *framing) next() { f.state, f.seen = requestLine, [2]bool{} }

func (f *framing) lose() {
	f.state = rest
	f.unclear.Store(true)
}
