// Package answers compares and prints the values of flags for a user.
package answers

import (
	"slices"
	"strconv"

	"github.com/catbridge/catbridge/evaluate"
)

// Set maps each flag's key to its value for one user: a bool, string, int or float64, or nil
// if the evaluation failed.
type Set map[string]any

// Of evaluates all flags of a config.
func Of(config *evaluate.Config, user any) Set {
	values, _ := config.AllValues(user, nil)
	return values
}

// Change is a flag whose value differs.
type Change struct {
	Key      string
	From, To any
	Added    bool // the flag is new: From has no meaning
	Removed  bool // the flag was removed: To has no meaning
}

// Diff returns the flags whose values differ: those of after in the order of keys, then the
// removed ones, sorted.
func Diff(before, after Set, keys []string) []Change {
	var changes []Change
	for _, key := range keys {
		to, now := after[key]
		from, was := before[key]
		if now && (!was || from != to) {
			changes = append(changes, Change{Key: key, From: from, To: to, Added: !was})
		}
	}
	var gone []string
	for key := range before {
		if _, now := after[key]; !now {
			gone = append(gone, key)
		}
	}
	slices.Sort(gone)
	for _, key := range gone {
		changes = append(changes, Change{Key: key, From: before[key], Removed: true})
	}
	return changes
}

// String returns the change in the form "flag: from → to".
func (c Change) String() string {
	switch {
	case c.Added:
		return c.Key + ": new, " + Text(c.To)
	case c.Removed:
		return c.Key + ": " + Text(c.From) + " → removed"
	}
	return c.Key + ": " + Text(c.From) + " → " + Text(c.To)
}

// Text formats a value on one line. Strings are quoted, which keeps control characters in a
// config from reaching a terminal.
func Text(value any) string {
	switch value := value.(type) {
	case nil:
		return "(fails)"
	case bool:
		return strconv.FormatBool(value)
	case int:
		return strconv.Itoa(value)
	case float64:
		return strconv.FormatFloat(value, 'g', -1, 64)
	case string:
		return strconv.Quote(value)
	}
	return "?"
}
