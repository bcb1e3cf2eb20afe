package ui

import (
	"slices"
	"strconv"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/observe"
	"github.com/catbridge/catbridge/evaluate"
)

// flagData is the data of flag.html: of a flag or a segment, and of the answer to the form.
type flagData struct {
	Waiting string // why there is nothing to show; empty: there is a config
	Segment bool   // it is a segment, not a flag
	Name    string
	Back    string // path of the list of the flags
	Gone    string // why the config in force does not have it; empty: it does
	Notice  string // that the config is pinned; empty: it is not

	Type, Value, Broken string
	Forced              *forced
	Change              *flagChange
	NoChange            string // in place of Change
	History             string // path of the history of the flag
	UsedBy              []link
	MoreUsers           int
	Rules               []node
	Cut                 bool

	Form     *explainForm // nil: it is a segment
	Action   string       // path to which the form is sent
	Versions []choice     // for the form
	Others   []choice
	Older    bool      // the history has older configs
	NoPast   string    // why the history could not be read; empty: it could
	Answer   bool      // the page answers the form
	Results  []*result // of the form, one for each config
	Agree    string    // how the results compare
	For      string    // for whom the results are
	Heading  string    // of the results
}

// shownUsers is how many flags a page shows that use a flag or a segment.
const shownUsers = 50

func (u *UI) flagPage(r *request) (*page, error) {
	key := r.key("key")
	p, d, err := u.aboutFlag(r, key)
	if err != nil {
		return nil, err
	}
	if d.Waiting == "" {
		d.Form = &explainForm{Key: key, By: "fields", At: r.URL.Query().Get("at"), Versus: r.URL.Query().Get("versus")}
		u.fillForm(r, d)
	}
	return p, nil
}

// aboutFlag returns the page of a flag without the form. A flag that the config in force lacks may be
// in the history.
func (u *UI) aboutFlag(r *request, key string) (*page, *flagData, error) {
	d := &flagData{Waiting: waiting(r.view), Name: shown(key), Back: pathOf("flags", r.view.Label), Action: pathOf("explain", r.view.Label)}
	p := &page{title: d.Name + " · " + shown(r.view.Label), nav: "flags", template: "flag.html", data: d}
	if d.Waiting != "" {
		return p, d, nil
	}
	d.Notice, d.Change, d.History = pinNotice(r.view), changeOf(r.view, key), pathOf("history", r.view.Label)+"?"+query("flag", key)
	d.NoChange = noChange(r.view)
	x := u.indexes.of(r.view)
	flag := x.find(key)
	if flag == nil {
		if d.Change == nil {
			return nil, nil, notFoundf("The config in force has no flag %s.", visible(strconv.Quote(key), maxName))
		}
		d.Gone = "The config in force does not have this flag any more. It can be evaluated in configs of the history."
		return p, d, nil
	}
	tree := x.config.Describe(key)
	d.Type, d.Value, d.Forced = kindName(flag.kind), flag.value, forcesOf(r.view)[key]
	if flag.broken != nil {
		d.Broken = visible(flag.broken.Error(), maxText)
	}
	d.users(flagLinks(r.view.Label, x.dependent[key]))
	d.Rules, d.Cut = (&treeView{label: r.view.Label}).setting(tree), tree.Cut
	return p, d, nil
}

func (d *flagData) users(links []link) {
	d.UsedBy = links
	if d.MoreUsers = len(links) - shownUsers; d.MoreUsers > 0 {
		d.UsedBy = links[:shownUsers]
	}
}

// noChange says what it means that no change of a flag is known.
func noChange(view *observe.View) string {
	switch {
	case view.Complete:
		return "none: it is as it was first"
	case view.Changed == nil:
		return "unknown"
	default:
		return "not within the history"
	}
}

func (u *UI) segmentPage(r *request) (*page, error) {
	name := r.key("name")
	d := &flagData{Waiting: waiting(r.view), Segment: true, Name: shown(name), Back: pathOf("flags", r.view.Label)}
	p := &page{title: "Segment " + d.Name + " · " + shown(r.view.Label), nav: "flags", template: "flag.html", data: d}
	if d.Waiting != "" {
		return p, nil
	}
	x := u.indexes.of(r.view)
	segments := x.segments[name]
	if len(segments) == 0 || name == "" {
		return nil, notFoundf("The config in force has no segment %s.", visible(strconv.Quote(name), maxName))
	}
	d.users(flagLinks(r.view.Label, x.usersOf[name]))
	view := &treeView{label: r.view.Label}
	for _, s := range segments {
		if s.Err != nil && d.Broken == "" {
			d.Broken = visible(s.Err.Error(), maxText)
		}
		conditions := view.conditions(s.Conditions)
		if len(s.Conditions) == 0 && s.Err == nil {
			conditions = []node{{Text: "No conditions: every user is in the segment."}}
		}
		d.Rules, d.Cut = append(d.Rules, conditions...), d.Cut || s.Cut
	}
	return p, nil
}

// maxSuggested is for how many attributes the form has rows at first.
const maxSuggested = 10

// fillForm completes the form of a page.
func (u *UI) fillForm(r *request, d *flagData) {
	if r.view.Config != nil {
		d.Form.suggest(u.indexes.of(r.view).attributes(d.Form.Key))
	}
	d.Versions, d.Others = versionChoices(r.view, d.Form.At, "in force"), versionChoices(r.view, d.Form.Versus, "none")
	d.Older, d.NoPast = r.view.Older, r.view.HistoryErr
}

// versionChoices returns the configs of the history for a form. first is the text of the empty choice.
func versionChoices(view *observe.View, chosen, first string) []choice {
	choices := []choice{{Value: "", Text: first}}
	for _, v := range view.History {
		text := "rev " + strconv.FormatInt(v.Rev, 10)
		if v.Recorded() {
			text = v.Time.UTC().Format(humanTime) + ", " + string(v.Cause) + ", " + text
		}
		choices = append(choices, choice{Value: strconv.FormatInt(v.Rev, 10), Text: visible(text, maxName)})
	}
	if !slices.ContainsFunc(choices, func(c choice) bool { return c.Value == chosen }) {
		choices = append(choices, choice{Value: chosen, Text: visible(chosen, maxName)})
	}
	return selected(choices, chosen)
}

// attributes returns the names of attributes other than the identifier that the evaluation of a flag may need: of
// its rules, its segments and its prerequisites.
func (x *flagIndex) attributes(key string) []string {
	var names []string
	seen := map[string]bool{"": true, "Identifier": true}
	add := func(name string) {
		if !seen[name] && len(names) < maxSuggested {
			seen[name] = true
			names = append(names, name)
		}
	}
	flags := map[string]bool{key: true}
	for next := []string{key}; len(next) > 0 && len(names) < maxSuggested; next = next[1:] {
		tree := x.config.Describe(next[0])
		if tree == nil {
			continue
		}
		options := func(o *evaluate.OptionsTree) {
			if o != nil {
				add(o.Attribute)
			}
		}
		for _, rule := range tree.Rules {
			for _, c := range rule.Conditions {
				switch {
				case c.Kind == evaluate.OnUser:
					add(c.Uses)
				case c.Kind == evaluate.OnSegment:
					for _, s := range x.segments[c.Uses] {
						for _, inner := range s.Conditions {
							add(inner.Uses)
						}
					}
				case c.Kind == evaluate.OnPrerequisite && !flags[c.Uses] && len(flags) < maxRows:
					flags[c.Uses] = true
					next = append(next, c.Uses)
				}
			}
			options(rule.Options)
		}
		options(tree.Options)
	}
	return names
}
