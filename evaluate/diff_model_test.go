package evaluate_test

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"

	"pgregory.net/rapid"

	"github.com/catbridge/catbridge/evaluate"
)

// These types are a model of a valid config. Each member has an effect on evaluations.
type (
	modelConfig struct {
		salt     string
		segments []modelSegment
		flags    map[string]*modelFlag
	}
	modelSegment struct {
		name       string
		conditions []modelCondition
	}
	modelFlag struct {
		kind      int
		rules     []modelRule
		options   []modelOption
		attribute string
		served    modelServed
	}
	modelRule struct {
		conditions []modelCondition
		options    []modelOption // or else
		served     modelServed
	}
	modelOption struct {
		share  int
		served modelServed
	}
	modelServed struct {
		value int // an index of modelValues
		id    string
	}
	// modelCondition is on a user or, with a name, on a prerequisite or a segment.
	modelCondition struct {
		attribute  string
		comparator int
		list       []string
		text       string
		number     int

		prerequisite, wanted int // the flag's number, or -1
		segment              int // an index of modelConfig.segments, or -1
	}
)

var (
	modelKeys       = []string{"a", "b", "c", "d"}
	modelKinds      = []int{0, 1, 2, 3} // of the flags
	modelValues     = [][]any{{false, true}, {"x", "é\"\\"}, {1, 2}, {0.5, 2.0}}
	modelMembers    = []string{"b", "s", "i", "d"}
	modelAttributes = []string{"Email", "Country", "Plan"}
	modelTexts      = []string{"a@a.com", "b@b.com", "DE", "1.2.3"}
	modelNames      = []string{"Beta", "Gamma"}
	modelSalts      = []string{"salt", "other"}
	modelHashes     = hashesOf(modelTexts, modelSalts)
	modelShares     = [][]int{{50, 50}, {20, 80}, {0, 100}, {30, 30, 40}}

	modelUsers = []any{
		nil, &evaluate.UserData{Identifier: "1"}, &evaluate.UserData{Identifier: "2", Email: "a@a.com", Country: "DE"},
		&evaluate.UserData{Identifier: "3", Email: "b@b.com", Custom: map[string]any{"Plan": 5}},
		map[string]any{"Identifier": "4", "Country": "a@a.com", "Plan": "1.2.3"}, map[string]any{"Email": "DE", "Country": 7, "Plan": "DE"},
	}
)

// hashesOf returns hashes that some conditions match.
func hashesOf(texts, salts []string) (hashes []string) {
	for _, salt := range salts {
		for _, context := range append(slices.Clone(modelKeys), modelNames...) {
			hashes = append(hashes, evaluate.SaltedHashHex(texts[0], salt+context))
		}
	}
	return append(hashes, evaluate.SaltedHashHex(texts[2], salts[0]+"a"))
}

func drawConfig(t *rapid.T) *modelConfig {
	c := &modelConfig{salt: rapid.SampledFrom(modelSalts).Draw(t, "salt"), flags: map[string]*modelFlag{}}
	for range rapid.IntRange(0, 3).Draw(t, "segments") {
		c.segments = append(c.segments, c.drawSegment(t))
	}
	for i, key := range modelKeys {
		if rapid.IntRange(0, 3).Draw(t, "present") > 0 {
			c.flags[key] = c.drawFlag(t, i)
		}
	}
	return c
}

func (c *modelConfig) drawSegment(t *rapid.T) modelSegment {
	s := modelSegment{name: rapid.SampledFrom(modelNames).Draw(t, "name")}
	for range rapid.IntRange(0, 2).Draw(t, "conditions") {
		s.conditions = append(s.conditions, drawUserCondition(t))
	}
	return s
}

func (c *modelConfig) drawFlag(t *rapid.T, i int) *modelFlag {
	f := &modelFlag{kind: modelKinds[i], served: drawServed(t), attribute: rapid.SampledFrom([]string{"Identifier", "Country"}).Draw(t, "by")}
	for range rapid.IntRange(0, 3).Draw(t, "rules") {
		f.rules = append(f.rules, c.drawRule(t, i))
	}
	if rapid.Bool().Draw(t, "options") {
		f.options = drawOptions(t)
	}
	return f
}

func drawServed(t *rapid.T) modelServed {
	return modelServed{rapid.IntRange(0, 1).Draw(t, "value"), rapid.SampledFrom([]string{"", "v1", "v2"}).Draw(t, "id")}
}

func drawOptions(t *rapid.T) (options []modelOption) {
	for _, share := range rapid.SampledFrom(modelShares).Draw(t, "shares") {
		options = append(options, modelOption{share, drawServed(t)})
	}
	return options
}

func (c *modelConfig) drawRule(t *rapid.T, i int) modelRule {
	r := modelRule{served: drawServed(t)}
	for range rapid.IntRange(0, 2).Draw(t, "conditions") {
		r.conditions = append(r.conditions, c.drawCondition(t, i))
	}
	if rapid.IntRange(0, 3).Draw(t, "rule with options") == 0 {
		r.options = drawOptions(t)
	}
	return r
}

func (c *modelConfig) drawCondition(t *rapid.T, i int) modelCondition {
	none := modelCondition{prerequisite: -1, segment: -1, comparator: rapid.IntRange(0, 1).Draw(t, "negated")}
	switch kind := rapid.IntRange(0, 3).Draw(t, "condition"); {
	case kind == 0 && i+1 < len(modelKeys):
		none.prerequisite, none.wanted = rapid.IntRange(i+1, len(modelKeys)-1).Draw(t, "prerequisite"), rapid.IntRange(0, 1).Draw(t, "wanted")
		return none
	case kind == 1 && len(c.segments) > 0:
		none.segment = rapid.IntRange(0, len(c.segments)-1).Draw(t, "segment")
		return none
	default:
		return drawUserCondition(t)
	}
}

func drawUserCondition(t *rapid.T) modelCondition {
	u := modelCondition{
		attribute: rapid.SampledFrom(modelAttributes).Draw(t, "attribute"), prerequisite: -1, segment: -1,
		comparator: rapid.SampledFrom([]int{0, 1, 2, 6, 10, 16, 17, 20, 28, 32, 34}).Draw(t, "comparator"),
	}
	switch u.comparator {
	case 10:
		u.number = rapid.IntRange(4, 6).Draw(t, "number")
	case 6, 28:
		u.text = rapid.SampledFrom(modelTexts).Draw(t, "text")
	case 20:
		u.text = rapid.SampledFrom(modelHashes).Draw(t, "hash")
	case 16, 17:
		u.list = rapid.SliceOfN(rapid.SampledFrom(modelHashes), 0, 12).Draw(t, "hashes")
	default:
		u.list = rapid.SliceOfN(rapid.SampledFrom(modelTexts), 0, 3).Draw(t, "list")
	}
	return u
}

// edit changes something, or nothing.
func (c *modelConfig) edit(t *rapid.T) {
	i := rapid.IntRange(0, len(modelKeys)-1).Draw(t, "flag")
	f := c.flags[modelKeys[i]]
	switch edit := rapid.IntRange(0, 9).Draw(t, "edit"); {
	case edit == 0:
		c.salt = rapid.SampledFrom(modelSalts).Draw(t, "salt")
	case edit == 1 && len(c.segments) > 0:
		c.segments[rapid.IntRange(0, len(c.segments)-1).Draw(t, "segment")] = c.drawSegment(t)
	case edit == 2:
		c.segments = append(c.segments, c.drawSegment(t))
	case f == nil || edit == 3:
		c.flags[modelKeys[i]] = c.drawFlag(t, i)
	case edit == 4:
		delete(c.flags, modelKeys[i])
	case edit == 5:
		f.served = drawServed(t)
	case edit == 6 && len(f.rules) > 0:
		f.rules[rapid.IntRange(0, len(f.rules)-1).Draw(t, "rule")] = c.drawRule(t, i)
	case edit == 7:
		f.rules = rapid.Permutation(f.rules).Draw(t, "order")
	case edit == 8:
		f.attribute = rapid.SampledFrom([]string{"Identifier", "Country"}).Draw(t, "by")
	default:
		f.options = drawOptions(t)
	}
}

func (c *modelConfig) copy() *modelConfig {
	copied := &modelConfig{salt: c.salt, segments: slices.Clone(c.segments), flags: map[string]*modelFlag{}}
	for key, f := range c.flags {
		clone := *f
		clone.rules = slices.Clone(f.rules)
		copied.flags[key] = &clone
	}
	return copied
}

// A tree is a config JSON with maps, slices and values.
type tree = map[string]any

func (c *modelConfig) tree() tree {
	flags := tree{}
	for key, f := range c.flags {
		flag := f.served.tree(f.kind)
		flag["t"], flag["a"], flag["p"] = f.kind, f.attribute, optionsTree(f.options, f.kind)
		var rules []any
		for _, r := range f.rules {
			rule := tree{"c": c.conditionsTree(r.conditions)}
			if len(r.options) > 0 {
				rule["p"] = optionsTree(r.options, f.kind)
			} else {
				rule["s"] = r.served.tree(f.kind)
			}
			rules = append(rules, rule)
		}
		flag["r"] = rules
		flags[key] = flag
	}
	var segments []any
	for _, s := range c.segments {
		var conditions []any
		for _, u := range s.conditions {
			conditions = append(conditions, u.tree())
		}
		segments = append(segments, tree{"n": s.name, "r": conditions})
	}
	return tree{"p": tree{"s": c.salt}, "s": segments, "f": flags}
}

func (s modelServed) tree(kind int) tree {
	served := tree{"v": tree{modelMembers[kind]: modelValues[kind][s.value]}}
	if s.id != "" {
		served["i"] = s.id
	}
	return served
}

func optionsTree(options []modelOption, kind int) (all []any) {
	for _, o := range options {
		option := o.served.tree(kind)
		option["p"] = o.share
		all = append(all, option)
	}
	return all
}

func (c *modelConfig) conditionsTree(conditions []modelCondition) (all []any) {
	for _, condition := range conditions {
		switch {
		case condition.prerequisite >= 0:
			kind := modelKinds[condition.prerequisite]
			all = append(all, tree{"p": tree{"f": modelKeys[condition.prerequisite], "c": condition.comparator,
				"v": tree{modelMembers[kind]: modelValues[kind][condition.wanted]}}})
		case condition.segment >= 0:
			all = append(all, tree{"s": tree{"s": condition.segment, "c": condition.comparator}})
		default:
			all = append(all, tree{"u": condition.tree()})
		}
	}
	return all
}

func (u modelCondition) tree() tree {
	user := tree{"a": u.attribute, "c": u.comparator}
	switch u.comparator {
	case 10:
		user["d"] = u.number
	case 6, 28, 20:
		user["s"] = u.text
	default:
		list := []any{}
		for _, item := range u.list {
			list = append(list, item)
		}
		user["l"] = list
	}
	return user
}

// meaning returns all that decides over the evaluations of a flag, except for its prerequisites.
func (c *modelConfig) meaning(key string) any {
	f := c.flags[key]
	if f == nil {
		return nil
	}
	type condition struct {
		modelCondition
		salt    string
		segment any
	}
	var of func(conditions []modelCondition, context string) []any
	of = func(conditions []modelCondition, context string) (all []any) {
		for _, from := range conditions {
			m := condition{modelCondition: from}
			m.modelCondition.segment = 0
			switch {
			case from.segment >= 0:
				s := c.segments[from.segment]
				m.segment = []any{s.name, of(s.conditions, s.name)}
			case from.prerequisite < 0 && slices.Contains([]int{16, 17, 20}, from.comparator):
				m.salt, m.list = c.salt+context, slices.Sorted(slices.Values(from.list))
				m.list = append(slices.Compact(m.list), strconv.Itoa(len(from.list)))
			}
			all = append(all, m)
		}
		return all
	}
	uses := len(f.options) > 0
	var rules []any
	for _, r := range f.rules {
		if uses = uses || len(r.options) > 0; len(r.options) > 0 {
			r.served = modelServed{}
		}
		rules = append(rules, []any{of(r.conditions, key), fmt.Sprint(r.options), r.served})
	}
	attribute := ""
	if uses {
		attribute = f.attribute
	}
	return []any{f.kind, rules, fmt.Sprint(f.options), attribute, f.served}
}

// changed returns the keys of the flags that do not mean the same, and of those that depend on them.
func (c *modelConfig) changed(from *modelConfig) map[string]bool {
	changed := map[string]bool{}
	for i, key := range slices.Backward(modelKeys) { // flags depend on later ones
		if !reflect.DeepEqual(from.meaning(key), c.meaning(key)) {
			changed[key] = true
		}
		if f := c.flags[key]; f != nil {
			for _, r := range f.rules {
				for _, condition := range r.conditions {
					if condition.prerequisite > i && changed[modelKeys[condition.prerequisite]] {
						changed[key] = true
					}
				}
			}
		}
	}
	return changed
}
