package ui

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/catbridge/catbridge/internal/stream"
)

// eventGap is the time between two events of a stream.
const eventGap = time.Second

// events answers with server-sent events: one whenever a view changed.
func (u *UI) events(w http.ResponseWriter, r *http.Request) {
	who, err := u.identify(w, r)
	if err == nil && !who.may(rightRead) {
		err = errForbidden
	}
	if err != nil {
		u.fail(w, &request{Request: r, ui: u, who: who, now: time.Now()}, err)
		return
	}
	s, err := u.streams.OpenWith(who.credential, stream.ClientOf(r), u.stillAllowed(r, who))
	if err != nil {
		u.fail(w, &request{Request: r, ui: u, who: who, now: time.Now()},
			&failure{status: http.StatusServiceUnavailable, text: err.Error(), retryAfter: "10"})
		return
	}
	defer s.Close()
	defer u.config.Observer.Watching()()
	s.Serve(w, r, &eventSource{ui: u, who: who})
}

// stillAllowed returns a function that reports whether the request would still be answered as before. A
// token that is gone meanwhile is not an attempt to guess one.
func (u *UI) stillAllowed(r *http.Request, who *viewer) func() bool {
	return func() bool {
		if token, bearer := bearerOf(r); bearer && !u.openNow() {
			c := u.tokens.Load().find(token)
			return c != nil && c.viewer.rights == who.rights && slices.Equal(c.viewer.sdks, who.sdks)
		}
		now, err := u.identify(discard{}, r)
		return err == nil && now.rights == who.rights && slices.Equal(now.sdks, who.sdks)
	}
}

// discard is a response that nobody reads.
type discard struct{}

func (discard) Header() http.Header         { return http.Header{} }
func (discard) Write(p []byte) (int, error) { return len(p), nil }
func (discard) WriteHeader(int)             {}

// eventSource is the events of one stream: the hashes of the configs in force of the SDK keys that its
// viewer may look at, after each change of any view. Revs would not do: they rise with each answer of the
// CDN, also to the same config.
type eventSource struct {
	ui     *UI
	who    *viewer
	number int
	sent   time.Time // when the last event was made
}

// Current implements [stream.Source].
func (s *eventSource) Current() (stream.Frame, <-chan struct{}) {
	if left := time.Until(s.sent.Add(eventGap)); left > 0 {
		over := make(chan struct{})
		time.AfterFunc(left, func() { close(over) })
		return nil, over
	}
	observer := s.ui.config.Observer
	changed := observer.Changed() // before the views: a change in between is not missed
	hashes := map[string]string{}
	for _, label := range observer.Labels() {
		if v := observer.View(label); v != nil && s.who.mayLook(label) {
			hashes[label] = v.Hash // empty while Redis has no config
		}
	}
	data, err := json.Marshal(map[string]any{"hashes": hashes})
	if err != nil {
		panic(err) // unreachable: strings can be encoded
	}
	s.number++
	s.sent = time.Now()
	return stream.NewFrame(strconv.Itoa(s.number), "change", data), changed
}
