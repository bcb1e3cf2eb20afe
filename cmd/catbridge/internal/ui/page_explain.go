package ui

import (
	"cmp"
	"fmt"
	"log/slog"
	"net/http"
	"strings"

	"github.com/catbridge/catbridge/evaluate"
)

// result is how a config evaluates a flag for a user.
type result struct {
	Config string // which one it is
	Fault  string // why there is no result; empty: there is one

	Value, Variation string
	Failed           bool
	Reason           string
	Tree             []node
	Cut              bool
	Missing          bool // the user lacks attributes that the evaluation needed
	Warnings         []string
	MoreWarnings     int
	Log              string
	LogCut           bool

	value evaluate.Value
}

const (
	shownWarnings = 50
	// maxLogBytes bounds the evaluation log on a page.
	maxLogBytes = 256 << 10
)

// explainPage answers the form of the page of a flag. Nothing of the user may leave it but the page.
func (u *UI) explainPage(r *request) (*page, error) {
	if err := r.ParseForm(); err != nil {
		return nil, badRequestf("The form is incomplete, or too large.")
	}
	form := readExplainForm(r.PostForm)
	p, d, err := u.aboutFlag(r, form.Key)
	if err != nil {
		return nil, err
	}
	p.still = true
	if d.Waiting != "" {
		return p, nil
	}
	d.Form, d.Answer = form, true
	if r.PostForm.Get("more") != "" {
		u.fillForm(r, d)
		d.Form.addRows(spareRows)
		d.Form.wantsRows = true
		return p, nil
	}
	user, ok := form.user()
	if ok {
		d.For = "for the user below"
		if user == nil {
			d.For = "without a user"
		}
		u.explain(r, d, user)
	}
	if len(d.Results) > 0 {
		p.title = "Result: " + p.title
		d.Heading = heading(d)
	}
	if len(form.Faults) > 0 {
		p.status = http.StatusUnprocessableEntity
	}
	u.fillForm(r, d)
	return p, nil
}

// explain evaluates the flag in the chosen configs.
func (u *UI) explain(r *request, d *flagData, user any) {
	form := d.Form
	for _, choice := range []struct{ field, reference string }{{"at", form.At}, {"versus", form.Versus}} {
		if choice.field == "versus" && choice.reference == "" {
			continue
		}
		config, name, err := u.configAt(r, choice.reference)
		if err != nil {
			form.fault(choice.field, "%v.", err)
			continue
		}
		d.Results = append(d.Results, explained(r.view.Label, config, name, form.Key, user))
	}
	if len(d.Results) == 2 {
		d.Agree = agreement(d.Results[0], d.Results[1])
	}
}

// heading returns the heading of the results, which has the focus: it is what is read out first.
func heading(d *flagData) string {
	text := "Result " + d.For
	if len(d.Results) > 1 {
		return text
	}
	switch r := d.Results[0]; {
	case r.Fault != "":
		return text
	case r.Failed:
		return text + ": the evaluation failed"
	default:
		return text + ": " + visible(r.Value, maxShortValue)
	}
}

func agreement(a, b *result) string {
	switch {
	case a.Fault != "" || b.Fault != "" || a.Failed || b.Failed:
		return ""
	case a.value != b.value:
		return "The configs serve different values."
	case a.Variation != b.Variation || a.Reason != b.Reason:
		return "The configs serve the same value, for another reason."
	default:
		return "The configs serve the same value, for the same reason."
	}
}

// explained evaluates a flag twice: the log of a large tree may be much larger than the tree.
func explained(label string, config *evaluate.Config, name, key string, user any) *result {
	out := &result{Config: name}
	trace := evaluate.Trace{Explain: true}
	got := config.Evaluate(key, user, evaluate.Value{}, &trace)
	tree := trace.Explanation()
	if tree == nil {
		out.Fault = "This config does not have the flag."
		return out
	}
	out.value, out.Value, out.Failed = got.Value, valueText(got.Value, maxText), got.Err != nil
	out.Variation = visible(got.VariationID, maxName)
	out.Reason, out.Cut = reason(tree), tree.Cut
	out.Tree = (&treeView{label: label, evaluated: true}).setting(tree.Setting)
	for _, event := range trace.Events() {
		if event.ID.Level() != slog.LevelWarn {
			continue
		}
		out.Missing = out.Missing || event.ID == evaluate.EventAttributeMissing
		if len(out.Warnings) == shownWarnings {
			out.MoreWarnings++
			continue
		}
		out.Warnings = append(out.Warnings, fmt.Sprintf("[%d] %s", event.ID, visible(event.Message, maxText)))
	}
	if out.LogCut = tree.Cut; !tree.Cut {
		out.Log, out.LogCut = evaluationLog(config, key, user)
	}
	return out
}

// evaluationLog returns the evaluation log as the follower writes it. cut reports whether it is not
// complete.
func evaluationLog(config *evaluate.Config, key string, user any) (text string, cut bool) {
	trace := evaluate.Trace{Log: true}
	config.Evaluate(key, user, evaluate.Value{}, &trace)
	var b strings.Builder
	for _, event := range trace.Events() {
		if event.ID != evaluate.EventEvaluated {
			continue
		}
		start := 0
		for _, end := range append(trace.LineBreaks(), len(event.Message)) {
			line := visible(event.Message[start:end], maxLogBytes)
			if b.Len()+len(line) > maxLogBytes {
				return b.String(), true
			}
			b.WriteString(line + "\n")
			start = min(end+1, len(event.Message))
		}
	}
	return b.String(), false
}

// configAt returns the config that a reference means, and its name. The empty reference means the one
// in force in this process.
func (u *UI) configAt(r *request, reference string) (*evaluate.Config, string, error) {
	if reference == "" {
		return r.view.Config, cmp.Or(revName(r.view.Rev), "in force"), nil
	}
	return u.past.config(r, reference)
}

func revName(rev int64) string {
	if rev == 0 {
		return ""
	}
	return fmt.Sprintf("rev %d, in force", rev)
}
