package gateway

import (
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/follower"
	"github.com/catbridge/catbridge/internal/stream"
)

// site is one client with its prepared content.
type site struct {
	client *follower.Client
	topic  stream.Topic[*content]
	events stream.Topic[stream.Frame] // about the contents, for clients of OFREP
	remove func()                     // the hook

	age        atomic.Pointer[age]
	refreshing refreshing
	groups     groups

	mu sync.Mutex // held while preparing
}

func newSite(client *follower.Client) *site {
	s := &site{client: client}
	s.remove = client.OnConfigChanged(func(*evaluate.Config) { s.current() })
	return s
}

// current returns the content in force, prepared, and a channel that is closed when there is
// another; nil: there is none. Hooks of the client may be late, so current compares with the
// client itself.
func (s *site) current() (*content, <-chan struct{}) {
	c, replaced := s.topic.Current()
	held, ok := s.client.Content()
	if !ok || c != nil && c.hash == held.Hash {
		return c, replaced
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c, replaced = s.topic.Current()
	if held, _ = s.client.Content(); c != nil && c.hash == held.Hash {
		return c, replaced
	}
	c = newContent(&held)
	s.topic.Set(c)
	s.events.Set(eventFrame(c))
	return s.topic.Current()
}

// age is how long ago the CDN confirmed the content, in whole seconds.
type age struct {
	of     *content
	at     int64 // when it was computed, Unix s
	known  bool
	age    time.Duration
	header []string
}

// confirmedAgo returns the age of c, the content in force. It computes it for each content, once a
// second.
func (s *site) confirmedAgo(c *content, now time.Time) *age {
	if a := s.age.Load(); a != nil && a.of == c && a.at == now.Unix() {
		return a
	}
	a := &age{of: c, at: now.Unix()}
	var at time.Time
	if at, a.known = s.confirmed(); a.known {
		a.age = max(0, now.Sub(at))
		a.header = []string{strconv.FormatInt(int64(a.age/time.Second), 10)}
	}
	s.age.Store(a)
	return a
}

// confirmed returns when the CDN confirmed the content in force, as far as that is known.
func (s *site) confirmed() (at time.Time, known bool) {
	held, ok := s.client.Content()
	if at = held.LastConfirmed; at.IsZero() {
		at = held.FetchTime
	}
	return at, ok && !at.IsZero()
}
