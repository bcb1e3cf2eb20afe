package interop

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"
)

type comparatorKind int

const (
	textComparators comparatorKind = iota
	versionComparators
	numberComparators
	dateComparators
	listComparators
)

func kindOf(comparator int) comparatorKind {
	switch {
	case comparator >= 4 && comparator <= 9:
		return versionComparators
	case comparator >= 10 && comparator <= 15:
		return numberComparators
	case comparator == 18 || comparator == 19:
		return dateComparators
	case comparator == 26 || comparator == 27 || comparator == 34 || comparator == 35:
		return listComparators
	}
	return textComparators
}

// attributeFor returns the name of an attribute that mostly suits the comparator.
func (g *generator) attributeFor(comparator int) string {
	if g.chance(15) {
		return g.attributeName()
	}
	switch kindOf(comparator) {
	case versionComparators:
		return "Version"
	case numberComparators:
		return pick(g, "Age", "Age", "Since")
	case dateComparators:
		return pick(g, "Since", "Since", "Age")
	case listComparators:
		return "Tags"
	}
	return pick(g, "Identifier", "Email", "Country", "Plan")
}

func (g *generator) attributeName() string {
	if g.chance(5) {
		return pick(g, "", "identifier", "toString", "__proto__", "név", "Absent", "Custom")
	}
	return pick(g, "Identifier", "Email", "Country", "Plan", "Age", "Version", "Since", "Tags", "Any")
}

// user makes a user, or none. Each attribute is mostly of the type that its conditions
// compare.
func (g *generator) user() any {
	if g.chance(10) {
		return nil
	}
	user, custom := object{}, object{}
	for _, name := range []string{"Identifier", "Email", "Country"} {
		switch {
		case g.chance(80):
			user[name] = g.text()
		case g.chance(20):
			user[name] = pick[any](g, "", nil)
		}
	}
	for _, name := range []string{"Age", "Any", "Plan", "Since", "Tags", "Version"} {
		if g.chance(15) {
			continue
		}
		kind := name
		if g.chance(15) || name == "Any" {
			kind = pick(g, "Age", "Plan", "Since", "Tags", "Version")
		}
		custom[name] = g.attribute(kind)
	}
	if g.chance(5) {
		custom[g.attributeName()] = g.attribute("Plan")
	}
	if len(custom) > 0 || g.chance(50) {
		user["Custom"] = custom
	}
	return user
}

func (g *generator) attribute(kind string) any {
	if g.chance(4) {
		return pick[any](g, "", nil, true, false)
	}
	switch kind {
	case "Age":
		return g.number()
	case "Since":
		return g.date()
	case "Tags":
		return g.tags()
	case "Version":
		return g.version()
	}
	return g.text()
}

var texts = []string{
	"", " ", "a", "A", "ab", "abc", " abc", "abc ", "b", "true", "pro", "free", "ann@example.com", "bob@example.com",
	"@example.com", "árvíztűrő", "tükörfúrógép", "日本語", "日本", "😀", "😀😁", "a😀b", "e\u0301", "é", "İ", "ß", "ss",
	"\u0000", "\u00a0", "\u2028", "line\nbreak", "tab\t", `"quoted"`, `back\slash`, "it's", "<b>&", "%", "[]", "{}", "null",
	"\U0010ffff", "\ufffd", "\ufeff", "\u202e", "\x7f",
	strings.Repeat("0123456789", 30), strings.Repeat("ő", 150),
	loneSurrogate, "a" + loneSurrogate + "b",
}

func (g *generator) text() string {
	if g.chance(85) {
		return pick(g, g.words...)
	}
	return g.anyText()
}

func (g *generator) anyText() string {
	switch {
	case g.chance(3):
		return pick(g, texts...) + pick(g, texts...)
	case g.chance(4):
		return pick(g, numberTexts...)
	case g.chance(5):
		return "user" + strconv.Itoa(g.IntN(1000))
	}
	t := pick(g, texts...)
	if strings.Contains(t, loneSurrogate) && g.chance(95) {
		return "pro"
	}
	return t
}

var numberTexts = []string{
	"0", "-0", "+0", "1", "5", "5.0", "5,0", " 5 ", "+5", "-5", "5.", ".5", ",5", "5,", "-.5", "1e3", "1E3", "1e+3", "1e-3",
	"1e", "e1", "1e400", "-1e400", "1e-400", "0x10", "0b1", "0o7", "NaN", " NaN ", "nan", "Infinity", "+Infinity", "-Infinity",
	"infinity", "INF", "1_000", "1,000.5", "1,000,000", "1.000,5", "", " ", "00", "007", "0 ", " 0", "0,", "0.", "٣", "５",
	"\u00a05\u00a0", "\ufeff5", "5\u0085", "5\u180e", "5\u200b", "\u20285", "5\x00", "5f", "5n", "--5", "+-5", "- 5", "1680307200",
	"1680307200.5", "42", "3.14", "123456789012345678901234567890", "0.1", "4.9e-324", "9007199254740993", "1.7976931348623159e308",
}

// numberText returns a text that is a number, or nearly one.
func (g *generator) numberText() string {
	text := pick(g, numberTexts...)
	for g.chance(30) {
		text = g.mutate(text, "0123456789..,,--++eExX _NaNInfty\t\u00a0\ufeff")
	}
	return text
}

var decimals = []any{
	0, 1, 5, -5, 42, 0.5, -0.5, 3.14, 0.1, 1e-3, 1000, 1e20, 123456789012345680000.0, 1e21, 1e-6, 1.5e-7, 1.5e300, json.Number("1e999"), json.Number("-1e999"),
	json.Number("-0"), json.Number("5.0"), json.Number("5e0"), json.Number("4.9e-324"), json.Number("123456789012345678901234567890"),
	9007199254740991, json.Number("9007199254740993"), 1680307200, 1680307200.5,
}

// decimal returns a number in JSON's notation.
func (g *generator) decimal() any {
	if g.chance(80) {
		return pick(g, g.decimals...)
	}
	return pick(g, decimals...)
}

// number returns a number attribute of a user, of any type, or a text that may be a number.
func (g *generator) number() any {
	switch g.IntN(14) {
	case 0:
		return object{"$num": pick(g, "NaN", "Infinity", "-Infinity", "-0")}
	case 1:
		bits := pick(g, 8, 16, 32, 64)
		i := g.Int64() >> (64 - bits)
		if g.chance(60) {
			i = pick[int64](g, 0, 1, 5, -5, 42)
		}
		return object{"$int": strconv.FormatInt(i, 10), "type": "int" + strconv.Itoa(bits)}
	case 2:
		bits := pick(g, 8, 16, 32, 64)
		u := g.Uint64() >> (64 - bits)
		if g.chance(60) {
			u = pick[uint64](g, 0, 1, 5, 42)
		}
		return object{"$int": strconv.FormatUint(u, 10), "type": "uint" + strconv.Itoa(bits)}
	case 3:
		return object{"$float32": pick[any](g, 2.1, 0.1, 3.14, 5, 1e10, -0.5)}
	case 4:
		return pick[any](g, math.Trunc(g.NormFloat64()*1e6)/1e3, g.NormFloat64(), g.NormFloat64()*1e25, g.NormFloat64()*1e-9)
	case 5, 6:
		return g.numberText()
	case 7, 8:
		return pick(g, "", " ", "\u2003") + strings.Replace(jsonText(g.decimal()), ".", pick(g, ".", ","), 1) + pick(g, "", "\t")
	}
	return g.decimal()
}

var instants = []int64{0, -1, 1, 1680307200, 1680307199, 946684800, -62135596800, 253402300799, 253402300800, -62167219201, 8_640_000_000_000, -8_640_000_000_000}

// instant returns the comparison value of a date comparator, in seconds.
func (g *generator) instant() any {
	if g.chance(10) {
		return g.decimal()
	}
	return pick(g, g.instants...) + pick(g, 0, 0, 0, 0.001, -0.001, 0.5, 0.0005)
}

// date returns a time attribute of a user, or a number or text in seconds.
func (g *generator) date() any {
	switch g.IntN(5) {
	case 0:
		return pick(g, g.instants...) + pick(g, 0, 0.001, -0.001, 0.5)
	case 1:
		return strconv.FormatFloat(pick(g, g.instants...)+pick(g, 0, 0.001, 0.5), 'f', -1, 64)
	case 2:
		return g.numberText()
	}
	ms := int64(pick(g, g.instants...))*1000 + pick[int64](g, 0, 0, 0, 1, -1, 500)
	ms = max(min(ms, maxDate), -maxDate)
	return object{"$date": isoTime(ms)}
}

// maxDate is the bound for times in ECMAScript, in Unix milliseconds.
const maxDate = 8_640_000_000_000_000

func isoTime(ms int64) string {
	t := time.UnixMilli(ms).UTC()
	text := t.Format("-01-02T15:04:05.000Z")
	switch year := t.Year(); {
	case year < 0:
		return "-" + pad(-year, 6) + text
	case year > 9999:
		return "+" + pad(year, 6) + text
	default:
		return pad(year, 4) + text
	}
}

func pad(n, width int) string {
	text := strconv.Itoa(n)
	return strings.Repeat("0", max(0, width-len(text))) + text
}

var listTexts = []string{
	`[]`, ` [ ] `, `["a"]`, `["a","b"]`, `[ "ab" , "pro" ]`, `["árvíztűrő"]`, `["\u0061"]`, `["\ud83d\ude00"]`, `["\ud83d"]`, `["a",]`,
	`['a']`, `["a"`, `[1]`, `["a",1]`, `[["a"]]`, `[null]`, `{}`, `"a"`, `null`, `true`, `a,b`, "[\"a\"]\n", "\u00a0[\"a\"]", "[\"line\nbreak\"]",
	`["a"] x`, `["\x61"]`, `["\/"]`, `[""]`, `["` + strings.Repeat("0123456789", 30) + `"]`,
}

// tags returns a list attribute of a user, or a text that may be a list.
func (g *generator) tags() any {
	switch g.IntN(6) {
	case 0:
		text := pick(g, listTexts...)
		if g.chance(20) {
			text = g.mutate(text, `[]",\ au1{}`)
		}
		return text
	case 1:
		return jsonText(g.list(g.text))
	}
	return g.list(g.text)
}
