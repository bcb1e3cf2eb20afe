package evaluate

import (
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of the text of a [Detail].
const (
	maxWordBytes  = 60 // a name or a value, without its quotes
	maxItemWords  = 3  // items of a list
	maxErrorBytes = 200
)

// wordsCut returns the start of a text with escapes for unprintable characters. It ends with "…" if
// the text is longer than limit bytes.
func wordsCut(s string, limit int) string {
	var b strings.Builder
	for i, r := range s {
		if b.Len() >= limit {
			b.WriteString("…")
			break
		}
		switch {
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], "\ufffd"):
			b.WriteString(`\x` + strconv.FormatUint(uint64(s[i]), 16))
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case unicode.IsPrint(r):
			b.WriteRune(r)
		default:
			quoted := strconv.QuoteRuneToASCII(r)
			b.WriteString(quoted[1 : len(quoted)-1])
		}
	}
	return b.String()
}

func wordsQuoted(s string) string { return `"` + wordsCut(s, maxWordBytes) + `"` }

// wordsName returns a key or the name of an attribute, quoted unless it is a plain word.
func wordsName(s string) string {
	plain := s != "" && len(s) <= maxWordBytes && strings.IndexFunc(s, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '_' && r != '-' && r != '.'
	}) < 0
	if plain {
		return s
	}
	return wordsQuoted(s)
}

func (e *Error) words() string {
	return "broken: " + strings.ReplaceAll(wordsCut(e.text, maxErrorBytes), `\"`, `"`)
}

func (v Value) words() string {
	switch {
	case v.kind == KindString:
		return wordsQuoted(v.text)
	case v.kind == KindFloat && v.Float() == 0 && math.Signbit(v.Float()):
		return "-0"
	default:
		return v.String()
	}
}

func (s *served) words() string {
	if s.err != nil {
		return s.err.words()
	}
	return s.value.words()
}

// nowWas is what a part is and was, in words.
type nowWas struct{ now, was string }

func (w nowWas) String() string { return w.now + " (was " + w.was + ")" }

// wordsOf returns two values that differ. Where two strings are the same after the cut, it shows
// them from their first difference on.
func wordsOf(to, from Value) nowWas {
	w := nowWas{to.words(), from.words()}
	if w.now == w.was && to.kind == KindString && from.kind == KindString {
		start := firstDifference(to.text, from.text)
		w = nowWas{`"…` + wordsCut(to.text[start:], maxWordBytes) + `"`, `"…` + wordsCut(from.text[start:], maxWordBytes) + `"`}
	}
	return w
}

func wordsOfStrings(to, from string) string {
	return wordsOf(StringValue(to), StringValue(from)).String()
}

// firstDifference returns where two strings begin to differ, or a few characters earlier.
func firstDifference(a, b string) int {
	const context = 10
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	n = max(0, n-context)
	for n > 0 && !utf8.RuneStart(a[n]) {
		n--
	}
	return n
}

// wordsList returns at most maxItemWords items, joined.
func wordsList(count int, item func(i int) string) string {
	items := make([]string, 0, maxItemWords+1)
	for i := range min(count, maxItemWords) {
		items = append(items, item(i))
	}
	if more := count - maxItemWords; more > 0 {
		items = append(items, strconv.Itoa(more)+" more")
	}
	return strings.Join(items, ", ")
}

func wordsCount(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

// optionsWords returns the options, without their IDs.
func optionsWords(options []PercentageOption) string {
	return wordsList(len(options), func(i int) string { return options[i].words() })
}

func (o *PercentageOption) words() string {
	switch {
	case o.err != nil:
		return o.err.words()
	case o.shareErr != nil:
		return o.shareErr.words()
	}
	return strconv.FormatInt(o.share, 10) + "% " + o.served.words()
}

// thenWords returns what a rule serves.
func (r *TargetingRule) thenWords() string {
	switch {
	case r.thenErr != nil:
		return r.thenErr.words()
	case r.hasOptions:
		return optionsWords(r.options)
	default:
		return r.served.words()
	}
}

// whoWords returns to whom a rule serves.
func (r *TargetingRule) whoWords() string {
	switch {
	case r.conditionsErr != nil:
		return "users, " + r.conditionsErr.words()
	case len(r.conditions) == 0:
		return "all users"
	}
	const shown = 2
	prefix := map[conditionKind]string{userCondition: "users with ", segmentCondition: "users "}[r.conditions[0].kind]
	if prefix == "" {
		prefix = "users if "
	}
	words := make([]string, 0, shown+1)
	for i := range r.conditions[:min(shown, len(r.conditions))] {
		words = append(words, r.conditions[i].words())
	}
	if more := len(r.conditions) - shown; more > 0 {
		words = append(words, wordsCount(more, "more condition"))
	}
	return prefix + strings.Join(words, " AND ")
}

// words returns what a rule does.
func (r *TargetingRule) words() string {
	if r.err != nil {
		return r.err.words()
	}
	return "serves " + r.thenWords() + " to " + r.whoWords()
}

func (c *Condition) words() string {
	switch {
	case c.kind == invalidCondition || c.err != nil:
		return c.err.words()
	case c.kind == segmentCondition:
		return c.segmentWords()
	case c.kind == prerequisiteCondition:
		return c.prerequisite.words()
	}
	text := c.subjectWords() + " "
	comparand := c.comparator.comparand()
	switch {
	case c.valueErr != nil:
		return text + c.valueErr.words()
	case c.comparator.isHashed() && comparand == comparesList:
		return text + "[" + wordsCount(c.hashed, "hashed value") + "]"
	case c.comparator.isHashed():
		return text + "a hashed value"
	case comparand == comparesList:
		return text + "[" + wordsList(len(c.list), func(i int) string { return wordsQuoted(c.list[i]) }) + "]"
	case comparand == comparesNumber:
		return text + string(c.appendDate(appendNumber(nil, c.number)))
	default:
		return text + wordsQuoted(c.text)
	}
}

// subjectWords returns the attribute and the operator of a user condition.
func (c *Condition) subjectWords() string {
	return wordsName(c.attribute.name) + " " + c.comparator.String()
}

func (c *Condition) segmentWords() string {
	text := "IN SEGMENT "
	switch {
	case c.valueErr != nil:
		text = c.valueErr.words() + " SEGMENT "
	case c.comparator == segmentIsNotIn:
		text = "NOT IN SEGMENT "
	}
	return text + wordsQuoted(c.segment.name)
}

func (p *prerequisite) words() string {
	for _, err := range [...]*Error{p.flagErr, p.comparatorErr, p.valueErr} {
		if err != nil {
			return err.words()
		}
	}
	operator := " EQUALS "
	if p.comparator == prerequisiteNotEquals {
		operator = " NOT EQUALS "
	}
	value := invalidValue
	if inferred := p.value.infer(); inferred.kind != KindNone {
		value = inferred.words()
	}
	return "flag " + wordsName(p.flag) + operator + value
}

// summary returns a flag that was added or removed, in a few words.
func (s *setting) summary() string {
	if s.err != nil {
		return s.err.words()
	}
	text := s.typeWords()
	if len(s.rules) > 0 {
		text += ", " + wordsCount(len(s.rules), "rule")
	}
	if len(s.options) > 0 {
		text += ", " + optionsWords(s.options)
	}
	if len(s.rules)+len(s.options) > 0 {
		return text + ", default value " + s.served.words()
	}
	return text + ", serves " + s.served.words()
}

func (s *setting) typeWords() string {
	switch {
	case s.kind == KindNone:
		return "no type"
	case s.plain:
		return settingTypeName(s.kind) + " without targeting"
	default:
		return settingTypeName(s.kind)
	}
}
