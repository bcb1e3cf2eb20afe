package stream

import (
	"bytes"
	"math/rand/v2"
	"time"
)

// Hints is a source of frames at which each client asks the server. It does not return the frame that
// the client has at the start. It returns each newer one after a random time, so that not all clients
// ask at once. It is for one stream.
type Hints struct {
	topic    *Topic[Frame]
	have     Frame
	each     time.Duration
	set      *Set
	started  bool
	delaying bool
}

// Hints returns a source for a stream of the set. have is the frame that the client has, or nil. The
// random time is at most each for every open stream, and at most 5 s.
func (s *Set) Hints(topic *Topic[Frame], have Frame, each time.Duration) *Hints {
	return &Hints{topic: topic, have: have, each: each, set: s}
}

// maxSpread bounds how much later than others a client receives a hint.
const maxSpread = 5 * time.Second

// Current implements [Source].
func (h *Hints) Current() (Frame, <-chan struct{}) {
	if h.started && !h.delaying {
		h.delaying = true
		over := make(chan struct{})
		time.AfterFunc(rand.N(min(h.each*time.Duration(h.set.Stats().Open), maxSpread)+1), func() { close(over) })
		return nil, over
	}
	frame, replaced := h.topic.Current()
	if !h.started && bytes.Equal(frame, h.have) {
		frame = nil
	}
	h.started, h.delaying = true, false
	return frame, replaced
}
