package evaluate

import (
	"slices"
	"sort"
	"strconv"
	"strings"
)

// unmatched is the index of a rule without a counterpart.
const unmatched = -1

// alignment relates the rules of a flag in two configs.
type alignment struct {
	before []int // for each later rule: the index of the earlier one, or unmatched
	after  []int // the reverse
}

func (m *alignment) match(a, b int) { m.after[a], m.before[b] = b, a }

// align finds the counterpart of each rule: an equal rule or else a similar one. The time is
// proportional to the size of the rules.
func (c *comparison) align(a, b []TargetingRule) *alignment {
	m := &alignment{before: make([]int, len(b)), after: make([]int, len(a))}
	for i := range m.before {
		m.before[i] = unmatched
	}
	for i := range m.after {
		m.after[i] = unmatched
	}
	for _, similar := range [...]func(*encoder, *TargetingRule){
		(*encoder).rule,
		func(e *encoder, r *TargetingRule) { e.conditions(r.conditions) },
		(*encoder).subjects,
	} {
		c.matchSimilar(m, a, b, similar)
	}
	// The remaining ones match if they stand between the same neighbours.
	for i := range a {
		if j := next(m.after, i-1, unmatched) + 1; m.after[i] == unmatched && j < len(b) && (i == 0 || j > 0) && m.before[j] == unmatched {
			m.match(i, j)
		}
	}
	for i := len(a) - 1; i >= 0; i-- {
		if j := next(m.after, i+1, len(b)) - 1; m.after[i] == unmatched && j >= 0 && m.before[j] == unmatched {
			m.match(i, j)
		}
	}
	return m
}

// next returns after[i], or outside if there is no such rule.
func next(after []int, i, outside int) int {
	if i < 0 || i >= len(after) {
		return outside
	}
	return after[i]
}

// matchSimilar matches rules with the same encoding, in order.
func (c *comparison) matchSimilar(m *alignment, a, b []TargetingRule, encode func(*encoder, *TargetingRule)) {
	e := &c.own
	earlier := make(map[string][]int)
	for i := range a {
		if m.after[i] == unmatched {
			e.b = e.b[:0]
			encode(e, &a[i])
			earlier[string(e.b)] = append(earlier[string(e.b)], i)
		}
	}
	if len(earlier) == 0 {
		return
	}
	for j := range b {
		if m.before[j] != unmatched {
			continue
		}
		e.b = e.b[:0]
		encode(e, &b[j])
		if found := earlier[string(e.b)]; len(found) > 0 {
			m.match(found[0], j)
			earlier[string(e.b)] = found[1:]
		}
	}
}

// subjects appends what the conditions of a rule compare, not with what.
func (e *encoder) subjects(r *TargetingRule) {
	for i := range r.conditions {
		c := &r.conditions[i]
		e.number(int64(c.kind))
		switch {
		case c.kind == userCondition:
			e.text(c.attribute.name)
		case c.segment != nil:
			e.name(c.segment.name)
		case c.prerequisite != nil:
			e.name(c.prerequisite.flag)
		}
	}
}

// moved returns the later rules whose counterparts are in another order: as few as possible.
func (m *alignment) moved() map[int]bool {
	var tails []int // tails[n] is the later rule that ends an ascending sequence of n+1, the lowest
	previous := make([]int, len(m.before))
	for j, i := range m.before {
		if i == unmatched {
			continue
		}
		n := sort.Search(len(tails), func(n int) bool { return m.before[tails[n]] > i })
		if n == len(tails) {
			tails = append(tails, j)
		}
		tails[n], previous[j] = j, unmatched
		if n > 0 {
			previous[j] = tails[n-1]
		}
	}
	stay := make(map[int]bool, len(tails))
	if len(tails) > 0 {
		for j := tails[len(tails)-1]; j != unmatched; j = previous[j] {
			stay[j] = true
		}
	}
	moved := make(map[int]bool)
	for j, i := range m.before {
		if i != unmatched && !stay[j] {
			moved[j] = true
		}
	}
	return moved
}

// ruleDetails returns the differences of a flag's rules.
func (c *comparison) ruleDetails(a, b []TargetingRule) []Detail {
	var all []Detail
	if len(a)+len(b) == 0 {
		return nil
	}
	m := c.align(a, b)
	moved := m.moved()
	for j := range b {
		number := strconv.Itoa(j + 1)
		i := m.before[j]
		if i == unmatched {
			all = append(all, Detail{Part: "rule", Kind: ChangeAdded, Number: j + 1, Text: "rule " + number + " added: " + b[j].words()})
			continue
		}
		if moved[j] {
			all = append(all, Detail{Part: "rule", Kind: ChangeMoved, Number: j + 1, Text: "rule " + number + " moved (was rule " + strconv.Itoa(i+1) + "): " + b[j].words()})
		}
		if same(c, &a[i], &b[j], (*encoder).rule) {
			continue
		}
		prefix := "rule " + number + " changed"
		if i != j && !moved[j] {
			prefix += " (was rule " + strconv.Itoa(i+1) + ")"
		}
		for _, text := range c.ruleChanges(&a[i], &b[j]) {
			all = append(all, Detail{Part: "rule", Kind: ChangeEdited, Number: j + 1, Text: prefix + ": " + text})
		}
	}
	for i := range a {
		if m.after[i] == unmatched {
			all = append(all, Detail{Part: "rule", Kind: ChangeRemoved, Number: i + 1, Text: "rule " + strconv.Itoa(i+1) + " removed (was: " + a[i].words() + ")"})
		}
	}
	return all
}

// ruleChanges describes how two rules differ, in at least one text.
func (c *comparison) ruleChanges(a, b *TargetingRule) []string {
	if a.err != nil || b.err != nil || !same(c, a.conditionsErr, b.conditionsErr, (*encoder).err) {
		return []string{b.words() + " (was: " + a.words() + ")"}
	}
	var texts []string
	if !same(c, a, b, (*encoder).then) {
		texts = append(texts, c.thenChange(a, b))
	}
	for _, change := range c.conditionChanges(a.conditions, b.conditions) {
		texts = append(texts, change.Text)
	}
	return texts
}

// thenChange describes how what two rules serve differs.
func (c *comparison) thenChange(a, b *TargetingRule) string {
	var w nowWas
	switch {
	case a.thenErr != nil || b.thenErr != nil || a.hasOptions != b.hasOptions:
		w = nowWas{b.thenWords(), a.thenWords()}
	case a.hasOptions:
		w = c.optionsWas(b.options, a.options)
	default:
		var ok bool
		if w, ok = servedWas(&b.served, &a.served); !ok {
			return "variation ID of " + b.served.words() + ": " + wordsOfStrings(b.served.variation, a.served.variation)
		}
	}
	return nowWas{"serves " + w.now + " to " + b.whoWords(), w.was}.String()
}

// segmentDetails returns the differences of a segment.
func (c *comparison) segmentDetails(a, b *segment) []Detail {
	if !same(c, a.err, b.err, (*encoder).err) || !same(c, a.conditionsErr, b.conditionsErr, (*encoder).err) {
		return []Detail{{Part: "condition", Kind: ChangeEdited, Text: "changed: " + b.words() + " (was " + a.words() + ")"}}
	}
	all := c.conditionChanges(a.conditions, b.conditions)
	if len(all) == 0 {
		all = []Detail{saltDetail}
	}
	return all
}

func (s *segment) words() string {
	for _, err := range [...]*Error{s.err, s.conditionsErr} {
		if err != nil {
			return err.words()
		}
	}
	return wordsCount(len(s.conditions), "condition")
}

// conditionChanges describes how two lists of conditions differ.
func (c *comparison) conditionChanges(a, b []Condition) []Detail {
	equal := func(i, j int) bool { return same(c, &a[i], &b[j], (*encoder).condition) }
	start := 0
	for start < min(len(a), len(b)) && equal(start, start) {
		start++
	}
	end := 0
	for end < min(len(a), len(b))-start && equal(len(a)-1-end, len(b)-1-end) {
		end++
	}
	var all []Detail
	add := func(kind ChangeKind, at int, text string) {
		all = append(all, Detail{Part: "condition", Kind: kind, Number: at + 1, Text: text})
	}
	was, is := a[start:len(a)-end], b[start:len(b)-end]
	for i := range max(len(was), len(is)) {
		switch {
		case i >= len(was):
			add(ChangeAdded, start+i, "condition added: "+is[i].words())
		case i >= len(is):
			add(ChangeRemoved, start+i, "condition removed (was "+was[i].words()+")")
		case !equal(start+i, start+i):
			add(ChangeEdited, start+i, conditionWas(&is[i], &was[i]))
		}
	}
	return all
}

// conditionWas describes two conditions that differ.
func conditionWas(to, from *Condition) string {
	alike := to.kind == userCondition && from.kind == userCondition && to.attribute.name == from.attribute.name &&
		to.comparator == from.comparator && to.err == nil && from.err == nil && to.valueErr == nil && from.valueErr == nil
	if alike {
		switch {
		case to.comparator.isHashed():
			return hashChange(to, from)
		case to.comparator.comparand() == comparesList:
			return listChange(to, from)
		case to.comparator.comparand() == comparesText:
			return to.subjectWords() + " " + wordsOfStrings(to.text, from.text)
		}
	}
	a, b := to.words(), from.words()
	if a == b {
		return a + " (changed where it is not shown)"
	}
	return a + " (was " + b + ")"
}

// hashChange describes two conditions that differ only in their hashes.
func hashChange(to, from *Condition) string {
	if to.comparator.comparand() != comparesList {
		return to.words() + ": another one than before"
	}
	is, was := to.operand.hashSet(), from.operand.hashSet()
	if slices.Equal(is, was) && to.hashed == from.hashed {
		return to.words() + ": malformed values changed"
	}
	return to.words() + ": " + strconv.Itoa(len(lacking(is, was))) + " added, " + strconv.Itoa(len(lacking(was, is))) + " removed, " +
		strconv.Itoa(from.hashed) + " before"
}

// listChange describes two conditions that differ only in their lists.
func listChange(to, from *Condition) string {
	added, removed := lacking(to.list, from.list), lacking(from.list, to.list)
	var parts []string
	for _, of := range [...]struct {
		items []string
		what  string
	}{{added, " added"}, {removed, " removed"}} {
		if len(of.items) > 0 {
			parts = append(parts, wordsList(len(of.items), func(i int) string { return wordsQuoted(of.items[i]) })+of.what)
		}
	}
	if len(parts) == 0 {
		return to.words() + ": the same values in another order or number"
	}
	return to.subjectWords() + " [" + wordsCount(len(to.list), "value") + "]: " + strings.Join(parts, ", ")
}

// lacking returns the items of a list that another one lacks.
func lacking[T comparable](list, other []T) []T {
	in := make(map[T]bool, len(other))
	for _, item := range other {
		in[item] = true
	}
	return slices.DeleteFunc(slices.Clone(list), func(item T) bool { return in[item] })
}
