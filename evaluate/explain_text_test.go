package evaluate_test

import (
	"fmt"
	"strings"

	"github.com/catbridge/catbridge/evaluate"
)

// treeText renders a tree in the form of the evaluation log.
func treeText(tree *evaluate.Explanation, user any) string {
	w := treeWriter{depth: 1}
	w.add("Evaluating '", tree.Setting.Key, "'")
	if user != nil {
		w.add(" for User '", evaluate.UserJSON(user), "'")
	}
	w.setting(tree.Setting)
	w.depth = 1
	w.line("Returning '", tree.Value.String(), "'.")
	return w.String()
}

type treeWriter struct {
	strings.Builder
	depth int
}

func (w *treeWriter) add(parts ...string) { w.WriteString(strings.Join(parts, "")) }

func (w *treeWriter) line(parts ...string) {
	w.add("\n", strings.Repeat("  ", w.depth))
	w.add(parts...)
}

func valueText(v evaluate.Value) string {
	if v.Kind() == evaluate.KindNone {
		return "<invalid value>"
	}
	return v.String()
}

func (w *treeWriter) setting(s *evaluate.SettingTree) {
	if len(s.Rules) > 0 && s.Rules[0].Outcome != evaluate.OutcomeNone {
		w.line("Evaluating targeting rules and applying the first match if any:")
	}
	for _, rule := range s.Rules {
		if rule.Outcome == evaluate.OutcomeNone || rule.Malformed() {
			break
		}
		w.rule(rule)
	}
	if s.Options != nil {
		w.options(s.Options)
	}
}

func (w *treeWriter) rule(r *evaluate.RuleTree) {
	w.line("- ")
	onNewLine, then := w.conditions(r.Conditions, len(r.Conditions) > 1)
	if !then {
		return
	}
	w.depth++
	if onNewLine {
		w.line("THEN ")
	} else {
		w.add(" THEN ")
	}
	if r.Options != nil {
		w.add("% options => ")
	} else {
		w.add("'", valueText(r.Rule.Value()), "' => ")
	}
	switch r.Outcome {
	case evaluate.OutcomeFalse:
		w.add("no match")
	case evaluate.OutcomeUnknown:
		w.add("cannot evaluate, ", r.Why)
	default:
		w.add("MATCH, applying rule")
		if r.Options != nil {
			w.options(r.Options)
		}
	}
	if r.Outcome == evaluate.OutcomeUnknown || r.Options != nil && r.Options.Outcome == evaluate.OutcomeUnknown {
		w.line("The current targeting rule is ignored and the evaluation continues with the next rule.")
	}
	w.depth--
}

// conditions returns whether THEN is on its own line, and false if the evaluation ended before it.
func (w *treeWriter) conditions(conditions []*evaluate.ConditionTree, showResult bool) (onNewLine, then bool) {
	for i, c := range conditions {
		if c.Outcome == evaluate.OutcomeFailed && c.Kind == evaluate.OnNothing {
			return false, false
		}
		w.depth++
		if i == 0 {
			w.add("IF ")
		} else {
			w.line("AND ")
		}
		w.add(c.String())
		if !w.uses(c) {
			return false, false
		}
		if showResult {
			w.add(" => ", fmt.Sprint(c.Outcome == evaluate.OutcomeTrue))
			if c.Outcome != evaluate.OutcomeTrue {
				w.add(", skipping the remaining AND conditions")
			}
		}
		w.depth--
		switch c.Kind {
		case evaluate.OnUser:
			onNewLine = len(conditions) > 1
		case evaluate.OnPrerequisite:
			onNewLine = true
		default:
			onNewLine = c.Outcome != evaluate.OutcomeUnknown || c.Why != "User Object is missing" || len(conditions) > 1
		}
		if c.Outcome != evaluate.OutcomeTrue {
			break
		}
	}
	return onNewLine, true
}

// uses renders the evaluation of what a condition uses. It returns false if the evaluation ended
// there.
func (w *treeWriter) uses(c *evaluate.ConditionTree) bool {
	switch {
	case c.Segment != nil:
		w.line("(")
		w.depth++
		w.line("Evaluating segment '", c.Segment.Name, "':")
		if c.Segment.Malformed() {
			return false
		}
		w.line("- ")
		w.conditions(c.Segment.Conditions, true)
	case c.Prerequisite != nil:
		w.line("(")
		w.depth++
		w.line("Evaluating prerequisite flag '", c.Prerequisite.Key, "':")
		w.setting(c.Prerequisite)
	}
	if c.Outcome == evaluate.OutcomeFailed {
		return false
	}
	if c.Segment == nil && c.Prerequisite == nil {
		return true
	}
	if c.Segment != nil {
		w.line("Segment evaluation result: ", map[evaluate.Outcome]string{evaluate.OutcomeTrue: "User IS IN SEGMENT", evaluate.OutcomeFalse: "User IS NOT IN SEGMENT",
			evaluate.OutcomeUnknown: "cannot evaluate, " + c.Segment.Why}[c.Segment.Outcome], ".")
	} else {
		w.line("Prerequisite flag evaluation result: '", c.Prerequisite.Value.String(), "'.")
	}
	w.line("Condition (", c.String(), ")")
	if c.Outcome == evaluate.OutcomeUnknown {
		w.add(" failed to evaluate.")
	} else {
		w.add(" evaluates to ", string(c.Outcome), ".")
	}
	w.depth--
	w.line(")")
	return true
}

func (w *treeWriter) options(o *evaluate.OptionsTree) {
	switch {
	case o.Outcome == evaluate.OutcomeUnknown:
		why := o.Why
		if why == "User Object is missing" {
			why = "the " + why
		}
		w.line("Skipping % options because ", why, ".")
	case o.Bucket >= 0:
		w.line("Evaluating % options based on the User.", o.Attribute, " attribute:")
		w.line("- Computing hash in the [0..99] range from User.", o.Attribute, " => ", fmt.Sprint(o.Bucket), " (this value is sticky and consistent across all SDKs)")
	}
	if o.Selected >= 0 {
		selected := &o.Options[o.Selected]
		w.line("- Hash value ", fmt.Sprint(o.Bucket), " selects % option ", fmt.Sprint(o.Selected+1), " (", fmt.Sprint(selected.Percentage()), "%), '", valueText(selected.Value()), "'.")
	}
}
