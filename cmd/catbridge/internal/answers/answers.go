// Package answers compares and prints what a config answers for a user.
package answers

import (
	"slices"
	"strconv"

	"github.com/catbridge/catbridge/evaluate"
)

// Set is what a config answers for one user: flag by flag a bool, string, int or
// float64; nil where the evaluation failed.
type Set map[string]any

// Of evaluates all flags of a config.
func Of(config *evaluate.Config, user any) Set {
	values, _ := config.AllValues(user, nil)
	return values
}

// Change is a flag whose answer differs.
type Change struct {
	Key      string
	From, To any
	Added    bool // there was no such flag before: From means nothing
	Removed  bool // there is no such flag now: To means nothing
}

// Diff lists the flags whose answers differ: those of after in the order of keys, then
// those that are gone, sorted.
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

// String is the change as in "flag: from → to".
func (c Change) String() string {
	switch {
	case c.Added:
		return c.Key + ": new, " + Text(c.To)
	case c.Removed:
		return c.Key + ": " + Text(c.From) + " → gone"
	}
	return c.Key + ": " + Text(c.From) + " → " + Text(c.To)
}

// Text prints an answer on one line. Texts are quoted, so that what a config says cannot
// lead a terminal astray.
func Text(answer any) string {
	switch answer := answer.(type) {
	case nil:
		return "(fails)"
	case bool:
		return strconv.FormatBool(answer)
	case int:
		return strconv.Itoa(answer)
	case float64:
		return strconv.FormatFloat(answer, 'g', -1, 64)
	case string:
		return strconv.Quote(answer)
	}
	return "?"
}
