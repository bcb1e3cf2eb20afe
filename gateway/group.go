package gateway

import (
	"strconv"
	"sync"
	"sync/atomic"
	"weak"

	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/internal/stream"
)

// group is the streams of equal users that receive the same flags in the same form. What they
// receive is evaluated and encoded once.
type group struct {
	site    *site
	key     string // of the flag; empty: all flags
	user    *user
	details bool

	streams int // guarded by groups.mu

	mu   sync.Mutex // held while evaluating
	last atomic.Pointer[latest]
}

// latest is what a content means for a group.
type latest struct {
	of    *content
	value *evaluated
}

// evaluated is what a group receives. It is immutable, apart from the memory of a difference.
type evaluated struct {
	values []encodedValue // sorted by key
	single bool           // the only value is sent without its key
	failed bool           // the only flag is gone or broken
	id     string         // of the content

	serial     uint64 // names it, see from
	mu         sync.Mutex
	frame      weak.Pointer[stream.Frame] // all values, see all
	from       uint64                     // serial of the one that difference starts from; a pointer would keep all earlier ones
	difference stream.Frame
}

// serials counts what was evaluated.
var serials atomic.Uint64

// encodedValue is a value as JSON; empty: there is no such flag.
type encodedValue struct{ key, json string }

// groups are the groups of a site, by all that distinguishes them: users are compared by all their
// attributes, not by a hash.
type groups struct {
	mu  sync.Mutex
	all map[string]*group
}

// join returns the group of a stream. The caller must call leave.
func (s *site) join(key string, u *user, details bool) *group {
	id := groupID(key, u, details)
	s.groups.mu.Lock()
	defer s.groups.mu.Unlock()
	m := s.groups.all[id]
	if m == nil {
		m = &group{site: s, key: key, user: u, details: details}
		if s.groups.all == nil {
			s.groups.all = map[string]*group{}
		}
		s.groups.all[id] = m
	}
	m.streams++
	return m
}

func (m *group) leave() {
	m.site.groups.mu.Lock()
	defer m.site.groups.mu.Unlock()
	if m.streams--; m.streams == 0 {
		delete(m.site.groups.all, groupID(m.key, m.user, m.details))
	}
}

func groupID(key string, u *user, details bool) string {
	out := strconv.AppendBool(nil, details)
	out = appendText(out, key)
	if u != nil {
		out = append(append(out, '!'), u.canonical()...)
	}
	return string(out)
}

// current returns what the group receives now, and a channel that is closed when there may be something
// else. The first stream that asks after a change evaluates it for all.
func (m *group) current() (*evaluated, <-chan struct{}) {
	c, replaced := m.site.current()
	if now := m.last.Load(); now != nil && (c == nil || c == now.of) {
		return now.value, replaced
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	// Meanwhile there may be newer content, which another stream may have evaluated.
	c, replaced = m.site.current()
	before := m.last.Load()
	switch {
	case c == nil:
		return nil, replaced
	case before == nil:
		m.last.Store(&latest{c, m.evaluate(c)})
	case c != before.of:
		next := m.evaluate(c)
		if !next.differs(before.value) {
			next = before.value
		}
		m.last.Store(&latest{c, next})
	}
	return m.last.Load().value, replaced
}

// evaluate evaluates a content for the group.
func (m *group) evaluate(c *content) *evaluated {
	e, form := &evaluated{id: c.id, single: m.key != "", serial: serials.Add(1)}, &form{details: m.details}
	if e.single {
		var r evaluate.Result
		value := encodedValue{key: m.key}
		e.failed = c.evaluate(&r, m.key, m.user) != nil
		if r.Code != evaluate.CodeNoSuchKey {
			value.json = string(appendPayload(nil, &r, form))
		}
		e.values = []encodedValue{value}
	} else {
		results := c.config.AllResults(m.user.in(c), nil)
		var payload []byte
		for _, key := range c.keys() {
			payload = appendPayload(payload[:0], &results[key.index], form)
			e.values = append(e.values, encodedValue{key.name, c.shared(payload, m.details)})
		}
	}
	return e
}

// all returns the frame with all values. The garbage collector may drop it once it is sent: groups of one user
// each would keep as many copies of nearly the same text.
func (e *evaluated) all() stream.Frame {
	e.mu.Lock()
	defer e.mu.Unlock()
	if kept := e.frame.Value(); kept != nil {
		return *kept
	}
	made := e.encode(e.values)
	e.frame = weak.Make(&made)
	return made
}

// encode returns the frame with these values.
func (e *evaluated) encode(values []encodedValue) stream.Frame {
	var out []byte
	if e.single {
		if out = append(out, values[0].json...); len(out) == 0 {
			out = append(out, "null"...)
		}
		return stream.NewFrame(e.id, "", out)
	}
	out = append(out, '{')
	for i, v := range values {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(appendQuoted(out, v.key), ':')
		if v.json == "" {
			out = append(out, "null"...)
		}
		out = append(out, v.json...)
	}
	return stream.NewFrame(e.id, "", append(out, '}'))
}

// differs reports whether a value is other than before.
func (e *evaluated) differs(before *evaluated) bool {
	if len(e.values) != len(before.values) {
		return true
	}
	for i, v := range e.values {
		if v != before.values[i] {
			return true
		}
	}
	return false
}

// since returns the frame with the values that differ from earlier ones. A flag that is gone is null.
// Nearly all streams ask for the same difference, so it is kept.
func (e *evaluated) since(before *evaluated) stream.Frame {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.from == before.serial {
		return e.difference
	}
	var changed []encodedValue
	old := before.values
	for _, v := range e.values {
		for len(old) > 0 && old[0].key < v.key {
			changed = append(changed, encodedValue{key: old[0].key})
			old = old[1:]
		}
		if len(old) > 0 && old[0].key == v.key {
			if old[0] == v {
				old = old[1:]
				continue
			}
			old = old[1:]
		}
		changed = append(changed, v)
	}
	for _, gone := range old {
		changed = append(changed, encodedValue{key: gone.key})
	}
	e.from, e.difference = before.serial, e.encode(changed)
	return e.difference
}

// memberSource is where the frames of one stream of a group come from.
type memberSource struct {
	group   *group
	changes bool       // only what changed, after the first frame
	sent    *evaluated // nil: nothing
}

// Current implements [stream.Source]. A frame is sent only if a value changed since the last one.
func (s *memberSource) Current() (stream.Frame, <-chan struct{}) {
	next, replaced := s.group.current()
	before := s.sent
	if next == nil || before != nil && !next.differs(before) {
		return nil, replaced
	}
	if next.failed && before != nil && !s.changes { // ConfigCat Proxy sends nothing
		return nil, replaced
	}
	s.sent = next
	if before != nil && s.changes {
		return next.since(before), replaced
	}
	return next.all(), replaced
}
