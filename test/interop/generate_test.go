package interop

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// generator makes a random config, users and defaults as decoded JSON. What users have and
// what conditions ask for come from the same few values, other ones for each config, so
// that conditions match often, and narrowly miss often.
type generator struct {
	*rand.Rand
	words    []string
	versions []string
	decimals []any
	instants []float64

	salt     any // of the config: a text, or nil
	flags    []flagShape
	segments []any
	names    []string // of the segments
}

type flagShape struct {
	key  string
	kind int
}

// object and array are JSON's.
type (
	object = map[string]any
	array  = []any
)

// newGenerator makes the generator of the config with that number: each has a source of
// its own, so that one can be made without those before it.
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

// config makes a config that the official SDK does not refuse as a whole, though much in
// it may be wrong.
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

// count is a small number, mostly 1 and rarely 0.
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

// condition makes a condition of any kind for a rule of flag i.
func (g *generator) condition(i int) object {
	c := object{}
	switch {
	case g.chance(70):
		c["u"] = g.userCondition(g.flags[i].key)
	case g.chance(50):
		c["p"] = g.prerequisite(i)
	default:
		c["s"] = g.segmentCondition()
	}
	switch {
	case g.chance(98):
	case g.chance(50):
		clear(c)
	default:
		c["u"], c["p"] = g.userCondition(g.flags[i].key), g.prerequisite(i)
	}
	return c
}

func (g *generator) prerequisite(i int) object {
	// Mostly a flag before, so that most configs have no cycles.
	target := g.flags[g.IntN(len(g.flags))]
	if i > 0 && g.chance(90) {
		target = g.flags[g.IntN(i)]
	}
	p := object{"f": target.key, "c": g.IntN(2), "v": g.value(target.kind)}
	switch {
	case g.chance(94):
	case g.chance(30):
		p["f"] = "no such flag"
	case g.chance(50):
		p["v"] = g.value(g.IntN(4))
	default:
		p["c"] = pick(g, 2, -1)
	}
	return p
}

func (g *generator) segmentCondition() object {
	index := 0
	if len(g.segments) > 0 {
		index = g.IntN(len(g.segments))
	}
	c := object{"s": index, "c": g.IntN(2)}
	switch {
	case g.chance(96):
	case g.chance(60):
		c["s"] = pick[any](g, -1, len(g.segments), 1_000_000, json.Number("9007199254740991"))
	default:
		c["c"] = pick(g, 2, -1)
	}
	return c
}

// userCondition makes a condition whose hashes are salted for a flag's key or a segment's name.
func (g *generator) userCondition(context string) object {
	comparator := g.IntN(36)
	c := object{"a": g.attributeFor(comparator), "c": comparator}
	switch kindOf(comparator) {
	case versionComparators:
		if comparator <= 5 {
			c["l"] = g.list(g.version)
		} else {
			c["s"] = g.version()
		}
	case numberComparators:
		c["d"] = g.decimal()
	case dateComparators:
		c["d"] = g.instant()
	default:
		g.textOperand(c, comparator, context)
	}
	switch {
	case g.chance(98):
	case g.chance(40):
		c["c"] = pick[any](g, 36, -1, 99, json.Number("9007199254740991"))
	case g.chance(50):
		delete(c, pick(g, "l", "s", "d"))
	default:
		c[pick(g, "l", "s", "d")] = nil
	}
	return c
}

// textOperand gives the comparison value of a comparator of texts or arrays.
func (g *generator) textOperand(c object, comparator int, context string) {
	switch comparator {
	case 28, 29:
		c["s"] = g.text()
	case 20, 21:
		c["s"] = g.hash(g.text(), context)
	case 2, 3:
		c["l"] = g.list(g.slice)
	case 30, 31:
		c["l"] = g.list(g.beginning)
	case 32, 33:
		c["l"] = g.list(g.end)
	case 22, 23, 24, 25:
		c["l"] = g.list(func() string { return g.hashedSlice(context, comparator <= 23) })
	case 16, 17, 26, 27:
		c["l"] = g.list(func() string { return g.hash(g.text(), context) })
	default:
		c["l"] = g.list(g.text)
	}
}

func (g *generator) list(item func() string) array {
	list := array{}
	for range pick(g, 0, 1, 1, 2, 3, 5, 12) {
		list = append(list, item())
	}
	return list
}

// hash is what a text is compared with in hashed comparators, or something like it.
func (g *generator) hash(text, context string) string {
	salt, _ := g.salt.(string)
	sum := sha256.Sum256([]byte(text + salt + context))
	hash := hex.EncodeToString(sum[:])
	if g.chance(95) {
		return hash
	}
	return pick(g, "", strings.ToUpper(hash), hash[:63], hash+"0", "g"+hash[1:], text)
}

// hashedSlice is "{length}_{hash}", the length in bytes of UTF-8 and perhaps amid a character.
func (g *generator) hashedSlice(context string, atStart bool) string {
	text := g.text()
	n := g.IntN(len(text) + 1)
	slice := text[len(text)-n:]
	if atStart {
		slice = text[:n]
	}
	hash, length := g.hash(slice, context), strconv.Itoa(n)
	if g.chance(96) {
		return length + "_" + hash
	}
	return pick(g, "_"+hash, length, length+"_", "-1_"+hash, "+"+length+"_"+hash, " "+length+"\t_"+hash,
		length+".0_"+hash, "0x"+length+"_"+hash, "0"+length+"_"+hash, "99999999999999999999_"+hash,
		"9007199254740992_"+hash, length+"__"+hash, length+"_"+hash+"_", "٣_"+hash, "\u00a0"+length+"_"+hash, "--1_"+hash)
}

// default_ makes a default value for a flag: of its type, of another, or none.
func (g *generator) default_(kind int) any {
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

// cases makes cases for a config that was made before.
func (g *generator) cases(n int) []evaluation {
	list := make([]evaluation, n)
	user := g.user()
	for i := range list {
		shape := g.flags[g.IntN(len(g.flags))]
		if g.chance(60) {
			user = g.user()
		}
		list[i] = evaluation{Key: shape.key, Default: g.default_(shape.kind), User: user}
		if g.chance(1) {
			list[i].Key = "no such flag"
		}
	}
	return list
}

// cut is a rune boundary within text.
func (g *generator) cut(text string) int {
	var cuts []int
	for i := range text {
		cuts = append(cuts, i)
	}
	cuts = append(cuts, len(text))
	return pick(g, cuts...)
}

func (g *generator) beginning() string { t := g.text(); return t[:g.cut(t)] }
func (g *generator) end() string       { t := g.text(); return t[g.cut(t):] }

func (g *generator) slice() string {
	t := g.text()
	a, b := g.cut(t), g.cut(t)
	return t[min(a, b):max(a, b)]
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

// loneSurrogate stands for half of a pair of UTF-16, which JSON can hold and UTF-8 cannot:
// text puts the half for it.
const loneSurrogate = "\ue000"

// jsonText is v as JSON text.
func jsonText(v any) string {
	var b strings.Builder
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		panic(fmt.Sprintf("%v: %v", v, err)) // the generator made what JSON cannot hold
	}
	text := strings.TrimSuffix(b.String(), "\n")
	if !utf8.ValidString(text) {
		panic("no UTF-8: " + text)
	}
	return strings.ReplaceAll(text, loneSurrogate, `\ud83d`)
}
