package control

import (
	"bytes"
	"encoding/json"

	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/internal/wire"
)

// stored is the JSON of a Control.
type stored struct {
	Pin    *Pin          `json:"pin,omitempty"`
	Forced []storedForce `json:"forced,omitempty"`
	After  int64         `json:"after,omitempty"`
}

type storedForce struct {
	Flag  string      `json:"flag"`
	Value storedValue `json:"value"`
	Order
}

// storedValue has one member.
type storedValue struct {
	Bool   *bool    `json:"b,omitempty"`
	String *string  `json:"s,omitempty"`
	Int    *int64   `json:"i,omitempty"`
	Float  *float64 `json:"d,omitempty"`
}

func storedValueOf(v evaluate.Value) (s storedValue) {
	switch v.Kind() {
	case evaluate.KindBool:
		s.Bool = new(v.Bool())
	case evaluate.KindString:
		s.String = new(v.String())
	case evaluate.KindInt:
		s.Int = new(v.Int())
	case evaluate.KindFloat:
		s.Float = new(v.Float())
	}
	return s
}

// value returns the first member. If there are several, the canonical form differs.
func (s storedValue) value() evaluate.Value {
	switch {
	case s.Bool != nil:
		return evaluate.BoolValue(*s.Bool)
	case s.String != nil:
		return evaluate.StringValue(*s.String)
	case s.Int != nil:
		return evaluate.IntValue(*s.Int)
	case s.Float != nil:
		return evaluate.FloatValue(*s.Float)
	}
	return evaluate.Value{}
}

// Parse reads a stored Control. It accepts only what [Control.Append] writes for a valid one. All
// errors are [*wire.ParseError].
func Parse(data []byte) (*Control, error) {
	if len(data) > MaxBytes {
		return nil, malformed("", "over the size limit")
	}
	head, body, ok := bytes.Cut(data, []byte{'\n'})
	if !ok {
		return nil, malformed("", "fewer than two lines")
	}
	seq, ok := wire.ParseNumber(head)
	if !ok || !wire.ValidRev(seq) {
		return nil, malformed("seq", "not a rev: "+wire.Excerpt(head))
	}
	var s stored
	if err := json.Unmarshal(body, &s); err != nil {
		return nil, malformed("line 2", err.Error())
	}
	c := &Control{Seq: seq, After: s.After, Pin: s.Pin}
	for _, f := range s.Forced {
		c.Forced = append(c.Forced, Force{Flag: f.Flag, Value: f.Value.value(), Order: f.Order})
	}
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if !bytes.Equal(c.body(), body) {
		return nil, malformed("line 2", "not in the form in which it is written")
	}
	return c, nil
}

// Append appends a valid Control in its stored form.
func (c *Control) Append(dst []byte) []byte {
	dst = append(wire.AppendNumber(dst, c.Seq), '\n')
	return append(dst, c.body()...)
}

// Body returns the stored form without the line of the seq, which the script determines.
func (c *Control) Body() string { return string(c.body()) }

func (c *Control) body() []byte {
	s := stored{After: c.After, Pin: c.Pin}
	for _, f := range c.Forced {
		s.Forced = append(s.Forced, storedForce{f.Flag, storedValueOf(f.Value), f.Order})
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(s); err != nil { // a number that is not finite: Validate rejects it
		return nil
	}
	return bytes.TrimSuffix(b.Bytes(), []byte{'\n'})
}

func (c *Control) size() int { return wire.MaxDigits + 1 + len(c.body()) }
