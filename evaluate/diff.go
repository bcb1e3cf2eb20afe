package evaluate

import (
	"cmp"
	"slices"
	"strings"
)

// Change is how a flag or a segment differs between two configs. See [Diff].
type Change struct {
	// Flag is the key of the flag. It is empty for a segment.
	Flag string `json:"flag,omitempty"`
	// Segment is the name of the segment. It is empty for a flag.
	Segment string `json:"segment,omitempty"`
	// Kind is ChangeAffected if the flag's own JSON is the same and only what it uses differs.
	Kind ChangeKind `json:"kind"`
	// Details has at least one element.
	Details []Detail `json:"details"`
}

// Detail is one difference in a flag or a segment.
type Detail struct {
	// Part is what differs: "flag", "type", "rule", "percentages", "attribute" (whose value selects
	// the percentage option), "value" (the default value) or "variation" (its ID); "prerequisite",
	// "segment" or "salt" for what the flag uses; and "condition" in a segment.
	Part string `json:"part"`
	// Kind says how it differs.
	Kind ChangeKind `json:"kind"`
	// Number is the number of the rule or of the segment's condition, or 0. The first one has
	// number 1. It counts in the later config, or in the earlier one for what was removed.
	Number int `json:"number,omitempty"`
	// Text describes the difference on one line of printable characters. Long names and values
	// are cut.
	Text string `json:"text"`

	uses string
}

// Uses returns the key of the prerequisite, or the name of the segment, that affects the flag. It is empty if Part
// is neither "prerequisite" nor "segment", or for a Detail that was made of JSON: names may be long, so a
// JSON that repeated them could be huge.
func (d Detail) Uses() string { return d.uses }

// ChangeKind is the kind of a difference.
type ChangeKind string

// The kinds of differences.
const (
	ChangeAdded    ChangeKind = "added"
	ChangeRemoved  ChangeKind = "removed"
	ChangeEdited   ChangeKind = "changed"
	ChangeMoved    ChangeKind = "moved"    // a rule has another place among the other rules
	ChangeAffected ChangeKind = "affected" // a prerequisite, a segment or the salt that a flag uses changed
)

// Diff returns the differences between two configs: those of segments, sorted by name, and then
// those of flags, sorted by key. Either config may be nil, which has no flags.
//
// The result is empty exactly if the configs are alike: they have the same keys, and each flag has
// the same parts in both. Evaluations of alike configs return the same values, variation IDs,
// rules, options and errors, and log the same events. A part that no user reaches, such as a rule
// below one that matches every user, is still a part of its flag. The result does not show:
//   - the spelling of the JSON: white space, escapes, the forms of numbers, the order of members
//     and of flags, unknown members, and members that have no effect, such as empty lists
//   - a segment that no flag uses, and the order of the segments
//   - the salt, except for flags with conditions on hashed values, of their own or in a segment
//   - the attribute for percentage options of a flag that has none
//   - the order of hashed values, which the evaluation log does not show either
//
// A flag whose own parts are the same is affected by a changed segment or salt that it uses, and by
// a prerequisite that differs or is affected itself. The flags of the result are those that
// [Config.ChangedKeys] returns.
//
// The time is proportional to the size of the configs, except for sorting, and the result is not
// larger than a small multiple of their size. It shares memory with the configs.
func Diff(from, to *Config) []Change {
	c := compare(from, to)
	if len(c.kinds) == 0 {
		return nil
	}
	flags := make([]Change, 0, len(c.kinds))
	for key, kind := range c.kinds {
		change := Change{Flag: key, Kind: kind}
		switch a, b := from.lookup(key), to.lookup(key); {
		case a == nil:
			change.Details = []Detail{{Part: "flag", Kind: kind, Text: "added: " + b.summary()}}
		case b == nil:
			change.Details = []Detail{{Part: "flag", Kind: kind, Text: "removed (was " + a.summary() + ")"}}
		default:
			change.Details = c.details(a, b)
			change.Kind = kindOf(change.Details)
		}
		flags = append(flags, change)
	}
	slices.SortFunc(flags, func(a, b Change) int { return strings.Compare(a.Flag, b.Flag) })
	return append(c.segmentChanges(), flags...)
}

// kindOf returns the kind of a change of a flag that is in both configs.
func kindOf(details []Detail) ChangeKind {
	for i := range details {
		if details[i].Kind != ChangeAffected {
			return ChangeEdited
		}
	}
	return ChangeAffected
}

// String returns the change in words, one line for each detail, without a final line feed. All
// characters are printable.
func (c Change) String() string {
	name := wordsName(c.Flag)
	if c.Segment != "" {
		name = "segment " + wordsQuoted(c.Segment)
	}
	lines := make([]string, len(c.Details))
	for i := range c.Details {
		lines[i] = name + ": " + c.Details[i].Text
	}
	return strings.Join(lines, "\n")
}

// segmentChanges returns the changes of the segments that details found.
func (c *comparison) segmentChanges() []Change {
	var changes []Change
	for name, pair := range c.segmentPairs {
		if name == "" {
			continue // broken: each flag that uses it reports it
		}
		if details := c.segmentDetails(pair[0], pair[1]); len(details) > 0 {
			changes = append(changes, Change{Segment: name, Kind: ChangeEdited, Details: details})
		}
	}
	slices.SortFunc(changes, func(a, b Change) int { return cmp.Compare(a.Segment, b.Segment) })
	return changes
}
