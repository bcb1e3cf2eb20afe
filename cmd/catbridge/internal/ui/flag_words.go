package ui

import (
	"strconv"
	"strings"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/answers"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/terminal"
	"github.com/catbridge/catbridge/evaluate"
)

// Limits of what pages show of a config, in characters.
const (
	maxShortValue = 80   // in a table
	maxName       = 200  // of a flag, a segment or an attribute
	maxText       = 2000 // of a condition, a value or a reason
)

// visible returns a text of at most limit characters, with escapes for those that cannot be seen, such
// as those that change the direction of text.
func visible(text string, limit int) string {
	n := 0
	for i := range text {
		if n == limit {
			return terminal.Clean(text[:i]) + "…"
		}
		n++
	}
	return terminal.Clean(text)
}

// shown returns the name of a flag, a segment or an attribute as pages show it.
func shown(name string) string {
	switch {
	case name == "":
		return "(empty)"
	case strings.TrimSpace(name) == "":
		return strconv.Quote(name) // so that a link has a text
	}
	return visible(name, maxName)
}

var kindNames = map[evaluate.Kind]string{
	evaluate.KindBool: "Boolean", evaluate.KindString: "String", evaluate.KindInt: "Int", evaluate.KindFloat: "Double",
}

func kindName(k evaluate.Kind) string {
	if name, ok := kindNames[k]; ok {
		return name
	}
	return "no type"
}

// valueText returns a value of a config.
func valueText(v evaluate.Value, limit int) string {
	if v.Kind() == evaluate.KindNone {
		return "invalid value"
	}
	return visible(answers.Text(v.Any()), limit)
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

// shownRules is how many rules the table of the flags shows.
const shownRules = 2

// summaryOf returns the rules, percentages and the default value of a flag in a few lines.
func summaryOf(t *evaluate.SettingTree) []string {
	var lines []string
	for i, rule := range t.Rules {
		if i == shownRules {
			lines = append(lines, count(len(t.Rules)-shownRules, "more rule"))
			break
		}
		lines = append(lines, visible(rule.Rule.String(), 2*maxName))
	}
	if t.Options != nil {
		lines = append(lines, "percentages: "+visible(optionsText(t.Options), maxName))
	}
	switch {
	case t.Kind == evaluate.KindNone:
	case len(lines) == 0:
		lines = append(lines, "serves "+valueText(t.Default, maxShortValue)+" to all users")
	default:
		lines = append(lines, "otherwise "+valueText(t.Default, maxShortValue))
	}
	return lines
}

// shownOptions is how many percentage options a line shows.
const shownOptions = 4

func optionsText(t *evaluate.OptionsTree) string {
	var parts []string
	for i := range t.Options {
		if i == shownOptions {
			parts = append(parts, strconv.Itoa(len(t.Options)-shownOptions)+" more")
			break
		}
		parts = append(parts, t.Options[i].String())
	}
	return strings.Join(parts, ", ")
}
