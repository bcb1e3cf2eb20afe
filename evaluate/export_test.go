package evaluate

import "encoding/hex"

// Internals that the conformance tables pin down.

func SaltedHashHex(text, salt string) string {
	sum := saltedHash(text, salt)
	return hex.EncodeToString(sum[:])
}

var (
	Bucket       = bucket
	ParseNumber  = parseNumber
	ParseVersion = parseVersion
)

const (
	MaxPrerequisiteDepth  = maxPrerequisiteDepth
	MaxPrerequisiteVisits = maxPrerequisiteVisits
)

// UserJSON is the user as the evaluation log shows it.
func UserJSON(given any) string {
	var u user
	u.resolve(given)
	return string(u.appendJSON(nil))
}

// UserAttribute is a user's attribute as text; false if it is not set.
func UserAttribute(given any, name string) (string, bool) {
	var u user
	u.resolve(given)
	var a attribute
	named := nameAttribute(name)
	err := u.read(&named, &a)
	return a.asText(), err == nil && a.kind != attributeMissing
}
