package evaluate

import (
	"bytes"
	"slices"
	"strconv"
)

// same reports whether both parts are alike. They do not include salts and the content of segments.
func same[T any](c *comparison, a, b T, encode func(*encoder, T)) bool {
	e := &c.own
	e.b = e.b[:0]
	encode(e, a)
	end := len(e.b)
	encode(e, b)
	return bytes.Equal(e.b[:end], e.b[end:])
}

// details returns the differences of a setting that is in both configs, at least one.
func (c *comparison) details(a, b *setting) []Detail {
	var all []Detail
	add := func(part string, kind ChangeKind, text string) {
		all = append(all, Detail{Part: part, Kind: kind, Text: text})
	}
	if a.err != nil || b.err != nil {
		if !same(c, a.err, b.err, (*encoder).err) {
			add("flag", ChangeEdited, "changed: "+b.summary()+" (was "+a.summary()+")")
		}
		return append(all, c.prerequisiteDetails(a, b)...)
	}
	if a.kind != b.kind || a.plain != b.plain {
		add("type", ChangeEdited, "type changed: "+b.typeWords()+" (was "+a.typeWords()+")")
	}
	if !same(c, a.rulesErr, b.rulesErr, (*encoder).err) {
		add("rule", ChangeEdited, "rules changed: "+errorWords(b.rulesErr)+" (were "+errorWords(a.rulesErr)+")")
	}
	all = append(all, c.ruleDetails(a.rules, b.rules)...)
	if a.usesOptions() && b.usesOptions() {
		switch {
		case !same(c, a.optionAttributeErr, b.optionAttributeErr, (*encoder).err):
			add("attribute", ChangeEdited, "attribute for percentages changed: "+errorWords(b.optionAttributeErr)+" (was "+errorWords(a.optionAttributeErr)+")")
		case a.optionAttribute.name != b.optionAttribute.name:
			add("attribute", ChangeEdited, "attribute for percentages changed: "+wordsOfStrings(b.optionAttribute.name, a.optionAttribute.name))
		}
	}
	switch {
	case !same(c, a.optionsErr, b.optionsErr, (*encoder).err):
		add("percentages", ChangeEdited, "percentages changed: "+errorWords(b.optionsErr)+" (were "+errorWords(a.optionsErr)+")")
	case same(c, a.options, b.options, (*encoder).options):
	case len(a.options) == 0:
		add("percentages", ChangeAdded, "percentages added: "+optionsWords(b.options))
	case len(b.options) == 0:
		add("percentages", ChangeRemoved, "percentages removed (were "+optionsWords(a.options)+")")
	default:
		add("percentages", ChangeEdited, "percentages changed: "+c.optionsWas(b.options, a.options).String())
	}
	if !same(c, &a.served, &b.served, (*encoder).served) {
		if w, ok := servedWas(&b.served, &a.served); ok {
			add("value", ChangeEdited, "default value changed: "+w.String())
		} else {
			add("variation", ChangeEdited, "variation ID of the default value changed: "+wordsOfStrings(b.served.variation, a.served.variation))
		}
	}
	all = append(all, c.usageDetails(a, b)...)
	all = append(all, c.prerequisiteDetails(a, b)...)
	if len(all) == 0 {
		add("segment", ChangeEdited, "changed: uses another segment of the same name")
	}
	return all
}

func errorWords(err *Error) string {
	if err == nil {
		return "valid"
	}
	return err.words()
}

// servedWas describes two values that differ. It returns false if only their variation IDs do.
func servedWas(to, from *served) (w nowWas, ok bool) {
	switch {
	case to.err != nil || from.err != nil:
		return nowWas{to.words(), from.words()}, true
	case to.value != from.value:
		return wordsOf(to.value, from.value), true
	default:
		return w, false
	}
}

// optionsWas describes two lists of options that differ.
func (c *comparison) optionsWas(to, from []PercentageOption) nowWas {
	w := nowWas{optionsWords(to), optionsWords(from)}
	if w.now != w.was {
		return w
	}
	// The lists have the same length, or wordsList would differ.
	i := 0
	for i < len(to)-1 && same(c, to[i:i+1], from[i:i+1], (*encoder).options) {
		i++
	}
	a, b := &to[i], &from[i]
	if w = (nowWas{a.words(), b.words()}); w.now == w.was && a.err == nil && a.shareErr == nil {
		var ok bool
		if w, ok = servedWas(&a.served, &b.served); !ok {
			w = wordsOf(StringValue(a.served.variation), StringValue(b.served.variation))
			w.now = "variation ID " + w.now
		}
	}
	w.now = "option " + strconv.Itoa(i+1) + ": " + w.now
	return w
}

var saltDetail = Detail{Part: "salt", Kind: ChangeAffected,
	Text: "affected: the salt changed, so hashed values match other texts unless they changed with it"}

// usageDetails returns the changed segments that a setting uses in both configs, and notes them in
// segmentPairs, and whether the salt differs that its conditions use.
func (c *comparison) usageDetails(a, b *setting) []Detail {
	was, is := c.usage(a), c.usage(b)
	var all []Detail
	for _, name := range is.names {
		from, to := was.segments[name], is.segments[name]
		if len(from) == 0 || slices.EqualFunc(from, to, func(a, b *segment) bool { return c.exact.digest(a) == c.exact.digest(b) }) {
			continue
		}
		for i := range min(len(from), len(to)) {
			if c.exact.digest(from[i]) != c.exact.digest(to[i]) {
				c.segmentPairs[name] = [2]*segment{from[i], to[i]}
				break
			}
		}
		all = append(all, Detail{Part: "segment", Kind: ChangeAffected, uses: name, Text: "affected: segment " + wordsQuoted(name) + " changed"})
	}
	if was.used && is.used && was.salt != is.salt {
		all = append(all, saltDetail)
	}
	return all
}

// usage is what the conditions of a setting use.
type usage struct {
	names    []string              // of the segments, in the order of their first use
	segments map[string][]*segment // by name: the distinct ones, in that order
	salts                          // of its own conditions and of the segments
}

// salts is the salt of some conditions on hashed values.
type salts struct {
	used bool
	salt string
}

func (c *comparison) usage(s *setting) *usage {
	u := &usage{}
	if !s.salted && !s.segmented {
		return u
	}
	seen := make(map[*segment]bool)
	for i := range s.rules {
		conditions := s.rules[i].conditions
		u.add(saltsOf(conditions, s.key))
		for j := range conditions {
			used := conditions[j].segment
			if used == nil || seen[used] {
				continue
			}
			seen[used] = true
			if u.segments == nil {
				u.segments = make(map[string][]*segment)
			}
			if u.segments[used.name] == nil {
				u.names = append(u.names, used.name)
			}
			u.segments[used.name] = append(u.segments[used.name], used)
			u.add(c.segmentSalts(used))
		}
	}
	return u
}

func (s *salts) add(other salts) {
	if !s.used {
		*s = other
	}
}

// segmentSalts returns the salt of a segment, which many settings may use.
func (c *comparison) segmentSalts(s *segment) salts {
	known, ok := c.salts[s]
	if !ok {
		known = saltsOf(s.conditions, s.name)
		c.salts[s] = known
	}
	return known
}

// saltsOf returns the salt of conditions whose hashes are salted with context, too.
func saltsOf(conditions []Condition, context string) salts {
	for i := range conditions {
		if o := conditions[i].operand; o != nil && conditions[i].comparator.isHashed() {
			return salts{true, o.salt[:len(o.salt)-len(context)]}
		}
	}
	return salts{}
}

// prerequisiteDetails returns the prerequisites of a setting in both configs that differ or are
// affected.
func (c *comparison) prerequisiteDetails(a, b *setting) []Detail {
	var all []Detail
	if len(a.prerequisites) == 0 {
		return nil
	}
	before, reported := make(map[string]bool), make(map[string]bool)
	for _, p := range a.prerequisites {
		before[p.flag] = p.flagErr == nil
	}
	for _, p := range b.prerequisites {
		if p.flagErr != nil || !before[p.flag] || reported[p.flag] {
			continue
		}
		reported[p.flag] = true
		var what string
		switch c.kinds[p.flag] {
		case ChangeAdded:
			what = " was added"
		case ChangeRemoved:
			what = " was removed"
		case ChangeEdited:
			what = " changed"
		case ChangeAffected:
			what = " is affected, too"
		default:
			continue
		}
		all = append(all, Detail{Part: "prerequisite", Kind: ChangeAffected, uses: p.flag, Text: "affected: prerequisite " + wordsName(p.flag) + what})
	}
	return all
}
