package stream

import (
	"bytes"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"
)

// Frame is a server-sent event in the form in which it is sent, encoded once for all streams that
// send it. Nil means that there is no event yet.
type Frame []byte

// NewFrame encodes an event. Empty id and name are left out. An id contains no line break.
func NewFrame(id, name string, data []byte) Frame {
	var out bytes.Buffer
	if id != "" {
		out.WriteString("id: " + id + "\n")
	}
	if name != "" {
		out.WriteString("event: " + name + "\n")
	}
	for line := range bytes.SplitSeq(data, []byte("\n")) {
		out.WriteString("data: ")
		out.Write(bytes.TrimSuffix(line, []byte("\r")))
		out.WriteByte('\n')
	}
	out.WriteByte('\n')
	return out.Bytes()
}

var heartbeat = Frame(": \n\n")

// Source is where the frames of a stream come from, such as a [*Topic] of frames.
type Source interface {
	// Current returns the frame to send, and a channel that is closed when there may be another. An
	// empty one is not sent. The stream calls it when it can send, so a source may return what
	// changed since the last call.
	Current() (frame Frame, replaced <-chan struct{})
}

// Serve sends the frame of a source and then each newer one, until the client is gone or the
// stream must end. Frames that are replaced while the client does not read are skipped; the same
// frame is not sent twice.
//
// The response must not be compressed, and w must support deadlines and flushing.
func (s *Stream) Serve(w http.ResponseWriter, r *http.Request, source Source) {
	limits, out := &s.set.limits, http.NewResponseController(w)
	setHeader(w.Header(), r)
	send := func(frame Frame) bool {
		began := time.Now()
		err := out.SetWriteDeadline(began.Add(limits.WriteTimeout))
		if err == nil {
			_, err = w.Write(frame)
		}
		if err == nil {
			err = out.Flush()
		}
		if err != nil {
			if time.Since(began) >= limits.WriteTimeout {
				s.set.slow.Add(1)
			}
			return false
		}
		// HTTP/2 ends a stream at its deadline, even if nothing is written then.
		return out.SetWriteDeadline(time.Time{}) == nil
	}
	reconnect := reconnectAfter(limits.ReconnectAfter)
	age := time.NewTimer(limits.MinAge + rand.N(limits.MaxAge-limits.MinAge+1))
	defer age.Stop()
	silence := time.NewTimer(limits.Heartbeat)
	defer silence.Stop()
	frame, replaced := source.Current()
	for ok := send(append(reconnect, frame...)); ok; {
		select {
		case <-replaced:
			var next Frame
			next, replaced = source.Current()
			if len(next) == 0 || bytes.Equal(next, frame) || s.hasEnded() {
				continue
			}
			frame = next
			ok = send(frame)
		case <-silence.C:
			ok = send(heartbeat)
		case <-age.C:
			return
		case <-s.ended:
			send(reconnect)
			return
		case <-r.Context().Done():
			return
		}
		silence.Reset(limits.Heartbeat)
	}
}

// ServeOnce answers with a stream that ends after a frame, which may be empty. The client connects again
// after a time. After any other answer than a stream, clients give up.
func ServeOnce(w http.ResponseWriter, r *http.Request, frame Frame, again time.Duration) {
	setHeader(w.Header(), r)
	_, _ = w.Write(append(reconnectAfter(again), frame...))
}

func setHeader(h http.Header, r *http.Request) {
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-cache, no-transform")
	h.Set("X-Accel-Buffering", "no")
	if r.ProtoMajor == 1 {
		h.Set("Connection", "close") // the stream ends with its connection
	}
}

// reconnectAfter returns what makes a client wait for a time before it connects again.
func reconnectAfter(after time.Duration) Frame {
	return Frame("retry: " + strconv.FormatInt(after.Milliseconds(), 10) + "\n\n")
}
