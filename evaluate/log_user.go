package evaluate

import (
	"reflect"
	"slices"

	"github.com/catbridge/catbridge/evaluate/internal/jsontext"
)

// appendJSON appends the user as it appears in the evaluation log (S26). Custom attributes of a
// map are sorted by name; those of a struct are in the order of its fields. A user with its own
// GetAttribute shows only the predefined attributes.
func (u *user) appendJSON(b []byte) []byte {
	b = append(b, '{')
	first := len(b)
	for _, name := range u.names() {
		var a attribute
		named := nameAttribute(name)
		if err := u.read(&named, &a); err != nil || a.kind == attributeMissing {
			continue
		}
		if len(b) > first {
			b = append(b, ',')
		}
		b = jsontext.AppendQuote(b, name)
		b = append(b, ':')
		b = a.appendJSON(b)
	}
	return append(b, '}')
}

func (u *user) names() []string {
	if u.plan != nil {
		return u.plan.names
	}
	var custom []string
	add := func(name string) {
		if rank(name) == customRank {
			custom = append(custom, name)
		}
	}
	switch u.kind {
	case userData:
		for name := range u.data.Custom {
			add(name)
		}
	case userValue:
		for name := range u.given.(UserData).Custom {
			add(name)
		}
	case userAny:
		for name := range u.given.(map[string]any) {
			add(name)
		}
	case userStrings:
		for name := range u.given.(map[string]string) {
			add(name)
		}
	case userMap:
		for _, key := range reflect.Indirect(reflect.ValueOf(u.given)).MapKeys() {
			add(key.String())
		}
	}
	slices.Sort(custom)
	return append([]string{"Identifier", "Email", "Country"}, custom...)
}

// rank orders the predefined attributes first.
func rank(name string) int {
	switch nameAttribute(name).id {
	case identifierAttribute:
		return 0
	case emailAttribute:
		return 1
	case countryAttribute:
		return 2
	default:
		return customRank
	}
}

const customRank = 3
