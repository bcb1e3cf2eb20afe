package cdn

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
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
// redirecting answer does not have. It copies nothing of the body except p.u.
func parseAnswer(body []byte) (answer, error) {
	if len(body) == 0 {
		return answer{}, errors.New("the body is empty")
	}
	if !utf8.Valid(body) {
		return answer{}, errors.New("the body is not UTF-8")
	}
	if err := checkObject(body); err != nil {
		return answer{}, err
	}
	var doc struct {
		P preferences `json:"p"`
		F kind        `json:"f"`
		S kind        `json:"s"`
		// If no name matches exactly, encoding/json ignores letter case. The names in a config
		// JSON are case-sensitive, so these fields receive the others.
		UpperP kind `json:"P"`
		UpperF kind `json:"F"`
		UpperS kind `json:"S"`
		LongS  kind `json:"ſ"`
	}
	if err := json.Unmarshal(body, &doc); err != nil {
		return answer{}, syntaxError(err)
	}
	for _, member := range []struct {
		name      string
		got, want kind
	}{{"p", doc.P.kind, '{'}, {"f", doc.F, '{'}, {"s", doc.S, '['}} {
		if member.got != member.want && !member.got.isNull() {
			return answer{}, fmt.Errorf("%s is %v, not %v", member.name, member.got, member.want)
		}
	}
	return answer{url: doc.P.url, redirect: doc.P.redirect, hasFlags: !doc.F.isNull()}, nil
}

// checkObject rejects JSON of another kind, judged by its first byte. If it starts as an object,
// the caller reads it.
func checkObject(body []byte) error {
	if text := bytes.TrimLeft(body, " \t\r\n"); len(text) > 0 && text[0] == '{' {
		return nil
	}
	var top kind
	if err := json.Unmarshal(body, &top); err != nil {
		return syntaxError(err)
	}
	return fmt.Errorf("the body is %v, not an object", top)
}

func syntaxError(err error) error {
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Errorf("the body is not JSON: at byte %d: %w", syntax.Offset, err)
	}
	return fmt.Errorf("the body is not JSON: %w", err)
}

// kind is the kind of a JSON value, given by its first byte; 0: missing.
type kind byte

func (k *kind) UnmarshalJSON(value []byte) error {
	*k = kind(value[0])
	return nil
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

// preferences is the p of a config JSON. Members of the wrong kind are treated as missing: they
// are not an error (S77).
type preferences struct {
	kind     kind
	url      string
	redirect int
}

func (p *preferences) UnmarshalJSON(value []byte) error {
	*p = preferences{kind: kind(value[0]), redirect: -1} // the last of several p replaces the others
	if p.kind != '{' {
		return nil
	}
	var members struct {
		U      lenient[string]  `json:"u"`
		R      lenient[float64] `json:"r"`
		UpperU kind             `json:"U"`
		UpperR kind             `json:"R"`
	}
	if err := json.Unmarshal(value, &members); err != nil {
		return err
	}
	p.url = members.U.value
	if r := members.R; r.ok && r.value == math.Trunc(r.value) && math.Abs(r.value) < math.MaxInt32 {
		p.redirect = int(r.value)
	}
	return nil
}

// lenient is a value of type T, or its zero value if the JSON has another type.
type lenient[T any] struct {
	value T
	ok    bool
}

func (l *lenient[T]) UnmarshalJSON(value []byte) error {
	*l = lenient[T]{}
	var v T
	if value[0] != 'n' && json.Unmarshal(value, &v) == nil {
		*l = lenient[T]{v, true}
	}
	return nil
}
