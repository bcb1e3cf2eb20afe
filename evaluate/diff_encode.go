package evaluate

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"math"
	"slices"
)

// encoder appends parts of a config in a form that is equal exactly if the parts are alike, see
// [Diff]. It omits what compiling derives from other parts, and the settings that a setting depends
// on.
type encoder struct {
	b     []byte
	exact bool   // include salts and the content of segments
	salt  string // the last one that was included

	longName string // the last one, with its digest, see name
	longSum  digest
	digests  map[*segment]digest
}

func (e *encoder) number(n int64) { e.b = binary.AppendVarint(e.b, n) }

func (e *encoder) flag(set bool) {
	if set {
		e.number(1)
	} else {
		e.number(0)
	}
}

func (e *encoder) text(s string) {
	e.number(int64(len(s)))
	e.b = append(e.b, s...)
}

// name appends the name of a segment or flag that conditions refer to: of a long one, which many
// may refer to, the digest.
func (e *encoder) name(s string) {
	if len(s) <= maxNameBytes {
		e.text(s)
		return
	}
	if e.longName != s {
		e.longName, e.longSum = s, sha256.Sum256([]byte(s))
	}
	e.number(int64(len(s)))
	e.b = append(e.b, e.longSum[:]...)
}

func (e *encoder) err(err *Error) {
	e.flag(err != nil)
	if err != nil {
		e.number(int64(err.Code))
		e.text(err.text)
	}
}

func (e *encoder) value(v Value) {
	e.number(int64(v.kind))
	e.b = binary.BigEndian.AppendUint64(e.b, v.bits)
	e.text(v.text)
}

func (e *encoder) setting(s *setting) {
	e.salt = ""
	if e.err(s.err); s.err != nil {
		return
	}
	e.number(int64(s.kind))
	e.flag(s.plain)
	e.err(s.rulesErr)
	e.number(int64(len(s.rules)))
	for i := range s.rules {
		e.rule(&s.rules[i])
	}
	if e.flag(s.usesOptions()); s.usesOptions() {
		e.text(s.optionAttribute.name)
		e.err(s.optionAttributeErr)
	}
	e.err(s.optionsErr)
	e.options(s.options)
	e.served(&s.served)
}

// usesOptions reports whether the setting or one of its rules has percentage options.
func (s *setting) usesOptions() bool {
	return len(s.options) > 0 || slices.ContainsFunc(s.rules, func(r TargetingRule) bool { return r.hasOptions })
}

func (e *encoder) rule(r *TargetingRule) {
	e.err(r.err)
	e.err(r.conditionsErr)
	e.conditions(r.conditions)
	e.then(r)
}

// then appends what the rule serves.
func (e *encoder) then(r *TargetingRule) {
	e.err(r.thenErr)
	if e.flag(r.hasOptions); r.hasOptions {
		e.options(r.options)
	} else {
		e.served(&r.served)
	}
}

func (e *encoder) options(options []PercentageOption) {
	e.number(int64(len(options)))
	for i := range options {
		o := &options[i]
		e.err(o.err)
		e.err(o.shareErr)
		e.number(o.share)
		e.served(&o.served)
	}
}

func (e *encoder) served(s *served) {
	e.err(s.valueErr)
	e.err(s.err)
	e.value(s.value)
	if s.err == nil {
		e.text(s.variation)
	}
}

func (e *encoder) conditions(conditions []Condition) {
	e.number(int64(len(conditions)))
	for i := range conditions {
		e.condition(&conditions[i])
	}
}

func (e *encoder) condition(c *Condition) {
	e.number(int64(c.kind))
	e.err(c.err)
	e.err(c.valueErr)
	switch c.kind {
	case userCondition:
		e.user(c)
	case segmentCondition:
		e.number(int64(c.comparator))
		e.segment(c.segment)
	case prerequisiteCondition:
		e.prerequisite(c.prerequisite)
	}
}

func (e *encoder) user(c *Condition) {
	e.number(int64(c.comparator))
	e.text(c.attribute.name)
	e.flag(c.hasValue)
	if c.comparator.isHashed() {
		e.number(int64(c.hashed))
		e.hashes(c.operand)
		return
	}
	e.number(int64(len(c.list)))
	for _, item := range c.list {
		e.text(item)
	}
	e.text(c.text)
	number := c.number
	if number == 0 {
		number = 0 // -0 compares and prints like 0
	}
	e.b = binary.BigEndian.AppendUint64(e.b, math.Float64bits(number))
}

// hashes appends a set of hashes. A nil operand has none.
func (e *encoder) hashes(o *operand) {
	if e.flag(o != nil); o == nil {
		return
	}
	if e.exact { // once: all conditions of a setting have the same
		if e.flag(o.salt != e.salt); o.salt != e.salt {
			e.text(o.salt)
			e.salt = o.salt
		}
	}
	all := o.hashSet()
	e.number(int64(len(all)))
	for i := range all {
		e.number(all[i].length)
		e.b = append(e.b, all[i].digest[:]...)
	}
	e.flag(slices.ContainsFunc(o.slices, func(s hashedSlice) bool { return s.state == sliceMalformed }))
}

// hashSet returns the distinct hashes that can match, sorted. An evaluation never gets past a
// malformed one.
func (o *operand) hashSet() []hashedSlice {
	var all []hashedSlice
	for _, d := range o.digests {
		all = append(all, hashedSlice{digest: d})
	}
	for d := range o.digestSet {
		all = append(all, hashedSlice{digest: d})
	}
	for _, s := range o.slices {
		if s.state == sliceMalformed {
			break
		}
		if s.state == sliceMatchable {
			all = append(all, s)
		}
	}
	slices.SortFunc(all, func(a, b hashedSlice) int {
		if a.length != b.length {
			return int(max(-1, min(1, a.length-b.length)))
		}
		return bytes.Compare(a.digest[:], b.digest[:])
	})
	return slices.Compact(all)
}

func (e *encoder) prerequisite(p *prerequisite) {
	e.text(p.flag)
	e.err(p.flagErr)
	e.number(p.comparator)
	e.err(p.comparatorErr)
	e.err(p.valueErr)
	for kind := KindBool; kind <= KindFloat; kind++ {
		if value, state := p.value.of(kind); state == present {
			e.value(value)
		}
	}
	e.value(Value{})
}

func (e *encoder) segment(s *segment) {
	if e.flag(s != nil); s == nil {
		return
	}
	e.name(s.name)
	if e.exact {
		sum := e.digest(s)
		e.b = append(e.b, sum[:]...)
	}
}

// digest returns the digest of a segment's content, which many settings may use.
func (e *encoder) digest(s *segment) digest {
	sum, known := e.digests[s]
	if !known {
		content := encoder{exact: true}
		content.err(s.err)
		content.err(s.conditionsErr)
		content.conditions(s.conditions)
		sum = sha256.Sum256(content.b)
		e.digests[s] = sum
	}
	return sum
}
