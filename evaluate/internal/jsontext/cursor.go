package evaluate

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
)

// cursor walks a JSON text that is known to be valid, so it does not handle errors. Strings
// without escapes share memory with the document.
type cursor struct {
	text  string
	pos   int
	items []string // scratch space
}

// kind returns the first byte of the value at the cursor, '0' for any number.
func (c *cursor) kind() byte {
	c.space()
	b := c.text[c.pos]
	if b == '-' || b >= '0' && b <= '9' {
		return '0'
	}
	return b
}

func (c *cursor) space() {
	for c.pos < len(c.text) {
		switch c.text[c.pos] {
		case ' ', '\t', '\n', '\r':
			c.pos++
		default:
			return
		}
	}
}

// open enters an object or array and reports whether it has elements.
func (c *cursor) open() bool {
	c.space()
	c.pos++
	c.space()
	if b := c.text[c.pos]; b == '}' || b == ']' {
		c.pos++
		return false
	}
	return true
}

// next moves past the comma or bracket after an element and reports whether another one follows.
func (c *cursor) next() bool {
	c.space()
	b := c.text[c.pos]
	c.pos++
	return b == ','
}

func (c *cursor) name() string {
	s := c.string()
	c.space()
	c.pos++
	return s
}

func (c *cursor) string() string {
	c.space()
	start := c.pos + 1
	end := start + strings.IndexByte(c.text[start:], '"')
	if strings.IndexByte(c.text[start:end], '\\') < 0 {
		c.pos = end + 1
		return c.text[start:end]
	}
	c.skipString()
	var s string
	if err := json.Unmarshal([]byte(c.text[start-1:c.pos]), &s); err != nil {
		return c.text[start : c.pos-1]
	}
	return s
}

func (c *cursor) skipString() {
	c.pos++
	for {
		switch c.text[c.pos] {
		case '"':
			c.pos++
			return
		case '\\':
			c.pos++
		}
		c.pos++
	}
}

// number returns an infinity for a number beyond the range of float64.
func (c *cursor) number() float64 {
	f, err := strconv.ParseFloat(c.scalar(), 64)
	if err != nil && !math.IsInf(f, 0) {
		return math.NaN()
	}
	return f
}

func (c *cursor) bool() bool { return c.scalar() == "true" }

// scalar returns a number or one of the words true, false, null in its source form.
func (c *cursor) scalar() string {
	c.space()
	start := c.pos
	for c.pos < len(c.text) {
		switch c.text[c.pos] {
		case ',', '}', ']', ' ', '\t', '\n', '\r':
			return c.text[start:c.pos]
		}
		c.pos++
	}
	return c.text[start:c.pos]
}

// skip moves past a value of any kind, without recursion.
func (c *cursor) skip() {
	c.space()
	for depth := 0; ; {
		switch c.text[c.pos] {
		case '{', '[':
			depth++
			c.pos++
		case '}', ']':
			depth--
			c.pos++
		case '"':
			c.skipString()
		case ',', ':', ' ', '\t', '\n', '\r':
			c.pos++
			continue
		default:
			c.scalar()
		}
		if depth == 0 {
			return
		}
	}
}
