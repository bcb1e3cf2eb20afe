package evaluate

// comparator is the comparison operator of a user condition, numbered as in
// config JSON v6 (S35).
type comparator int32

// The comparators of user conditions.
const (
	textIsOneOf comparator = iota
	textIsNotOneOf
	textContainsAnyOf
	textNotContainsAnyOf
	semVerIsOneOf
	semVerIsNotOneOf
	semVerLess
	semVerLessOrEquals
	semVerGreater
	semVerGreaterOrEquals
	numberEquals
	numberNotEquals
	numberLess
	numberLessOrEquals
	numberGreater
	numberGreaterOrEquals
	hashedTextIsOneOf
	hashedTextIsNotOneOf
	dateTimeBefore
	dateTimeAfter
	hashedTextEquals
	hashedTextNotEquals
	hashedTextStartsWithAnyOf
	hashedTextNotStartsWithAnyOf
	hashedTextEndsWithAnyOf
	hashedTextNotEndsWithAnyOf
	hashedArrayContainsAnyOf
	hashedArrayNotContainsAnyOf
	textEquals
	textNotEquals
	textStartsWithAnyOf
	textNotStartsWithAnyOf
	textEndsWithAnyOf
	textNotEndsWithAnyOf
	arrayContainsAnyOf
	arrayNotContainsAnyOf

	comparatorCount
	// unknownComparator replaces any other number.
	unknownComparator comparator = -1
)

var comparatorNames = [comparatorCount]string{
	textIsOneOf:                  "IS ONE OF",
	textIsNotOneOf:               "IS NOT ONE OF",
	textContainsAnyOf:            "CONTAINS ANY OF",
	textNotContainsAnyOf:         "NOT CONTAINS ANY OF",
	semVerIsOneOf:                "IS ONE OF",
	semVerIsNotOneOf:             "IS NOT ONE OF",
	semVerLess:                   "<",
	semVerLessOrEquals:           "<=",
	semVerGreater:                ">",
	semVerGreaterOrEquals:        ">=",
	numberEquals:                 "=",
	numberNotEquals:              "!=",
	numberLess:                   "<",
	numberLessOrEquals:           "<=",
	numberGreater:                ">",
	numberGreaterOrEquals:        ">=",
	hashedTextIsOneOf:            "IS ONE OF",
	hashedTextIsNotOneOf:         "IS NOT ONE OF",
	dateTimeBefore:               "BEFORE",
	dateTimeAfter:                "AFTER",
	hashedTextEquals:             "EQUALS",
	hashedTextNotEquals:          "NOT EQUALS",
	hashedTextStartsWithAnyOf:    "STARTS WITH ANY OF",
	hashedTextNotStartsWithAnyOf: "NOT STARTS WITH ANY OF",
	hashedTextEndsWithAnyOf:      "ENDS WITH ANY OF",
	hashedTextNotEndsWithAnyOf:   "NOT ENDS WITH ANY OF",
	hashedArrayContainsAnyOf:     "ARRAY CONTAINS ANY OF",
	hashedArrayNotContainsAnyOf:  "ARRAY NOT CONTAINS ANY OF",
	textEquals:                   "EQUALS",
	textNotEquals:                "NOT EQUALS",
	textStartsWithAnyOf:          "STARTS WITH ANY OF",
	textNotStartsWithAnyOf:       "NOT STARTS WITH ANY OF",
	textEndsWithAnyOf:            "ENDS WITH ANY OF",
	textNotEndsWithAnyOf:         "NOT ENDS WITH ANY OF",
	arrayContainsAnyOf:           "ARRAY CONTAINS ANY OF",
	arrayNotContainsAnyOf:        "ARRAY NOT CONTAINS ANY OF",
}

const invalidOperator = "<invalid operator>"

// String returns the operator as it appears in the evaluation log.
func (c comparator) String() string {
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

func (c comparator) comparand() comparand {
	switch c {
	case semVerLess, semVerLessOrEquals, semVerGreater, semVerGreaterOrEquals,
		textEquals, textNotEquals, hashedTextEquals, hashedTextNotEquals:
		return comparesText
	case numberEquals, numberNotEquals, numberLess, numberLessOrEquals, numberGreater, numberGreaterOrEquals,
		dateTimeBefore, dateTimeAfter:
		return comparesNumber
	case unknownComparator:
		return comparesNothing
	default:
		return comparesList
	}
}

// isHashed reports whether the comparison value is a hash or a list of hashes.
func (c comparator) isHashed() bool {
	return c >= hashedTextIsOneOf && c <= hashedArrayNotContainsAnyOf && c != dateTimeBefore && c != dateTimeAfter
}

// isNegated reports whether a text or list comparator is negative (NOT …).
func (c comparator) isNegated() bool {
	switch c {
	case textIsNotOneOf, textNotContainsAnyOf, semVerIsNotOneOf, hashedTextIsNotOneOf, hashedTextNotEquals,
		hashedTextNotStartsWithAnyOf, hashedTextNotEndsWithAnyOf, hashedArrayNotContainsAnyOf, textNotEquals,
		textNotStartsWithAnyOf, textNotEndsWithAnyOf, arrayNotContainsAnyOf:
		return true
	default:
		return false
	}
}
