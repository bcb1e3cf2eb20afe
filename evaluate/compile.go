package evaluate

import (
	"strconv"
	"strings"
)

// compiler converts the parsed document into a Config. It tracks its position in the document for
// the errors that it records.
type compiler struct {
	path     []step
	saltText string
	saltErr  *Error
	segments []segment

	joinedSalt, joinedFor string // the last result of saltFor, and its context
}

type step struct {
	name  string // empty for an element of an array
	index int
}

func compile(raw *rawConfig) *Config {
	c := &compiler{}
	c.compileSalt(&raw.preferences)
	c.compileSegments(raw.segments.value)

	entries := raw.settings.value
	config := &Config{
		settings: make(map[string]*setting, len(entries)),
		keys:     make([]string, 0, len(entries)),
	}
	settings := make([]setting, len(entries))
	c.push("f")
	for i := range entries {
		e := &entries[i]
		s := &settings[i]
		s.key = e.key
		c.push(e.key)
		c.compileSetting(s, &e.setting)
		c.pop()
		if config.settings[e.key] == nil {
			config.keys = append(config.keys, e.key)
		}
		config.settings[e.key] = s
	}
	config.resolve()
	return config
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
			b.WriteString("." + s.name)
		}
	}
	for _, name := range names {
		b.WriteString("." + name)
	}
	return modelError(b.String())
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

func (c *compiler) compileSalt(preferences *member[rawPreferences]) {
	salt := preferences.value.salt
	c.saltText = salt.value
	switch salt.state {
	case absent:
		c.saltErr = errSalt
	case wrong:
		c.saltErr = c.fault(wrong, "p", "s")
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
