package interop

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// generator makes a random config, users and defaults as decoded JSON. Attributes of users
// and comparison values of conditions are from the same few values, which differ between
// configs, so that conditions often match, and often narrowly fail.
type generator struct {
	*rand.Rand
	words    []string
	versions []string
	decimals []any
	instants []float64

	salt     any // of the config: a string, or nil
	flags    []flagShape
	segments []any
	names    []string // of the segments
}

type flagShape struct {
	key  string
	kind int
}

// object and array are those of JSON.
type (
	object = map[string]any
	array  = []any
)

// newGenerator returns the generator of the config with that number. Each has its own
// random source, so that a config can be made without those before it.
func newGenerator(seed, number uint64) *generator {
	g := &generator{Rand: rand.New(rand.NewPCG(seed, number))}
	for range 4 {
		g.words = append(g.words, g.anyText())
		g.versions = append(g.versions, g.anyVersion())
		g.decimals = append(g.decimals, pick(g, decimals...))
		g.instants = append(g.instants, float64(pick(g, instants...)))
	}
	return g
}

func (g *generator) chance(percent int) bool { return g.IntN(100) < percent }

func pick[T any](g *generator, list ...T) T { return list[g.IntN(len(list))] }

// config makes a config that the official SDK does not refuse as a whole, though many parts
// of it may be invalid.
func (g *generator) config() object {
	g.salt = pick[any](g, "", "c2FsdA==", "só", "U29tZSBsb25nZXIgc2FsdCB3aXRoIG1vcmUgYnl0ZXM=")
	preferences := object{"u": "https://cdn.example", "r": 0}
	switch {
	case g.chance(3):
		g.salt = nil
		preferences["s"] = nil
	default:
		preferences["s"] = g.salt
	}
	config := object{"p": preferences}
	if g.chance(2) {
		g.salt = nil
		delete(config, "p")
	}
	for i := range 1 + g.IntN(7) {
		g.flags = append(g.flags, flagShape{key: g.flagKey(i), kind: g.IntN(4)})
	}
	for i := range g.IntN(4) {
		name := "segment " + strconv.Itoa(i)
		if g.chance(10) {
			name = pick(g, "", "Béta 😀", "'quoted'")
		}
		g.names = append(g.names, name)
		g.segments = append(g.segments, g.segment(name))
	}
	if g.segments != nil || g.chance(50) {
		config["s"] = g.segments
	}
	settings := object{}
	for i, shape := range g.flags {
		settings[shape.key] = g.setting(i)
	}
	config["f"] = settings
	return config
}

func (g *generator) flagKey(i int) string {
	if g.chance(8) {
		return pick(g, "kulcs-ő", "__proto__", "toString", "a 'quoted' key", "😀", strings.Repeat("long", 70), `back\slash`)
	}
	return "flag" + strconv.Itoa(i)
}

func (g *generator) segment(name string) object {
	segment := object{"n": name}
	if g.chance(97) {
		conditions := array{}
		for range g.count(3) {
			conditions = append(conditions, g.userCondition(name))
		}
		segment["r"] = conditions
	}
	return segment
}

// count returns a small number, mostly 1 and rarely 0.
func (g *generator) count(most int) int {
	switch {
	case g.chance(3):
		return 0
	case g.chance(60):
		return 1
	}
	return 1 + g.IntN(most)
}

func (g *generator) setting(i int) object {
	shape := g.flags[i]
	s := g.served(shape.kind)
	s["t"] = shape.kind
	if g.chance(1) {
		s["t"] = pick[any](g, 4, -1, -2, 17)
	}
	switch {
	case g.chance(40):
		s["a"] = g.attributeName()
	case g.chance(5):
		s["a"] = nil
	}
	if g.chance(85) {
		rules := array{}
		for range g.IntN(4) {
			rules = append(rules, g.rule(i))
		}
		s["r"] = rules
	}
	if g.chance(40) {
		s["p"] = g.options(shape.kind)
	}
	return s
}

func (g *generator) rule(i int) object {
	rule := object{}
	conditions := array{}
	for range g.count(3) {
		conditions = append(conditions, g.condition(i))
	}
	if len(conditions) > 0 || g.chance(50) {
		rule["c"] = conditions
	}
	if g.chance(70) {
		rule["s"] = g.served(g.flags[i].kind)
	} else {
		rule["p"] = g.options(g.flags[i].kind)
	}
	switch {
	case g.chance(98):
	case g.chance(50):
		rule["s"], rule["p"] = g.served(g.flags[i].kind), g.options(g.flags[i].kind)
	default:
		delete(rule, pick(g, "s", "p"))
	}
	return rule
}

// served makes a value with its variation ID.
func (g *generator) served(kind int) object {
	s := object{"v": g.value(kind)}
	switch {
	case g.chance(90):
		s["i"] = hex.EncodeToString([]byte{byte(g.IntN(256)), byte(g.IntN(256))})
	case g.chance(40):
		s["i"] = pick[any](g, "", nil, "vé")
	}
	return s
}

func (g *generator) value(kind int) object {
	if g.chance(2) {
		return pick(g, object{}, object{"b": nil, "s": nil}, g.value((kind+1)%4))
	}
	v := object{}
	switch kind {
	case 0:
		v["b"] = g.chance(50)
	case 1:
		v["s"] = g.text()
	case 2:
		v["i"] = pick[any](g, 0, 1, -1, 42, json.Number("9007199254740991"), json.Number("1e3"), json.Number("2.0"), json.Number("-0"))
	default:
		v["d"] = pick[any](g, g.decimal(), g.decimal(), 3.14, 5, -0.5)
	}
	if g.chance(2) { // more than one
		v[pick(g, "b")] = true
	}
	return v
}

func (g *generator) options(kind int) array {
	if g.chance(2) {
		return array{}
	}
	options := array{}
	left := 100
	for left > 0 {
		share := min(left, pick(g, 100, 50, 1+g.IntN(99), 1+g.IntN(30), 0))
		o := g.served(kind)
		o["p"] = share
		options = append(options, o)
		left -= share
		if len(options) > 6 {
			break
		}
	}
	if g.chance(4) {
		options[g.IntN(len(options))].(object)["p"] = pick[any](g, -1, 0, 101, json.Number("9007199254740991"), json.Number("5e1"))
	}
	return options
}

// defaultValue makes a default value for a flag: of its type, of another, or none.
func (g *generator) defaultValue(kind int) any {
	switch {
	case g.chance(30):
		return nil
	case g.chance(15):
		kind = g.IntN(4)
	}
	switch kind {
	case 0:
		return g.chance(50)
	case 1:
		return "the default"
	case 2:
		return 7
	default:
		return pick[any](g, 7.25, 7.25, 7)
	}
}

// cases makes cases for the config that was made last.
func (g *generator) cases(n int) []evaluation {
	list := make([]evaluation, n)
	user := g.user()
	for i := range list {
		shape := g.flags[g.IntN(len(g.flags))]
		if g.chance(60) {
			user = g.user()
		}
		list[i] = evaluation{Key: shape.key, Default: g.defaultValue(shape.kind), User: user}
		if g.chance(1) {
			list[i].Key = "no such flag"
		}
	}
	return list
}

// mutate replaces, removes or inserts a character.
func (g *generator) mutate(text, alphabet string) string {
	runes, letters := []rune(text), []rune(alphabet)
	i := g.IntN(len(runes) + 1)
	letter := letters[g.IntN(len(letters))]
	if i == len(runes) || g.chance(40) {
		return string(slices.Insert(runes, i, letter))
	}
	if g.chance(50) {
		runes[i] = letter
		return string(runes)
	}
	return string(slices.Delete(runes, i, i+1))
}

// evaluation is a case in the encoding of both sides.
type evaluation struct {
	Key     string `json:"key"`
	Default any    `json:"default"`
	User    any    `json:"user"`
}

// loneSurrogate is a placeholder for half of a surrogate pair of UTF-16, which JSON can
// represent and UTF-8 cannot: text replaces it by the half.
const loneSurrogate = "\ue000"

// jsonText returns v as JSON text.
func jsonText(v any) string {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		panic(fmt.Sprintf("%v: %v", v, err)) // the generator made a value that JSON cannot represent
	}
	text := strings.TrimSuffix(b.String(), "\n")
	if !utf8.ValidString(text) {
		panic("no UTF-8: " + text)
	}
	return strings.ReplaceAll(text, loneSurrogate, `\ud83d`)
}
