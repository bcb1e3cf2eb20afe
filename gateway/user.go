package gateway

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// user is the user of a request, combined with the default one. It is immutable. Nil: there is none.
type user struct {
	attributes map[string]any // text, float64, time.Time, lists of text
	// canonical is the same for equal users, and different for different ones. Evaluations do not need it.
	canonical func() string
	texts     []string // the names of attributes that are dates if the config uses them as such
}

// newUser returns the user with the attributes of a request, as parsed from JSON, and those of defaults
// that the request does not have. Nil for both: there is no user. A bool counts as text, and null
// as a missing attribute. The error names the attribute that has another type (G13).
func newUser(attributes map[string]any, defaults *user) (*user, error) {
	if attributes == nil {
		return defaults, nil
	}
	if len(attributes) > maxAttributes {
		return nil, &tooManyError{len(attributes)}
	}
	u := &user{attributes: make(map[string]any, len(attributes))}
	if defaults != nil {
		maps.Copy(u.attributes, defaults.attributes)
	}
	wrong, cause := "", error(nil) // the first by name, so that the error is always the same
	for name, attribute := range attributes {
		value, err := attributeOf(attribute)
		switch {
		case err != nil && (cause == nil || name < wrong):
			wrong, cause = name, err
		case err == nil && value != nil:
			u.attributes[name] = value
		}
	}
	if cause != nil {
		return nil, fmt.Errorf("attribute %q %w", shorten(wrong), cause)
	}
	u.canonical = sync.OnceValue(func() string { return canonical(u.attributes) })
	for name, value := range u.attributes {
		if text, ok := value.(string); ok {
			if _, ok := dateOf(text); ok {
				u.texts = append(u.texts, name)
			}
		}
	}
	return u, nil
}

type tooManyError struct{ n int }

func (e *tooManyError) Error() string {
	return fmt.Sprintf("the user has %d attributes, and %d are allowed", e.n, maxAttributes)
}

var errAttribute = errors.New("has an invalid type: it must be text, a number, a bool, null or a list of texts")

// attributeOf returns the value of an attribute, or nil if it is missing.
func attributeOf(v any) (any, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case string, float64:
		return v, nil
	case time.Time:
		return v.Round(0).UTC(), nil
	case bool:
		return strconv.FormatBool(v), nil
	case int:
		return float64(v), nil
	case int64:
		return float64(v), nil
	case uint64:
		return float64(v), nil
	case []string:
		return slices.Clone(v), nil
	case []any:
		list := make([]string, len(v))
		for i, item := range v {
			text, ok := item.(string)
			if !ok {
				return nil, fmt.Errorf("is a list whose item %d is not text", i)
			}
			list[i] = text
		}
		return list, nil
	}
	return nil, errAttribute
}

// canonical encodes attributes so that the text is the same for equal ones only.
func canonical(attributes map[string]any) string {
	var out []byte
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		out = appendText(out, name)
		switch v := attributes[name].(type) {
		case string:
			out = appendText(append(out, 't'), v)
		case float64:
			out = append(strconv.AppendUint(append(out, 'n'), math.Float64bits(v), 16), ';')
		case time.Time:
			out = append(strconv.AppendInt(append(out, 'd'), v.UnixMilli(), 10), ';')
		case []string:
			out = append(strconv.AppendInt(append(out, 'l'), int64(len(v)), 10), ':')
			for _, text := range v {
				out = appendText(out, text)
			}
		}
	}
	return string(out)
}

// appendText appends a text with its length, so that it cannot run into what follows.
func appendText(out []byte, text string) []byte {
	return append(append(strconv.AppendInt(out, int64(len(text)), 10), ':'), text...)
}

// in returns the user for evaluations of a content. Text that is a time, as JSON has times, is a date
// where conditions on dates alone use the attribute.
func (u *user) in(c *content) any {
	if u == nil {
		return nil
	}
	of, copied := u.attributes, false
	for _, name := range u.texts {
		if !c.dates()[name] {
			continue
		}
		if !copied {
			of, copied = maps.Clone(u.attributes), true
		}
		date, _ := dateOf(u.attributes[name].(string))
		of[name] = date
	}
	return of
}

// dateOf parses text in the form in which JSON has times: 2026-01-02T15:04:05Z.
func dateOf(text string) (time.Time, bool) {
	if len(text) < len("2026-01-02T15:04:05Z") || text[4] != '-' || len(text) > len(time.RFC3339Nano) {
		return time.Time{}, false
	}
	t, err := time.Parse(time.RFC3339, text)
	return t, err == nil
}

// shorten returns the start of a name that a client chose.
func shorten(name string) string {
	const most = 100
	if len(name) <= most {
		return name
	}
	return strings.ToValidUTF8(name[:most], "") + "…"
}
