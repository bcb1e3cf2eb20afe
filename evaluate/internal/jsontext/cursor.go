// Package jsontext reads JSON that encoding/json accepts. A [Cursor] walks it and copies nothing.
package jsontext

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
)

// Cursor walks a text that is known to be valid JSON, so it does not handle errors. Strings
// without escapes share memory with the text. A copy of a Cursor walks on its own. Only one
// goroutine may use a Cursor at a time.
type Cursor struct {
	text string
	pos  int
}

// NewCursor returns a cursor at the start of a valid JSON text.
func NewCursor(text string) Cursor { return Cursor{text: text} }

// Pos returns the offset of the cursor in the text.
func (c *Cursor) Pos() int { return c.pos }

// Kind returns the first byte of the value at the cursor, '0' for any number.
func (c *Cursor) Kind() byte {
	c.space()
	b := c.text[c.pos]
	if b == '-' || b >= '0' && b <= '9' {
		return '0'
	}
	return b
}

func (c *Cursor) space() { c.pos = SkipSpace(c.text, c.pos) }

// Open enters an object or array and reports whether it has elements.
func (c *Cursor) Open() bool {
	c.space()
	c.pos++
	c.space()
	if b := c.text[c.pos]; b == '}' || b == ']' {
		c.pos++
		return false
	}
	return true
}

// Next moves past the comma or bracket after an element and reports whether another one follows.
func (c *Cursor) Next() bool {
	c.space()
	b := c.text[c.pos]
	c.pos++
	return b == ','
}

// Name reads the name of an object's member, and moves to its value.
func (c *Cursor) Name() string {
	s := c.Text()
	c.space()
	c.pos++
	return s
}

// Text reads a string.
func (c *Cursor) Text() string {
	c.space()
	start := c.pos + 1
	end := start + strings.IndexByte(c.text[start:], '"')
	if strings.IndexByte(c.text[start:end], '\\') < 0 {
		c.pos = end + 1
		return c.text[start:end]
	}
	c.pos = endOfString(c.text, c.pos)
	var s string
	if err := json.Unmarshal([]byte(c.text[start-1:c.pos]), &s); err != nil {
		return c.text[start : c.pos-1]
	}
	return s
}

// Number reads a number. It returns an infinity for a number beyond the range of float64.
func (c *Cursor) Number() float64 {
	f, err := strconv.ParseFloat(c.scalar(), 64)
	if err != nil && !math.IsInf(f, 0) {
		return math.NaN()
	}
	return f
}

// Bool reads true or false.
func (c *Cursor) Bool() bool { return c.scalar() == "true" }

// scalar returns a number or one of the words true, false, null in its source form.
func (c *Cursor) scalar() string {
	c.space()
	start := c.pos
	c.pos = endOfScalar(c.text, c.pos)
	return c.text[start:c.pos]
}

// Raw moves past a value of any kind and returns its source text.
func (c *Cursor) Raw() string {
	c.space()
	start := c.pos
	c.Skip()
	return c.text[start:c.pos]
}

// Skip moves past a value of any kind.
func (c *Cursor) Skip() {
	c.space()
	c.pos = End(c.text, c.pos, math.MaxInt)
}
