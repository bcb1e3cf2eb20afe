package evaluate

import (
	"encoding/json"
	"unicode/utf8"

	"github.com/catbridge/catbridge/evaluate/internal/jsontext"
)

// deepestMember bounds the nesting in a setting that is split again: far beyond real settings, and
// within the limit of the whole document.
const deepestMember = 1000

// splitAgain is like split for a document that differs from c's only in its settings: it reads only
// the settings that changed, and compares the others byte by byte. It returns nil for any other
// document, and for any that could be invalid: split then decides.
func (c *Config) splitAgain(data []byte) *draft {
	if c == nil || c.source.document == nil {
		return nil
	}
	was := c.source.document
	head, tail := len(was.head), len(data)-len(was.tail)
	if head > tail || string(data[:head]) != was.head || string(data[tail:]) != was.tail {
		return nil
	}
	d := &draft{head: was.head, tail: was.tail, pieces: make([]piece, 0, len(was.entries)+1)}
	body := data[head:tail]
	next := 0 // the entry expected next
	for pos := 0; pos < len(body); {
		start := jsontext.SkipSpace(body, pos)
		if pos > 0 {
			start = jsontext.SkipSpace(body, start+1) // after the comma
		}
		p := piece{gap: d.gap(body[pos:start])}
		if next < len(was.entries) && isMember(body[start:], was.entries[next].setting.text) {
			p.setting = was.entries[next].setting
			pos = start + len(p.setting.text)
			next++
		} else {
			key, length := readMember(body[start:])
			if length == 0 {
				return nil
			}
			member := body[start : start+length]
			s := c.lookup(key)
			if s != nil {
				next = int(s.place) + 1 // in a document without repeated keys
			}
			if s != nil && s.text == string(member) {
				p.setting = s
			} else {
				p.text = string(member)
			}
			pos = start + length
		}
		d.pieces = append(d.pieces, p)
	}
	return d
}

// isMember reports whether text starts with a member of an object that another member or the end
// of the text follows.
func isMember(text []byte, member string) bool {
	return len(text) >= len(member) && string(text[:len(member)]) == member && isFollowed(text, len(member))
}

func isFollowed(text []byte, end int) bool {
	if end == len(text) {
		return true
	}
	end = jsontext.SkipSpace(text, end)
	return end < len(text) && text[end] == ','
}

// readMember reads a member of an object, like isMember. It returns 0 if the member could be
// invalid.
func readMember(text []byte) (key string, length int) {
	if len(text) == 0 || text[0] != '"' {
		return "", 0
	}
	nameEnd := jsontext.End(text, 0, 0)
	if nameEnd < 0 {
		return "", 0
	}
	colon := jsontext.SkipSpace(text, nameEnd)
	if colon == len(text) || text[colon] != ':' {
		return "", 0
	}
	value := jsontext.SkipSpace(text, colon+1)
	length = jsontext.End(text, value, deepestMember)
	if length < 0 || !json.Valid(text[:nameEnd]) || !json.Valid(text[value:length]) || !utf8.Valid(text[:length]) || !isFollowed(text, length) {
		return "", 0
	}
	name := jsontext.NewCursor(string(text[:nameEnd]))
	return name.Text(), length
}
