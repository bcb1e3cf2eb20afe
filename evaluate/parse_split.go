package evaluate

import (
	"encoding/json"
	"strings"

	"github.com/catbridge/catbridge/evaluate/internal/jsontext"
)

// draft is a document whose settings are not compiled yet.
type draft struct {
	head, tail string // see envelope
	pieces     []piece
	// From the values of "p" and "s" on to the end of head or tail. They are empty without these
	// values, and if the envelope is the earlier config's.
	preferences, segments string
}

// piece is a setting of a draft.
type piece struct {
	gap     string
	text    string   // the member of "f"; empty if setting has the same text
	setting *setting // of the earlier config
}

// part is the value of a member of the document.
type part struct {
	state memberState
	start int
}

// part moves past a value, which should be of the wanted kind, '{' or '['.
func (r *reader) part(kind byte) part {
	p := part{state: wrong}
	switch r.Kind() {
	case kind:
		p = part{present, r.Pos()}
	case 'n':
		p.state = absent
	}
	r.Skip()
	return p
}

// split checks a document and divides it.
func split(earlier *Config, data []byte) (*draft, error) {
	if !json.Valid(data) {
		return nil, syntaxError(data)
	}
	text := jsontext.FromUTF8(data)
	r := newReader(text)
	if r.Kind() != '{' {
		return nil, refuse("$", "an object is expected")
	}
	var preferences, segments, settings part
	var end int // of the last setting
	d := &draft{}
	for more := r.Open(); more; more = r.Next() {
		switch r.Name() {
		case "p":
			preferences = r.part('{')
		case "s":
			segments = r.part('[')
		case "f":
			d.pieces = nil // the last "f" counts
			if r.Kind() != '{' {
				settings = r.part('{')
				continue
			}
			settings = part{present, r.Pos()}
			end = d.splitSettings(earlier, text, r)
		default:
			r.Skip()
		}
	}
	switch {
	case preferences.state == wrong:
		return nil, refuse("$.p", "an object is expected")
	case segments.state == wrong:
		return nil, refuse("$.s", "an array is expected")
	case settings.state == wrong:
		return nil, refuse("$.f", "an object is expected")
	case settings.state == absent:
		return nil, refuse("$.f", "missing")
	}
	d.head, d.tail = strings.Clone(text[:settings.start+1]), strings.Clone(text[end:])
	from := func(p part) string {
		switch {
		case p.state == absent:
			return ""
		case p.start < len(d.head):
			return d.head[p.start:]
		default:
			return d.tail[p.start-end:]
		}
	}
	d.preferences, d.segments = from(preferences), from(segments)
	return d, nil
}

// splitSettings divides the object at which r is in text. It returns the end of the last member.
func (d *draft) splitSettings(earlier *Config, text string, r *reader) (end int) {
	end = r.Pos() + 1
	for more := r.Open(); more; more = r.Next() {
		r.Kind()
		start := r.Pos()
		key := r.Name()
		r.Skip()
		member := text[start:r.Pos()]
		p := piece{gap: d.gap([]byte(text[end:start]))}
		if s := earlier.lookup(key); s != nil && s.text == member {
			p.setting = s
		} else {
			p.text = strings.Clone(member)
		}
		d.pieces = append(d.pieces, p)
		end = r.Pos()
	}
	return end
}

// gap returns a copy of a gap. All settings share it in most documents.
func (d *draft) gap(text []byte) string {
	switch n := len(d.pieces); {
	case string(text) == ",":
		return ","
	case n > 0 && d.pieces[n-1].gap == string(text):
		return d.pieces[n-1].gap
	default:
		return string(text)
	}
}

// isOf reports whether a draft is the document of a config.
func (d *draft) isOf(c *Config) bool {
	if c == nil || c.source.document == nil {
		return false
	}
	was := c.source.document
	if d.head != was.head || d.tail != was.tail || len(d.pieces) != len(was.entries) {
		return false
	}
	for i := range d.pieces {
		if d.pieces[i].gap != was.entries[i].gap || d.pieces[i].setting != was.entries[i].setting {
			return false
		}
	}
	return true
}
