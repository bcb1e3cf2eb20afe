package interop

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"strings"
)

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
	// Mostly an earlier flag, so that most configs have no cycles.
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

// userCondition makes a condition whose hashes have a flag's key or a segment's name as the
// salt.
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

// textOperand makes the comparison value of a comparator of strings or arrays.
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

// hash returns the hash of a text for hashed comparators, or a similar value.
func (g *generator) hash(text, context string) string {
	salt, _ := g.salt.(string)
	sum := sha256.Sum256([]byte(text + salt + context))
	hash := hex.EncodeToString(sum[:])
	if g.chance(95) {
		return hash
	}
	return pick(g, "", strings.ToUpper(hash), hash[:63], hash+"0", "g"+hash[1:], text)
}

// hashedSlice returns "{length}_{hash}". The length is in bytes of UTF-8 and may end within
// a character.
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

// cut returns a rune boundary within text.
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
