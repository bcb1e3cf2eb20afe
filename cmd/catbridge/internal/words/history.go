package words

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/history"
	"github.com/catbridge/catbridge/internal/wire"
)

// ShortHash returns the digits of a hash that are shown.
func ShortHash(hash string) string { return hash[:min(len(hash), 8)] }

// Leader returns who a leader is: its host, or its ID if that names no host.
func Leader(id string) string {
	if host := wire.LeaderHost(id); host != "" {
		return host
	}
	return id
}

// Version returns the time, the start of the hash and the rev of a config. A zero time means that the
// history does not have it.
func Version(rev int64, hash string, at time.Time) string {
	when := "in force, not recorded"
	if !at.IsZero() {
		when = at.Format(time.RFC3339)
	}
	return fmt.Sprintf("%s  %s  rev %d", when, ShortHash(hash), rev)
}

var gaps = map[history.Gap]string{
	history.Unrecorded: "is not in the history: a change could not be recorded, or Redis lost what was in force",
	history.Unknown:    "is unknown: the leader did not hold it when it took over",
	history.TooLarge:   "did not fit into the history",
	history.Corrupt:    "cannot be made: the history's entry is corrupt",
}

// Gap says why a config is not available, after "the config before". It returns an empty string if
// there is no gap.
func Gap(g history.Gap) string { return gaps[g] }

// causes are in the order in which Causes lists them.
var causes = []struct {
	cause history.Cause
	means string
}{
	{history.First, "there was no config before"},
	{history.Poll, "the leader asked the CDN, by its interval or at the start of its term"},
	{history.Webhook, "ConfigCat's webhook told the leader to ask the CDN"},
	{history.Refresh, "catbridge refresh or a program told the leader to ask the CDN"},
	{history.SDK, "the leader took it over from an official SDK while the CDN did not answer"},
	{history.Repair, "Redis had lost it, or kept only part of it, and the leader wrote it again"},
	{history.Pin, "an operator pinned it"},
	{history.Force, "an operator forced a flag"},
	{history.Withdrawn, "an operator ended a pin or a force"},
	{history.Expired, "a pin or a force ended at its time"},
}

// Cause says what a cause means. It returns an empty string for one of a later version.
func Cause(cause history.Cause) string {
	for _, c := range causes {
		if c.cause == cause {
			return c.means
		}
	}
	return ""
}

// Causes lists all causes and what they mean, a line for each.
func Causes() string {
	var list strings.Builder
	for _, c := range causes {
		list.WriteString(fmt.Sprintf("  %-10s %s\n", c.cause, c.means))
	}
	return list.String()
}

// NoDifference stands for the changes between two configs that differ in nothing that an evaluation
// shows.
const NoDifference = "no flag evaluates differently"

// Subject is the flag or the segment of a change, and what affects it.
type Subject struct {
	Flag, Segment           string
	Prerequisites, Segments []string // that changed, or are affected themselves
}

// SubjectOf returns the subject of a change. It shares memory with the configs.
func SubjectOf(c *evaluate.Change) Subject {
	s := Subject{Flag: c.Flag, Segment: c.Segment}
	for _, d := range c.Details {
		switch d.Part {
		case "segment":
			s.Segments = append(s.Segments, d.Uses())
		case "prerequisite":
			s.Prerequisites = append(s.Prerequisites, d.Uses())
		}
	}
	return s
}

// Concerns returns, for each of all changes between two configs, whether it is one of a flag, of the
// segments that it uses, or of its prerequisites of any depth. The flags must be sorted, after the segments.
func Concerns(flag string, all []Subject) []bool {
	flags, segments := map[string]bool{flag: true}, map[string]bool{}
	for next := []string{flag}; len(next) > 0; {
		key := next[0]
		next = next[1:]
		i, found := slices.BinarySearchFunc(all, key, func(s Subject, key string) int { return strings.Compare(s.Flag, key) })
		if !found {
			continue
		}
		for _, name := range all[i].Segments {
			segments[name] = true
		}
		for _, key := range all[i].Prerequisites {
			if !flags[key] {
				flags[key] = true
				next = append(next, key)
			}
		}
	}
	concerns := make([]bool, len(all))
	for i, s := range all {
		concerns[i] = s.Segment == "" && flags[s.Flag] || s.Segment != "" && segments[s.Segment]
	}
	return concerns
}
