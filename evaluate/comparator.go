package evaluate

// Comparator is the comparison operator of a user condition, numbered as in
// config JSON v6 (S35).
type Comparator int32

// The comparators of user conditions.
const (
	TextIsOneOf Comparator = iota
	TextIsNotOneOf
	TextContainsAnyOf
	TextNotContainsAnyOf
	SemVerIsOneOf
	SemVerIsNotOneOf
	SemVerLess
	SemVerLessOrEquals
	SemVerGreater
	SemVerGreaterOrEquals
	NumberEquals
	NumberNotEquals
	NumberLess
	NumberLessOrEquals
	NumberGreater
	NumberGreaterOrEquals
	HashedTextIsOneOf
	HashedTextIsNotOneOf
	DateTimeBefore
	DateTimeAfter
	HashedTextEquals
	HashedTextNotEquals
	HashedTextStartsWithAnyOf
	HashedTextNotStartsWithAnyOf
	HashedTextEndsWithAnyOf
	HashedTextNotEndsWithAnyOf
	HashedArrayContainsAnyOf
	HashedArrayNotContainsAnyOf
	TextEquals
	TextNotEquals
	TextStartsWithAnyOf
	TextNotStartsWithAnyOf
	TextEndsWithAnyOf
	TextNotEndsWithAnyOf
	ArrayContainsAnyOf
	ArrayNotContainsAnyOf

	comparatorCount
	// unknownComparator replaces any other number.
	unknownComparator Comparator = -1
)

var comparatorNames = [comparatorCount]string{
	TextIsOneOf:                  "IS ONE OF",
	TextIsNotOneOf:               "IS NOT ONE OF",
	TextContainsAnyOf:            "CONTAINS ANY OF",
	TextNotContainsAnyOf:         "NOT CONTAINS ANY OF",
	SemVerIsOneOf:                "IS ONE OF",
	SemVerIsNotOneOf:             "IS NOT ONE OF",
	SemVerLess:                   "<",
	SemVerLessOrEquals:           "<=",
	SemVerGreater:                ">",
	SemVerGreaterOrEquals:        ">=",
	NumberEquals:                 "=",
	NumberNotEquals:              "!=",
	NumberLess:                   "<",
	NumberLessOrEquals:           "<=",
	NumberGreater:                ">",
	NumberGreaterOrEquals:        ">=",
	HashedTextIsOneOf:            "IS ONE OF",
	HashedTextIsNotOneOf:         "IS NOT ONE OF",
	DateTimeBefore:               "BEFORE",
	DateTimeAfter:                "AFTER",
	HashedTextEquals:             "EQUALS",
	HashedTextNotEquals:          "NOT EQUALS",
	HashedTextStartsWithAnyOf:    "STARTS WITH ANY OF",
	HashedTextNotStartsWithAnyOf: "NOT STARTS WITH ANY OF",
	HashedTextEndsWithAnyOf:      "ENDS WITH ANY OF",
	HashedTextNotEndsWithAnyOf:   "NOT ENDS WITH ANY OF",
	HashedArrayContainsAnyOf:     "ARRAY CONTAINS ANY OF",
	HashedArrayNotContainsAnyOf:  "ARRAY NOT CONTAINS ANY OF",
	TextEquals:                   "EQUALS",
	TextNotEquals:                "NOT EQUALS",
	TextStartsWithAnyOf:          "STARTS WITH ANY OF",
	TextNotStartsWithAnyOf:       "NOT STARTS WITH ANY OF",
	TextEndsWithAnyOf:            "ENDS WITH ANY OF",
	TextNotEndsWithAnyOf:         "NOT ENDS WITH ANY OF",
	ArrayContainsAnyOf:           "ARRAY CONTAINS ANY OF",
	ArrayNotContainsAnyOf:        "ARRAY NOT CONTAINS ANY OF",
}

const invalidOperator = "<invalid operator>"

// String returns the operator as it appears in the evaluation log.
func (c Comparator) String() string {
	if c < 0 || c >= comparatorCount {
		return invalidOperator
	}
	return comparatorNames[c]
}

// comparand is the kind of comparison value that a comparator needs.
type comparand uint8

const (
	comparesNothing comparand = iota
	comparesText
	comparesList
	comparesNumber
)

func (c Comparator) comparand() comparand {
	switch c {
	case SemVerLess, SemVerLessOrEquals, SemVerGreater, SemVerGreaterOrEquals,
		TextEquals, TextNotEquals, HashedTextEquals, HashedTextNotEquals:
		return comparesText
	case NumberEquals, NumberNotEquals, NumberLess, NumberLessOrEquals, NumberGreater, NumberGreaterOrEquals,
		DateTimeBefore, DateTimeAfter:
		return comparesNumber
	case unknownComparator:
		return comparesNothing
	default:
		return comparesList
	}
}

// isHashed reports whether the comparison value is a hash or a list of hashes.
func (c Comparator) isHashed() bool {
	return c >= HashedTextIsOneOf && c <= HashedArrayNotContainsAnyOf && c != DateTimeBefore && c != DateTimeAfter
}

// isNegated reports whether a text or list comparator is negative (NOT …).
func (c Comparator) isNegated() bool {
	switch c {
	case TextIsNotOneOf, TextNotContainsAnyOf, SemVerIsNotOneOf, HashedTextIsNotOneOf, HashedTextNotEquals,
		HashedTextNotStartsWithAnyOf, HashedTextNotEndsWithAnyOf, HashedArrayNotContainsAnyOf, TextNotEquals,
		TextNotStartsWithAnyOf, TextNotEndsWithAnyOf, ArrayNotContainsAnyOf:
		return true
	default:
		return false
	}
}
