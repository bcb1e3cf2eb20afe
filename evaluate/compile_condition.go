package evaluate

import (
	"strconv"
	"strings"

	"github.com/Masterminds/semver/v3"
)

func (c *compiler) compileCondition(s *setting, condition *Condition, raw *member[rawCondition]) {
	if condition.err = c.required(raw.state); condition.err != nil {
		return
	}
	r := &raw.value
	members := 0
	for _, state := range [...]memberState{r.user.state, r.prerequisite.state, r.segment.state} {
		if state != absent {
			members++
		}
	}
	switch {
	case members != 1:
		condition.err = errCondition
	case r.user.state != absent:
		c.push("u")
		c.compileUserCondition(condition, r.user, s.key)
		c.pop()
	case r.prerequisite.state == present:
		c.push("p")
		c.compilePrerequisite(s, condition, r.prerequisite.value)
		c.pop()
	case r.segment.state == present:
		c.push("s")
		c.compileSegmentCondition(condition, r.segment.value)
		c.pop()
	case r.prerequisite.state == wrong:
		condition.err = c.fault(wrong, "p")
	default:
		condition.err = c.fault(wrong, "s")
	}
}

// compileUserCondition compiles a condition whose hashes are salted with context, the setting's
// key or the segment's name.
func (c *compiler) compileUserCondition(condition *Condition, raw member[*rawUserCondition], context string) {
	if condition.err = c.required(raw.state); condition.err != nil {
		return
	}
	r := raw.value
	condition.kind = userCondition
	condition.attribute = nameAttribute(r.attribute.value)
	condition.err = c.required(r.attribute.state, "a")
	condition.comparator = unknownComparator
	if r.comparator.state != present {
		condition.valueErr = c.fault(r.comparator.state, "c")
	} else if id := r.comparator.value; id < 0 || id >= int64(comparatorCount) {
		condition.valueErr = errOperator
	} else {
		condition.comparator = Comparator(id)
	}

	switch condition.comparator.comparand() {
	case comparesText:
		condition.valueErr = c.comparisonValue(r.text.state, "s")
		condition.text = r.text.value
	case comparesNumber:
		condition.valueErr = c.comparisonValue(r.number.state, "d")
		condition.number = r.number.value
	case comparesList:
		condition.valueErr = c.comparisonValue(r.list.state, "l")
		if condition.valueErr == nil && r.badItem >= 0 {
			state := wrong
			if r.badNull {
				state = absent
			}
			condition.valueErr = c.fault(state, "l["+strconv.Itoa(r.badItem)+"]")
		}
		condition.list = r.list.value
	default:
		c.describeUnknown(condition, r)
	}
	condition.hasValue = condition.hasValue || condition.valueErr == nil
	if condition.valueErr == nil {
		c.compileOperand(condition, context)
	}
	if condition.comparator.isHashed() {
		condition.hashed = len(condition.list)
		condition.list = nil
	}
}

func (c *compiler) comparisonValue(state memberState, name string) *Error {
	if state == absent {
		return errComparisonGone
	}
	return c.optional(state, name)
}

// describeUnknown keeps, for the log, the comparison value of an unknown comparator.
func (c *compiler) describeUnknown(condition *Condition, r *rawUserCondition) {
	switch {
	case r.list.state != absent:
	case r.text.state == present && r.number.state == absent:
		condition.text, condition.hasValue = r.text.value, true
	case r.number.state == present && r.text.state == absent:
		condition.text, condition.hasValue = string(appendNumber(nil, r.number.value)), true
	}
}

// Lists up to these lengths are searched item by item; longer ones become sets.
const (
	maxSearchedTexts   = 4
	maxSearchedDigests = 8
)

func (c *compiler) compileOperand(condition *Condition, context string) {
	switch {
	case condition.comparator.isHashed():
		if c.saltErr != nil {
			condition.valueErr = c.saltErr
			return
		}
		condition.operand = hashedOperand(condition, c.saltFor(context))
	case condition.comparator <= TextIsNotOneOf,
		condition.comparator == ArrayContainsAnyOf, condition.comparator == ArrayNotContainsAnyOf:
		if len(condition.list) > maxSearchedTexts {
			texts := make(map[string]struct{}, len(condition.list))
			for _, item := range condition.list {
				texts[item] = struct{}{}
			}
			condition.operand = &operand{texts: texts}
		}
	case condition.comparator >= SemVerIsOneOf && condition.comparator <= SemVerGreaterOrEquals:
		condition.operand = versionOperand(condition)
	}
}

// saltFor returns the config's salt joined with context. It keeps the result for the next
// conditions, which often have the same context.
func (c *compiler) saltFor(context string) string {
	if c.joinedSalt == "" || c.joinedFor != context {
		c.joinedSalt, c.joinedFor = c.saltText+context, context
	}
	return c.joinedSalt
}

func hashedOperand(condition *Condition, salt string) *operand {
	o := &operand{salt: salt}
	switch condition.comparator {
	case HashedTextEquals, HashedTextNotEquals:
		if d, ok := parseDigest(condition.text); ok {
			o.digests = []digest{d}
		}
	case HashedTextStartsWithAnyOf, HashedTextNotStartsWithAnyOf, HashedTextEndsWithAnyOf, HashedTextNotEndsWithAnyOf:
		o.slices = make([]hashedSlice, len(condition.list))
		for i, item := range condition.list {
			o.slices[i] = parseSlice(item)
		}
	default:
		o.setDigests(condition.list)
	}
	return o
}

func (o *operand) setDigests(list []string) {
	if len(list) <= maxSearchedDigests {
		o.digests = make([]digest, 0, len(list))
		for _, item := range list {
			if d, ok := parseDigest(item); ok {
				o.digests = append(o.digests, d)
			}
		}
		return
	}
	o.digestSet = make(map[digest]struct{}, len(list))
	for _, item := range list {
		if d, ok := parseDigest(item); ok {
			o.digestSet[d] = struct{}{}
		}
	}
}

// parseDigest parses a hash in its only valid form, lower-case hexadecimal. Any other string
// matches no hash.
func parseDigest(text string) (d digest, ok bool) {
	if len(text) != 2*len(d) {
		return d, false
	}
	var bad byte
	for i := range d {
		high, low := hexValues[text[2*i]], hexValues[text[2*i+1]]
		bad |= high | low
		d[i] = high<<4 | low&0xf
	}
	return d, bad&notHex == 0
}

const notHex = 0x80

// hexValues are the values of lower-case hexadecimal digits, and notHex for all other bytes.
var hexValues = func() (values [256]byte) {
	for i := range values {
		values[i] = notHex
	}
	for i := range len(hexDigits) {
		values[hexDigits[i]] = byte(i)
	}
	return values
}()

// parseSlice parses "{length}_{hash}" (S37).
func parseSlice(item string) hashedSlice {
	lengthText, hash, found := strings.Cut(item, "_")
	if !found || hash == "" {
		return hashedSlice{state: sliceMalformed}
	}
	length, ok := parseLength(lengthText)
	if !ok {
		return hashedSlice{state: sliceMalformed}
	}
	d, ok := parseDigest(hash)
	if !ok {
		return hashedSlice{state: sliceNeverMatches}
	}
	return hashedSlice{length: length, digest: d}
}

// parseLength parses a whole number that is not negative. A sign and surrounding white space are
// allowed.
func parseLength(text string) (int64, bool) {
	length, err := strconv.ParseInt(trimSpace(text), 10, 64)
	if err != nil || length < 0 || length > maxInteger {
		return 0, false
	}
	return length, true
}

func versionOperand(condition *Condition) *operand {
	o := &operand{}
	items := condition.list
	if condition.comparator.comparand() == comparesText {
		items = []string{condition.text}
	}
	o.versions = make([]*semver.Version, 0, len(items))
	for _, item := range items {
		if item == "" && condition.comparator <= SemVerIsNotOneOf {
			continue // S38: empty items are ignored
		}
		version := parseVersion(item)
		if version == nil {
			o.invalidVersion = true
			o.versions = nil
			break
		}
		o.versions = append(o.versions, version)
	}
	return o
}

func (c *compiler) compilePrerequisite(s *setting, condition *Condition, raw *rawPrerequisite) {
	condition.kind = prerequisiteCondition
	condition.link = int32(len(s.prerequisites))
	p := &prerequisite{
		flag:          raw.flag.value,
		flagErr:       c.required(raw.flag.state, "f"),
		comparator:    raw.comparator.value,
		comparatorErr: c.required(raw.comparator.state, "c"),
		value:         raw.value.value,
		valueErr:      c.required(raw.value.state, "v"),
	}
	if p.comparatorErr == nil && p.comparator != 0 && p.comparator != 1 {
		p.comparatorErr = errOperator
	}
	if p.comparatorErr != nil {
		p.comparator = -1
	}
	condition.prerequisite = p
	s.prerequisites = append(s.prerequisites, p)
}

func (c *compiler) compileSegmentCondition(condition *Condition, raw *rawSegmentCondition) {
	condition.kind = segmentCondition
	condition.comparator = unknownComparator
	condition.valueErr = c.required(raw.comparator.state, "c")
	if condition.valueErr == nil {
		if id := raw.comparator.value; id == 0 || id == 1 {
			condition.comparator = Comparator(id)
		} else {
			condition.valueErr = errOperator
		}
	}
	if condition.err = c.required(raw.index.state, "s"); condition.err != nil {
		return
	}
	if raw.index.value < 0 || raw.index.value >= int64(len(c.segments)) {
		condition.err = errSegmentRef
		return
	}
	condition.segment = &c.segments[raw.index.value]
}
