package ui

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"maps"
	"slices"
	"sync"
	"time"
)

const (
	// sessionAge is how long a session lasts.
	sessionAge = 12 * time.Hour
	// sessionAhead is how far the clock of another process may be ahead that started a session.
	sessionAhead = 5 * time.Minute
	// maxEnded bounds the ended sessions that a process remembers.
	maxEnded = 10_000

	nonceBytes   = 16
	sessionBytes = nonceBytes + 8 + sha256.Size
)

// sessionText is the encoding of values in cookies and forms.
var sessionText = base64.RawURLEncoding.Strict()

// sessionID identifies a session: a random number and the second when it started.
type sessionID [nonceBytes + 8]byte

func newSessionID(now time.Time) (id sessionID) {
	_, _ = rand.Read(id[:nonceBytes]) // never fails
	binary.BigEndian.PutUint64(id[nonceBytes:], uint64(now.Unix()))
	return id
}

func (id sessionID) started() time.Time {
	return time.Unix(int64(binary.BigEndian.Uint64(id[nonceBytes:])), 0)
}

// newSession returns the value of the cookie of a new session of a token.
func (c *credential) newSession(now time.Time) string {
	id := newSessionID(now)
	return sessionText.EncodeToString(append(id[:], mac(c.key, "session", id[:]...)...))
}

// parseSession returns the parts of the value of a cookie, which are not verified.
func parseSession(text string) (id sessionID, signature []byte, ok bool) {
	if sessionText.DecodedLen(len(text)) != sessionBytes {
		return id, nil, false
	}
	data, err := sessionText.DecodeString(text)
	if err != nil {
		return id, nil, false
	}
	copy(id[:], data)
	return id, data[len(id):], true
}

// session returns the viewer of a session, or nil if no token of these started it or it is too old.
func (t tokens) session(text string, now time.Time) (*viewer, sessionID) {
	id, signature, ok := parseSession(text)
	if !ok {
		return nil, id
	}
	if age := now.Sub(id.started()); age >= sessionAge || age < -sessionAhead {
		return nil, id
	}
	for i := range t {
		if hmac.Equal(signature, mac(t[i].key, "session", id[:]...)) {
			v := t[i].viewer
			v.session, v.key = true, mac(t[i].key, "forms", id[:]...)
			return &v, id
		}
	}
	return nil, id
}

// ended are the sessions that their viewers ended. It is safe for concurrent use.
type ended struct {
	mu  sync.Mutex
	ids map[sessionID]struct{}
}

func (e *ended) has(id sessionID) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	_, has := e.ids[id]
	return has
}

// add ends a session. It forgets those that are too old anyway, and if there are too many the oldest.
func (e *ended) add(id sessionID, now time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.ids == nil {
		e.ids = map[sessionID]struct{}{}
	}
	if len(e.ids) >= maxEnded {
		maps.DeleteFunc(e.ids, func(id sessionID, _ struct{}) bool { return now.Sub(id.started()) >= sessionAge })
	}
	if len(e.ids) >= maxEnded {
		delete(e.ids, slices.MinFunc(slices.Collect(maps.Keys(e.ids)), func(a, b sessionID) int { return a.started().Compare(b.started()) }))
	}
	e.ids[id] = struct{}{}
}
