package stream

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// The reasons why a stream is not admitted.
var (
	ErrFull           = errors.New("too many streams are open")
	ErrClientFull     = errors.New("this client has too many streams open")
	ErrCredentialFull = errors.New("too many streams are open with this credential")
	ErrNotAllowed     = errors.New("the stream is no longer allowed: connect again")
	ErrDraining       = errors.New("the server is shutting down")
)

// Limits bound the streams of a [Set]. All fields are required but PerCredential.
type Limits struct {
	Total     int // streams open at once
	PerClient int // streams of one client open at once
	// PerCredential is the number of streams with one credential open at once; 0: it is not bounded.
	PerCredential int
	// MinAge and MaxAge bound the random age at which a stream ends.
	MinAge, MaxAge time.Duration
	// WriteTimeout bounds each write. A client that reads nothing for so long is disconnected.
	WriteTimeout   time.Duration
	Heartbeat      time.Duration // between two heartbeats of a silent event stream
	ReconnectAfter time.Duration // that event streams tell clients to wait before they connect again
}

// Set is the streams of a server. It is safe for concurrent use.
type Set struct {
	limits Limits

	mu          sync.Mutex
	open        map[*Stream]struct{}
	clients     map[string]int // streams of each client
	credentials map[string]int // streams with each credential
	draining    bool

	refused, slow atomic.Uint64
}

// NewSet returns a Set without streams.
func NewSet(limits Limits) *Set {
	return &Set{limits: limits, open: map[*Stream]struct{}{}, clients: map[string]int{}, credentials: map[string]int{}}
}

// Open admits a stream of a client. The caller must call [Stream.Close].
func (s *Set) Open(client string) (*Stream, error) { return s.OpenWhile(client, nil) }

// OpenWhile is Open for a stream that [Set.Recheck] ends when allowed returns false. allowed is called by
// other goroutines, and at once: what it depends on may have changed since the caller looked.
func (s *Set) OpenWhile(client string, allowed func() bool) (*Stream, error) {
	return s.OpenWith("", client, allowed)
}

// OpenWith is OpenWhile for a client with a credential, which is any text that identifies it; empty: it
// has none.
func (s *Set) OpenWith(credential, client string, allowed func() bool) (*Stream, error) {
	stream, err := s.register(credential, client, allowed)
	if err == nil && allowed != nil && !allowed() {
		stream.Close()
		return nil, ErrNotAllowed
	}
	return stream, err
}

func (s *Set) register(credential, client string, allowed func() bool) (*Stream, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var err error
	switch {
	case s.draining:
		err = ErrDraining
	case len(s.open) >= s.limits.Total:
		err = ErrFull
	case s.clients[client] >= s.limits.PerClient:
		err = ErrClientFull
	case credential != "" && s.limits.PerCredential > 0 && s.credentials[credential] >= s.limits.PerCredential:
		err = ErrCredentialFull
	}
	if err != nil {
		if !s.draining {
			s.refused.Add(1)
		}
		return nil, err
	}
	stream := &Stream{set: s, client: client, credential: credential, allowed: allowed, ended: make(chan struct{})}
	s.open[stream] = struct{}{}
	s.clients[client]++
	s.credentials[credential]++
	return stream, nil
}

// Recheck asks those streams to end that are no longer allowed.
func (s *Set) Recheck() {
	s.mu.Lock()
	open := slices.Collect(maps.Keys(s.open))
	s.mu.Unlock()
	for _, stream := range open {
		if stream.allowed != nil && !stream.allowed() {
			stream.End()
		}
	}
}

// Drain admits no more streams and asks all to end, in random order, spread over the time. If ctx
// ends earlier, it asks the rest at once. It does not wait until they are closed.
func (s *Set) Drain(ctx context.Context, over time.Duration) {
	s.mu.Lock()
	s.draining = true
	order := slices.Collect(maps.Keys(s.open))
	s.mu.Unlock()
	rand.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	began := time.Now()
	for i, stream := range order {
		if !sleepUntil(ctx, began.Add(over*time.Duration(i)/time.Duration(len(order)))) {
			break
		}
		stream.End()
	}
	for _, stream := range order {
		stream.End()
	}
}

func sleepUntil(ctx context.Context, at time.Time) bool {
	left := time.Until(at)
	if left <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(left)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// Stats are the counts of a [Set].
type Stats struct {
	Open    int
	Refused uint64 // streams that the limits did not admit
	Slow    uint64 // streams that ended because the client did not read in time
}

// Stats returns the current counts.
func (s *Set) Stats() Stats {
	s.mu.Lock()
	open := len(s.open)
	s.mu.Unlock()
	return Stats{Open: open, Refused: s.refused.Load(), Slow: s.slow.Load()}
}

// Draining reports whether [Set.Drain] was called.
func (s *Set) Draining() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.draining
}

// Stream is an admitted stream.
type Stream struct {
	set        *Set
	client     string
	credential string      // empty: none
	allowed    func() bool // nil: always
	once       sync.Once
	ended      chan struct{}
}

// Ended returns a channel that is closed when the stream must end.
func (s *Stream) Ended() <-chan struct{} { return s.ended }

// End asks the stream to end. It is idempotent.
func (s *Stream) End() { s.once.Do(func() { close(s.ended) }) }

// hasEnded reports whether the stream was asked to end: it may not be allowed to send more.
func (s *Stream) hasEnded() bool {
	select {
	case <-s.ended:
		return true
	default:
		return false
	}
}

// Close makes room for another stream. It is idempotent.
func (s *Stream) Close() {
	s.End()
	s.set.mu.Lock()
	defer s.set.mu.Unlock()
	if _, open := s.set.open[s]; !open {
		return
	}
	delete(s.set.open, s)
	if s.set.clients[s.client]--; s.set.clients[s.client] == 0 {
		delete(s.set.clients, s.client)
	}
	if s.set.credentials[s.credential]--; s.set.credentials[s.credential] == 0 {
		delete(s.set.credentials, s.credential)
	}
}
