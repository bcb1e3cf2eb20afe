package ui

import (
	"fmt"
	"strings"

	"github.com/catbridge/catbridge/evaluate"
)

// node is a part of an evaluation, or of a flag that is not evaluated, as pages show it.
type node struct {
	Mark  *mark // nil: nothing is evaluated
	Text  string
	Link  *link  // to the flag or the segment that Text names
	Why   string // an explanation
	Nodes []node
	// Closed nodes show their nodes only on request.
	Closed bool
}

// mark is an outcome in a word and a symbol.
type mark struct{ Class, Symbol, Word string }

var (
	markNone    = &mark{"muted", "–", "not evaluated"}
	markUnknown = &mark{"warn", "?", "cannot be evaluated"}
	markFailed  = &mark{"bad", "!", "failed"}
)

// markOf returns the mark of an outcome, with the words for true and for false.
func markOf(o evaluate.Outcome, yes, no string) *mark {
	switch o {
	case evaluate.OutcomeTrue:
		return &mark{"ok", "✓", yes}
	case evaluate.OutcomeFalse:
		return &mark{"info", "✗", no}
	case evaluate.OutcomeUnknown:
		return markUnknown
	case evaluate.OutcomeFailed:
		return markFailed
	default:
		return markNone
	}
}

// treeView makes nodes of trees.
type treeView struct {
	label     string
	evaluated bool // the tree is of an evaluation
}

// mark returns no mark if nothing is evaluated.
func (v *treeView) mark(o evaluate.Outcome, yes, no string) *mark {
	if !v.evaluated {
		return nil
	}
	return markOf(o, yes, no)
}

// setting returns the rules, the percentages and the default value of a setting.
func (v *treeView) setting(t *evaluate.SettingTree) []node {
	var nodes []node
	for i, rule := range t.Rules {
		nodes = append(nodes, v.rule(i+1, rule))
	}
	if t.Options != nil {
		n := v.options(t.Options)
		n.Text = "Percentages, " + n.Text
		nodes = append(nodes, n)
	}
	if t.Kind != evaluate.KindNone {
		otherwise := node{Text: "Otherwise " + valueText(t.Default, maxText)}
		if len(nodes) == 0 {
			otherwise.Text = "Serves " + valueText(t.Default, maxText) + " to all users"
		}
		if v.evaluated {
			otherwise.Mark = &mark{"muted", "–", "not reached"}
			if t.ServesDefault {
				otherwise.Mark = &mark{"ok", "✓", "served"}
			}
		}
		nodes = append(nodes, otherwise)
	}
	if t.Why != "" {
		nodes = append(nodes, node{Mark: markFailed, Text: "The evaluation ended here", Why: visible(t.Why, maxText)})
	}
	if t.Cut {
		nodes = append(nodes, node{Text: "… more than this page shows"})
	}
	return nodes
}

func (v *treeView) rule(number int, t *evaluate.RuleTree) node {
	n := node{Text: fmt.Sprintf("Rule %d", number), Mark: v.mark(t.Outcome, "applies", "does not apply"), Why: visible(t.Why, maxText)}
	switch {
	case t.Options != nil:
		n.Text += " serves percentages"
	case t.Rule.Value().Kind() != evaluate.KindNone:
		n.Text += " serves " + valueText(t.Rule.Value(), maxText)
	default:
		n.Text += ": " + visible(t.Rule.String(), maxText)
	}
	if len(t.Conditions) == 0 {
		n.Text += " to all users"
	}
	n.Nodes = v.conditions(t.Conditions)
	if t.Options != nil {
		options := v.options(t.Options)
		options.Text = "Percentages, " + options.Text
		n.Nodes = append(n.Nodes, options)
		if t.Outcome == evaluate.OutcomeTrue && !t.Serves && t.Options.Outcome == evaluate.OutcomeUnknown {
			n.Mark = &mark{"warn", "?", "ignored"}
			n.Why = "no percentage option can be selected, so the next rule is evaluated"
		}
	}
	n.Closed = v.evaluated && t.Outcome == evaluate.OutcomeNone
	return n
}

func (v *treeView) conditions(conditions []*evaluate.ConditionTree) []node {
	var nodes []node
	for i, c := range conditions {
		n := v.condition(c)
		if i > 0 {
			n.Text = "and " + n.Text
		}
		nodes = append(nodes, n)
	}
	return nodes
}

func (v *treeView) condition(t *evaluate.ConditionTree) node {
	n := node{Text: visible(t.String(), maxText), Mark: v.mark(t.Outcome, "true", "false"), Why: visible(t.Why, maxText)}
	switch {
	case t.Uses == "":
	case t.Kind == evaluate.OnSegment:
		n.Link = &link{"segment " + shown(t.Uses), pathOf("segments", v.label, t.Uses)}
	case t.Kind == evaluate.OnPrerequisite:
		n.Link = &link{"flag " + shown(t.Uses), pathOf("flags", v.label, t.Uses)}
	}
	switch {
	case t.Segment != nil:
		s := t.Segment
		inner := node{Text: "Segment " + shown(s.Name), Mark: v.mark(s.Outcome, "the user is in it", "the user is not in it")}
		inner.Nodes = v.conditions(s.Conditions)
		if s.Outcome == evaluate.OutcomeUnknown {
			n.Why = "" // one of its conditions has it
		} else {
			inner.Why = visible(s.Why, maxText)
		}
		if s.Cut {
			inner.Nodes = append(inner.Nodes, node{Text: "… more than this page shows"})
		}
		n.Nodes = []node{inner}
	case t.Prerequisite != nil:
		p := t.Prerequisite
		inner := node{Text: "Flag " + shown(p.Key), Mark: v.mark(p.Outcome, "", "")}
		if p.Outcome == evaluate.OutcomeTrue {
			inner.Mark = &mark{"info", "=", valueText(p.Value, maxShortValue)}
		}
		inner.Nodes = v.setting(p)
		n.Nodes = []node{inner}
	case t.Cut:
		n.Nodes = []node{{Text: "… the evaluation of the flag is deeper than this page shows"}}
	}
	return n
}

func (v *treeView) options(t *evaluate.OptionsTree) node {
	n := node{Text: "by User." + shown(t.Attribute), Why: visible(t.Why, maxText)}
	if t.Selected < 0 { // otherwise the option is marked
		n.Mark = v.mark(t.Outcome, "", "")
	}
	if t.Bucket >= 0 {
		n.Text += fmt.Sprintf(": the user's bucket is %d of 0 to 99", t.Bucket)
		if n.Why == "" {
			n.Why = "it is computed from this attribute and the key of the flag, so it stays the same"
		}
	}
	from := int64(0)
	for i := range t.Options {
		o := &t.Options[i]
		item := node{Text: visible(o.String(), maxText)}
		if share := o.Percentage(); share > 0 && from < 100 {
			item.Text += fmt.Sprintf(" (buckets %d to %d)", from, min(from+share, 100)-1)
			from = min(from+share, 100)
		}
		if v.evaluated {
			item.Mark = &mark{"muted", "–", "not selected"}
			if i == t.Selected {
				item.Mark = &mark{"ok", "✓", "selected"}
			}
		}
		n.Nodes = append(n.Nodes, item)
	}
	return n
}

// reason says in one sentence where a value comes from.
func reason(t *evaluate.Explanation) string {
	s := t.Setting
	if t.Err != nil {
		return "The evaluation failed: " + visible(t.Err.Error(), maxText)
	}
	selected := func(o *evaluate.OptionsTree) string {
		return fmt.Sprintf("percentage option %d (%d%%) is selected by bucket %d of User.%s", o.Selected+1, o.Options[o.Selected].Percentage(), o.Bucket, shown(o.Attribute))
	}
	for i, rule := range s.Rules {
		if !rule.Serves {
			continue
		}
		text := fmt.Sprintf("Rule %d applies", i+1)
		if rule.Options != nil && rule.Options.Selected >= 0 {
			text += ", and " + selected(rule.Options)
		}
		return text + "."
	}
	switch {
	case s.Options != nil && s.Options.Selected >= 0:
		text := selected(s.Options)
		return strings.ToUpper(text[:1]) + text[1:] + "."
	case s.ServesDefault && len(s.Rules) == 0 && s.Options == nil:
		return "All users get the same value."
	case s.ServesDefault:
		return "No rule applies, so the default value is served."
	default:
		return "It comes from a part that this page does not show."
	}
}
