package evaluate

import (
	"strconv"
	"strings"

	"github.com/catbridge/catbridge/evaluate/internal/jsontext"
)

// compiler converts the parsed document into a Config. It tracks its position in the document for
// the errors that it records.
type compiler struct {
	reader   reader
	path     []step
	saltText string
	saltErr  *Error
	segments []segment

	sameSalt, sameSegments bool // as in the earlier config

	salted, segmented bool // see setting

	joinedSalt, joinedFor string // the last result of saltFor, and its context
}

type step struct {
	name  string // empty for an element of an array
	index int
}

// compile compiles a draft. The earlier config is the one of the draft's settings, or nil.
func compile(earlier *Config, d *draft) *Config {
	c := &compiler{}
	document := &document{envelope: c.compileEnvelope(earlier, d), entries: make([]entry, len(d.pieces))}
	config := newConfig(len(d.pieces))
	config.source.document = document
	c.push("f")
	for i := range d.pieces {
		p := &d.pieces[i]
		s := p.setting
		switch {
		case s == nil:
			s = c.compileMember(p.text)
		case !c.mayShare(s):
			s = c.compileMember(s.text)
		}
		place := len(config.keys)
		if before := config.lookup(s.key); before != nil {
			place = int(before.place)
		}
		if s == p.setting {
			s = s.in(place)
		}
		s.setPlace(place)
		config.put(s)
		document.entries[i] = entry{p.gap, s}
	}
	config.resolve()
	return config
}

// compileEnvelope compiles all but the settings, or takes it from the earlier config.
func (c *compiler) compileEnvelope(earlier *Config, d *draft) envelope {
	var was *document
	if earlier != nil {
		was = earlier.source.document
	}
	if was != nil && d.head == was.head && d.tail == was.tail {
		c.sameSalt, c.sameSegments, c.segments = true, true, was.segments
		c.compileSalt(was.salt)
		return was.envelope
	}
	e := envelope{head: d.head, tail: d.tail}
	if d.preferences != "" {
		e.salt = newReader(d.preferences).readPreferences().value.salt
		e.salt.value = strings.Clone(e.salt.value)
	}
	c.sameSalt = was != nil && e.salt == was.salt
	c.compileSalt(e.salt)
	if d.segments != "" {
		c.compileSegments(readList(newReader(d.segments), (*reader).readSegment).value)
	}
	e.segments = c.segments
	return e
}

// mayShare reports whether a setting of the earlier config with the same text is the same here.
// The settings that it depends on are none of its own: see Config.resolve.
func (c *compiler) mayShare(s *setting) bool {
	return (c.sameSalt || !s.salted) && (c.sameSegments || !s.segmented)
}

// compileMember compiles a member of "f". The setting points only into its text.
func (c *compiler) compileMember(text string) *setting {
	c.reader.Cursor = jsontext.NewCursor(text)
	s := &setting{key: c.reader.Name(), text: text}
	raw := c.reader.readSetting()
	c.salted, c.segmented = false, false
	c.push(s.key)
	c.compileSetting(s, &raw)
	c.pop()
	s.fixed = s.isFixed()
	s.salted, s.segmented = c.salted, c.segmented
	return s
}

// in returns a setting of another config for a place in this one: the setting itself if nothing
// in it depends on the config.
func (s *setting) in(place int) *setting {
	if int(s.place) == place && len(s.prerequisites) == 0 {
		return s
	}
	return s.unlinked()
}

// unlinked returns a copy for another config.
func (s *setting) unlinked() *setting {
	copied := *s
	copied.links, copied.cyclic = nil, false
	return &copied
}

// setPlace does not write to a setting that is there already: it may be shared.
func (s *setting) setPlace(place int) {
	if int(s.place) != place {
		s.place = int32(place)
	}
}

func (c *compiler) push(name string)    { c.path = append(c.path, step{name: name}) }
func (c *compiler) pushIndex(index int) { c.path = append(c.path, step{index: index}) }
func (c *compiler) pop()                { c.path = c.path[:len(c.path)-1] }

// fault returns the error of a member that is missing or of the wrong kind.
func (c *compiler) fault(state memberState, names ...string) *Error {
	var b strings.Builder
	b.WriteString("Invalid config JSON content. ")
	if state == absent {
		b.WriteString("Missing required value at $")
	} else {
		b.WriteString("Type mismatch at $")
	}
	for _, s := range c.path {
		if s.name == "" {
			b.WriteString("[" + strconv.Itoa(s.index) + "]")
		} else {
			b.WriteString("." + shortName(s.name))
		}
	}
	for _, name := range names {
		b.WriteString("." + name)
	}
	return modelError(b.String())
}

// maxNameBytes bounds the names in messages: every broken part of a flag has a message with its key.
const maxNameBytes = 128

func shortName(name string) string {
	if len(name) <= maxNameBytes {
		return name
	}
	return strings.ToValidUTF8(name[:maxNameBytes], "") + "…"
}

func (c *compiler) optional(state memberState, names ...string) *Error {
	if state == wrong {
		return c.fault(state, names...)
	}
	return nil
}

func (c *compiler) required(state memberState, names ...string) *Error {
	if state != present {
		return c.fault(state, names...)
	}
	return nil
}

// maxSaltBytes bounds the salt: every setting with hashed conditions has a copy, and each of these
// conditions hashes it. ConfigCat's salts have 44 bytes.
const maxSaltBytes = 1 << 10

func (c *compiler) compileSalt(salt member[string]) {
	c.saltText = salt.value
	switch {
	case salt.state == absent:
		c.saltErr = errSalt
	case salt.state == wrong:
		c.saltErr = c.fault(wrong, "p", "s")
	case len(salt.value) > maxSaltBytes:
		c.saltErr = errLongSalt
	}
}

// saltFor returns the config's salt joined with context. It keeps the result for the next
// conditions, which often have the same context.
func (c *compiler) saltFor(context string) string {
	if c.joinedSalt == "" || c.joinedFor != context {
		c.joinedSalt, c.joinedFor = c.saltText+context, context
	}
	return c.joinedSalt
}
