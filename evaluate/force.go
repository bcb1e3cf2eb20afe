package evaluate

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/catbridge/catbridge/evaluate/internal/jsontext"
)

// Suspended is a flag that [Force] did not force.
type Suspended struct {
	// Flag is the key of the flag.
	Flag string
	// Reason is "the config has no such flag", or how the flag or the value does not fit. It
	// contains no text of the config.
	Reason string
}

// Force returns a config JSON in which some flags serve one value to all users. forced maps the
// keys of the flags to values of exactly their types. A forced flag consists only of its type, the
// value, and the variation ID with which the flag serves that value in source, if there is exactly
// one; its rules and percentage options are gone. All other bytes are those of source.
//
// A flag that does not exist, is of another type or has no valid type is left as it is and returned
// with the reason, sorted by key. A flag that serves nothing but the value is left as it is, too.
// If nothing changes, the result is source itself.
//
// The error is the [*ParseError] with which [Parse] would reject source or the result.
func Force(source []byte, forced map[string]Value) (effective []byte, suspended []Suspended, err error) {
	if err := tooLarge(source); err != nil {
		return nil, nil, err
	}
	if _, err := split(nil, source); err != nil {
		return nil, nil, err
	}
	text := string(source)
	f := forcing{text: text, forced: forced, reasons: make(map[string]string)}
	for key := range forced {
		f.reasons[key] = "the config has no such flag"
	}
	cursor := jsontext.NewCursor(text)
	settings := -1 // where the last "f" is, which counts
	for more := cursor.Open(); more; more = cursor.Next() {
		if cursor.Name() == "f" {
			cursor.Kind()
			settings = cursor.Pos()
		}
		cursor.Skip()
	}
	f.forceAll(settings)
	for key, reason := range f.reasons {
		if reason != "" {
			suspended = append(suspended, Suspended{Flag: key, Reason: reason})
		}
	}
	slices.SortFunc(suspended, func(a, b Suspended) int { return strings.Compare(a.Flag, b.Flag) })
	if effective, err = f.apply(source); err != nil {
		return nil, nil, err
	}
	return effective, suspended, nil
}

// forcing is the work of one call of Force.
type forcing struct {
	text    string
	forced  map[string]Value
	reasons map[string]string // by key: why it is not forced, or empty
	edits   []forcedEdit
}

// forcedEdit replaces a part of the text.
type forcedEdit struct {
	key        string
	start, end int
}

// forceAll collects the edits of the object at an offset. Of several members with one key, only the
// last counts, but other readers may see another one: all are forced, if the last one can be.
func (f *forcing) forceAll(at int) {
	last := make(map[string]string)
	cursor := jsontext.NewCursor(f.text[at:])
	for more := cursor.Open(); more; more = cursor.Next() {
		key := jsontext.FromUTF8([]byte(cursor.Name()))
		cursor.Kind()
		start := at + cursor.Pos()
		member := cursor.Raw()
		if _, ok := f.forced[key]; ok {
			last[key] = member
			f.edits = append(f.edits, forcedEdit{key, start, start + len(member)})
		}
	}
	for key, member := range last {
		_, f.reasons[key] = forcedSetting(member, f.forced[key])
	}
}

// apply returns source with the edits, or source itself if there are none. It makes the replacements one
// after the other: a key that occurs many times must not take many times the memory of the largest config.
func (f *forcing) apply(source []byte) ([]byte, error) {
	var b []byte
	copied := 0
	for _, e := range f.edits {
		if f.reasons[e.key] != "" {
			continue
		}
		replacement, _ := forcedSetting(f.text[e.start:e.end], f.forced[e.key])
		if replacement == nil {
			continue // it serves nothing else, or readers reject it
		}
		b = append(append(b, f.text[copied:e.start]...), replacement...)
		copied = e.end
		if err := tooLarge(b); err != nil {
			return nil, err
		}
	}
	if copied == 0 {
		return source, nil
	}
	b = append(b, f.text[copied:]...)
	return b, tooLarge(b)
}

// forcedSetting returns the JSON of a setting that serves only a value, nil if it does so already,
// or the reason why it cannot.
func forcedSetting(text string, value Value) (replacement []byte, reason string) {
	reader := newReader(jsontext.FromUTF8([]byte(text)))
	raw := reader.readSetting()
	var s setting
	new(compiler).compileSetting(&s, &raw)
	switch {
	case s.err != nil:
		return nil, "the flag has no valid type"
	case value.kind == KindNone:
		return nil, "there is no value"
	case value.kind != s.kind:
		return nil, "the flag is of the type " + settingTypeName(s.kind) + ", not " + settingTypeName(value.kind)
	case value.kind == KindFloat && !isFinite(value.Float()):
		return nil, "the value is not a finite number"
	case value.kind == KindInt && (value.Int() < -maxInteger || value.Int() > maxInteger):
		return nil, "the value is beyond the range of whole numbers, ±(2^53 - 1)"
	}
	value = value.asReturned()
	value.text = jsontext.FromUTF8([]byte(value.text))
	if s.isFixed() && s.served.value == value {
		return nil, ""
	}
	b := append([]byte(`{"t":`), strconv.FormatInt(raw.value.kind.value, 10)...)
	b = append(b, `,"v":{"`...)
	b = append(append(b, valueMember(s.kind)...), `":`...)
	b = append(value.appendJSON(b), '}')
	if id := s.variationOf(value); id != "" {
		b = jsontext.AppendQuote(append(b, `,"i":`...), id)
	}
	return append(b, '}'), ""
}

func isFinite(f float64) bool { return !math.IsInf(f, 0) && !math.IsNaN(f) }

func (v Value) appendJSON(b []byte) []byte {
	switch v.kind {
	case KindString:
		return jsontext.AppendQuote(b, v.text)
	case KindFloat:
		return strconv.AppendFloat(b, v.Float(), 'g', -1, 64)
	default:
		return v.appendTo(b)
	}
}

// variationOf returns the ID with which the setting serves a value, or "" unless there is exactly
// one.
func (s *setting) variationOf(value Value) string {
	id, many := "", false
	look := func(of *served) {
		if of.err == nil && of.value == value && of.variation != "" {
			many = many || id != "" && id != of.variation
			id = of.variation
		}
	}
	lookAll := func(options []PercentageOption) {
		for i := range options {
			look(&options[i].served)
		}
	}
	look(&s.served)
	lookAll(s.options)
	for i := range s.rules {
		if look(&s.rules[i].served); s.rules[i].hasOptions {
			lookAll(s.rules[i].options)
		}
	}
	if many {
		return ""
	}
	return id
}
