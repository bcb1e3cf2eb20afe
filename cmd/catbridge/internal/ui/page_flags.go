package ui

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/answers"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/observe"
	"github.com/catbridge/catbridge/history"
)

func (u *UI) flagPages() {
	u.page("GET /ui/sdk/{sdk}/flags", rightRead, u.flagsPage)
	u.page("GET /ui/sdk/{sdk}/flags/{key...}", rightRead, u.flagPage)
	u.page("GET /ui/sdk/{sdk}/segments/{name...}", rightRead, u.segmentPage)
	u.post("POST /ui/sdk/{sdk}/explain", rightRead|rightExplain, u.explainPage)
}

// recently is how long after its last change a flag counts as changed recently.
const recently = 24 * time.Hour

// flagsData is the data of flags.html.
type flagsData struct {
	Waiting string // why there are no flags to show; empty: there is a config
	Notice  string // that the config is pinned; empty: it is not

	Q, Show, Type string // of the form
	Shows, Types  []choice
	Flags         []flagRow
	Broken        int
	paging
}

// choice is a choice of a form.
type choice struct {
	Value, Text string
	Selected    bool
}

// link is a link to a flag or a segment.
type link struct{ Text, Path string }

// flagRow is a flag in the table.
type flagRow struct {
	Key, Path, Type, Value string
	Broken                 string // why; empty: it is not
	Forced                 *forced
	Summary                []string
	Uses                   []link
	More                   int // uses that are not shown
	Change                 *flagChange
}

// forced is a force on a flag.
type forced struct {
	Value, By, Reason string
	Until             time.Time
}

// flagChange is the last change of a flag.
type flagChange struct {
	observe.Changed
	Path string // of the version in the history
}

var flagShows = []choice{
	{Value: "", Text: "all flags"}, {Value: "broken", Text: "broken"}, {Value: "changed", Text: "changed in the last 24 hours"}, {Value: "forced", Text: "forced"},
}

var flagTypes = []choice{
	{Value: "", Text: "any type"}, {Value: "Boolean", Text: "Boolean"}, {Value: "String", Text: "String"}, {Value: "Int", Text: "Int"}, {Value: "Double", Text: "Double"},
}

func selected(choices []choice, value string) []choice {
	all := slices.Clone(choices)
	for i := range all {
		all[i].Selected = all[i].Value == value
	}
	return all
}

// waiting returns the reason why no config can be shown, or an empty string.
func waiting(view *observe.View) string {
	switch {
	case view.Config != nil:
		return ""
	case view.Read.IsZero() || view.Err != "":
		return "This process has no config of this SDK key yet."
	default:
		return "No config yet: no leader has published one for this SDK key, or this process has not received it. The overview says what is wrong."
	}
}

func (u *UI) flagsPage(r *request) (*page, error) {
	p := &page{title: "Flags of " + shown(r.view.Label), nav: "flags", template: "flags.html"}
	d := &flagsData{Waiting: waiting(r.view)}
	p.data = d
	given := r.URL.Query()
	d.Q, d.Show, d.Type = strings.TrimSpace(given.Get("q")), given.Get("show"), given.Get("type")
	d.Shows, d.Types = selected(flagShows, d.Show), selected(flagTypes, d.Type)
	if d.Waiting != "" {
		return p, nil
	}
	x := u.indexes.of(r.view)
	forces := forcesOf(r.view)
	d.Broken, d.Notice = x.broken, pinNotice(r.view)
	found, pages := pageOf("flags", pathOf("flags", r.view.Label), given, len(x.flags), x.search(d, r, forces), "q", "show", "type")
	d.paging = pages
	for _, flag := range found {
		d.Flags = append(d.Flags, x.row(r.view, flag, forces))
	}
	return p, nil
}

// query returns a parameter of a URL.
func query(name, value string) string { return url.Values{name: {value}}.Encode() }

// search returns the flags that match all words of the text, and the other filters.
func (x *flagIndex) search(d *flagsData, r *request, forces map[string]*forced) []*indexedFlag {
	words := strings.Fields(strings.ToLower(d.Q))
	var found []*indexedFlag
	for i := range x.flags {
		flag := &x.flags[i]
		if slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(flag.text, word) }) || d.Type != "" && kindName(flag.kind) != d.Type {
			continue
		}
		switch d.Show {
		case "broken":
			if flag.broken == nil {
				continue
			}
		case "changed":
			if c, ok := r.view.Changed[flag.key]; !ok || r.now.Sub(c.Time) > recently {
				continue
			}
		case "forced":
			if forces[flag.key] == nil {
				continue
			}
		}
		found = append(found, flag)
	}
	return found
}

// shownUses is how many segments and prerequisites the table shows of a flag.
const shownUses = 6

func (x *flagIndex) row(view *observe.View, flag *indexedFlag, forces map[string]*forced) flagRow {
	row := flagRow{
		Key: shown(flag.key), Path: pathOf("flags", view.Label, flag.key), Type: kindName(flag.kind), Value: flag.value,
		Forced: forces[flag.key], Summary: summaryOf(x.config.Describe(flag.key)), Change: changeOf(view, flag.key),
	}
	if flag.broken != nil {
		row.Broken = visible(flag.broken.Error(), 2*maxName)
	}
	prerequisites, segments := x.config.Uses(flag.key)
	row.Uses = append(segmentLinks(view.Label, segments), flagLinks(view.Label, prerequisites)...)
	if row.More = len(row.Uses) - shownUses; row.More > 0 {
		row.Uses = row.Uses[:shownUses]
	}
	return row
}

func segmentLinks(label string, names []string) (links []link) {
	for _, name := range names {
		if name != "" {
			links = append(links, link{"segment " + shown(name), pathOf("segments", label, name)})
		}
	}
	return links
}

func flagLinks(label string, keys []string) (links []link) {
	for _, key := range keys {
		links = append(links, link{"flag " + shown(key), pathOf("flags", label, key)})
	}
	return links
}

func changeOf(view *observe.View, key string) *flagChange {
	c, ok := view.Changed[key]
	if !ok {
		return nil
	}
	c.Cause = history.Cause(visible(string(c.Cause), maxShortValue)) // of another version, perhaps
	return &flagChange{c, pathOf("history", view.Label, c.Rev)}
}

// forcesOf returns the forces in force, by the key of the flag.
func forcesOf(view *observe.View) map[string]*forced {
	control := view.State.Control
	if control == nil {
		return nil
	}
	forces := make(map[string]*forced, len(control.Forced))
	for i := range control.Forced {
		f := &control.Forced[i]
		forces[f.Flag] = &forced{visible(answers.Text(f.Value), maxShortValue), visible(f.By, maxName), visible(f.Reason, maxName), f.Until}
	}
	return forces
}

// pinNotice says that the config is pinned, or is empty.
func pinNotice(view *observe.View) string {
	control := view.State.Control
	if control == nil || control.Pin == nil {
		return ""
	}
	pin := control.Pin
	then := "in one config"
	if pin.Rev != 0 {
		then = "at rev " + strconv.FormatInt(pin.Rev, 10)
	}
	return "All flags are held as they were " + then + ": " + cmp.Or(visible(pin.By, maxName), "an operator") + " has pinned that config until " +
		pin.Until.UTC().Format(humanTime) + " (" + visible(pin.Reason, maxName) + "). Changes in ConfigCat have no effect until then."
}
