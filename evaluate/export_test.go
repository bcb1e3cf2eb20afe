package evaluate

import "encoding/hex"

// Internals that the conformance tables cover.

func SaltedHashHex(text, salt string) string {
	sum := saltedHash(text, salt)
	return hex.EncodeToString(sum[:])
}

var (
	Bucket          = bucket
	ComparatorNames = comparatorNames
	ParseNumber     = parseNumber
	ParseVersion    = parseVersion
)

const MaxPrerequisiteDepth = maxPrerequisiteDepth

// UserJSON returns the user as it appears in the evaluation log.
func UserJSON(given any) string {
	var u user
	u.resolve(given)
	return string(u.appendJSON(nil))
}

// UserAttribute returns a user's attribute as a string, and whether it is set.
func UserAttribute(given any, name string) (string, bool) {
	var u user
	u.resolve(given)
	var a attribute
	named := nameAttribute(name)
	err := u.read(&named, &a)
	return a.asText(), err == nil && a.kind != attributeMissing
}

// These are the limits of a tree.
const (
	MaxTreeParts = maxTreeParts
	MaxTreeDepth = maxTreeDepth
)

// Malformed reports whether the rule, or the list of its conditions, is invalid: then the evaluation
// log does not show it.
func (t *RuleTree) Malformed() bool { return t.Rule.err != nil || t.Rule.conditionsErr != nil }

// Malformed reports whether the list of the segment's conditions is invalid.
func (t *SegmentTree) Malformed() bool { return t.segment.conditionsErr != nil }
