package cdn

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"math"
	"strings"
	"unicode/utf8"
)

// Redirect modes of p.r (S86).
const (
	redirectNone   = 0 // use the answer; fetch from p.u next time
	redirectShould = 1 // fetch from p.u, and log that the client's setup is wrong
	redirectForce  = 2 // fetch from p.u, even if the client has its own base URL
)

// answer is what the fetcher itself needs of a config JSON.
type answer struct {
	url      string // p.u; empty: no preference
	redirect int    // p.r; -1: missing
	hasFlags bool   // f is present
}

// parseAnswer checks the top level of a config JSON (S77), except for the presence of f, which a
// redirecting answer does not have. It copies nothing of the body except names and p.u.
func parseAnswer(body []byte) (answer, error) {
	if len(body) == 0 {
		return answer{}, errors.New("the body is empty")
	}
	if !utf8.Valid(body) {
		return answer{}, errors.New("the body is not UTF-8")
	}
	if !json.Valid(body) {
		var none struct{}
		return answer{}, syntaxError(json.Unmarshal(body, &none))
	}
	if top := kind(bytes.TrimLeft(body, " \t\r\n")[0]); top != '{' {
		return answer{}, fmt.Errorf("the body is %v, not an object", top)
	}
	// The last member of a name counts. Names are case-sensitive, unlike in encoding/json.
	last := map[string][]byte{"p": nil, "f": nil, "s": nil}
	for name, value := range members(body) {
		if _, ok := last[string(name)]; ok {
			last[string(name)] = value
		}
	}
	for _, member := range []struct {
		name string
		want kind
	}{{"p", '{'}, {"f", '{'}, {"s", '['}} {
		if got := kindOf(last[member.name]); got != member.want && !got.isNull() {
			return answer{}, fmt.Errorf("%s is %v, not %v", member.name, got, member.want)
		}
	}
	url, redirect := preferences(last["p"])
	return answer{url: url, redirect: redirect, hasFlags: !kindOf(last["f"]).isNull()}, nil
}

func syntaxError(err error) error {
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Errorf("the body is not JSON: at byte %d: %w", syntax.Offset, err)
	}
	return fmt.Errorf("the body is not JSON: %w", err)
}

// kind is the kind of a JSON value, given by its first byte; 0: missing.
type kind byte

func kindOf(value []byte) kind {
	if len(value) == 0 {
		return 0
	}
	return kind(value[0])
}

func (k kind) isNull() bool { return k == 0 || k == 'n' }

func (k kind) String() string {
	switch k {
	case 0:
		return "missing"
	case '{':
		return "an object"
	case '[':
		return "an array"
	case '"':
		return "a string"
	case 't', 'f':
		return "a bool"
	case 'n':
		return "null"
	}
	return "a number"
}

// preferences returns what the p of a config JSON says. Members of the wrong kind are treated as
// missing: they are not an error (S77). Without p, redirect is 0.
func preferences(p []byte) (url string, redirect int) {
	if len(p) == 0 {
		return "", 0
	}
	redirect = -1
	if p[0] != '{' {
		return "", redirect
	}
	for name, value := range members(p) {
		switch string(name) {
		case "u":
			url = ""
			_ = json.Unmarshal(value, &url)
		case "r":
			redirect = -1
			var r float64
			if value[0] != 'n' && json.Unmarshal(value, &r) == nil && r == math.Trunc(r) && math.Abs(r) < math.MaxInt32 {
				redirect = int(r)
			}
		}
	}
	return url, redirect
}

// members iterates over the names and values of an object that is valid JSON. It copies only names
// with escapes.
func members(object []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(name, value []byte) bool) {
		pos := bytes.IndexByte(object, '{') + 1
		for {
			start := pos + bytes.IndexAny(object[pos:], `"}`)
			if object[start] == '}' {
				return
			}
			pos = valueEnd(object, start)
			name := object[start+1 : pos-1]
			if bytes.IndexByte(name, '\\') >= 0 {
				var text string
				_ = json.Unmarshal(object[start:pos], &text)
				name = []byte(text)
			}
			pos += bytes.IndexByte(object[pos:], ':') + 1
			pos += bytes.IndexFunc(object[pos:], func(r rune) bool { return !strings.ContainsRune(" \t\r\n", r) })
			start, pos = pos, valueEnd(object, pos)
			if !yield(name, object[start:pos]) {
				return
			}
		}
	}
}

// valueEnd returns the end of the value at pos of valid JSON.
func valueEnd(text []byte, pos int) int {
	for depth := 0; ; {
		switch text[pos] {
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		case '"':
			for pos++; text[pos] != '"'; pos++ {
				if text[pos] == '\\' {
					pos++
				}
			}
		default:
			if depth > 0 {
				break
			}
			// A scalar: it ends before the object does.
			return pos + bytes.IndexAny(text[pos:], ",}] \t\r\n")
		}
		pos++
		if depth == 0 {
			return pos
		}
	}
}
