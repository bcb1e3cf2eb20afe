package ui

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/observe"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/words"
	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/history"
)

func (u *UI) historyPages() {
	u.page("GET /ui/sdk/{sdk}/history", rightRead, u.historyPage)
	u.page("GET /ui/sdk/{sdk}/history/{rev}", rightRead, u.versionPage)
}

const (
	// historyChanges and historyLines bound what the timeline shows of one version: changes, and lines of
	// each.
	historyChanges = 12
	historyLines   = 6
	// maxFlagText bounds the text of the filter: longer than any key of a flag.
	maxFlagText = 2000
)

// historyData is the data of history.html.
type historyData struct {
	Loading   bool
	Err       string // why the history cannot be read
	Flag      string // of the form
	Rows      []historyRow
	Total     int
	Older     bool
	Malformed int
	Comparing bool // not all versions are compared yet
}

// historyRow is a version in the timeline.
type historyRow struct {
	Rev        int64
	Hash       string
	Time       time.Time // by this machine's clock; zero: not recorded
	When       string    // if it is not recorded
	Cause      string
	CauseMeans string
	Leader     string
	Size       int
	Current    bool
	Path       string
	Changes    []historyChange
	NoChanges  string // why there are none; or what is not known
	More       int    // changes that are not shown
	Total      int
	// TakeBack and Withdraw are the links to undo it: what operators ordered is withdrawn, and any other change is
	// taken back. Empty: that is impossible.
	TakeBack, Withdraw string
}

// historyChange is a change of a flag or of a segment.
type historyChange struct {
	Name, Path string // Path is empty for what is gone
	Class      string // add or del; empty: neither
	Lines      []string
}

func (u *UI) historyPage(r *request) (*page, error) {
	d := &historyData{
		Loading: loading(r.view), Err: visible(r.view.HistoryErr, maxFault), Flag: r.URL.Query().Get("flag"),
		Total: len(r.view.History), Older: r.view.Older, Malformed: r.view.Malformed,
	}
	if len(d.Flag) > maxFlagText {
		return nil, badRequestf("The key of the flag is too long.")
	}
	for i := range r.view.History {
		v := &r.view.History[i]
		if v.Why == observe.NotCompared {
			d.Comparing = true
		}
		row := rowOf(r.view, i, historyChanges)
		if d.Flag != "" {
			changes, concerns := changesOf(v, d.Flag)
			if !concerns {
				continue
			}
			row.setChanges(r.view, v, changes, historyChanges, historyLines)
		}
		d.Rows = append(d.Rows, row)
	}
	return &page{title: "History of " + shown(r.view.Label), nav: "history", template: "history.html", data: d}, nil
}

// changesOf returns the changes of a version that concern a flag. concerns reports whether the version may
// have changed it.
func changesOf(v *observe.Version, flag string) (changes []observe.Change, concerns bool) {
	if !v.Known {
		return nil, false
	}
	subjects := make([]words.Subject, len(v.Changes))
	for i := range v.Changes {
		subjects[i] = v.Changes[i].Subject
	}
	for i, of := range words.Concerns(flag, subjects) {
		if of {
			changes = append(changes, v.Changes[i])
		}
	}
	return changes, len(changes) > 0 || v.Left > 0
}

// rowOf returns the row of a version, with at most so many changes.
func rowOf(view *observe.View, i, most int) historyRow {
	v := &view.History[i]
	row := historyRow{
		Rev: v.Rev, Hash: v.Hash, Time: localTime(view, v.Time), Cause: visible(string(v.Cause), maxName), CauseMeans: words.Cause(v.Cause),
		Leader: visible(words.Leader(v.Leader), maxName), Size: v.Size, Current: i == 0, Path: pathOf("history", view.Label, v.Rev),
	}
	if !v.Recorded() {
		row.When = "in force, not recorded"
	}
	row.setChanges(view, v, v.Changes, most, historyLines)
	row.Total += v.Left
	row.More += v.Left
	switch {
	case !row.Current:
	case byOperator(view, v):
		row.Withdraw = pathOf("actions", view.Label)
	case v.Known && i+1 < len(view.History):
		row.TakeBack = pathOf("actions", view.Label, actionTakeBack) + "?" + query("rev", strconv.FormatInt(v.Rev, 10))
	}
	return row
}

// byOperator reports whether the newest version is in force by what operators ordered, and have not withdrawn.
func byOperator(view *observe.View, newest *observe.Version) bool {
	c := view.State.Control
	return c != nil && (c.Pin != nil || len(c.Forced) > 0 && newest.Cause == history.Force)
}

// setChanges sets what a version changed.
func (row *historyRow) setChanges(view *observe.View, v *observe.Version, changes []observe.Change, most, lines int) {
	row.Changes, row.NoChanges, row.Total, row.More = nil, "", len(changes), 0
	switch {
	case !v.Known && v.Why != "":
		row.NoChanges = "What changed is not known: " + visible(v.Why, maxFault)
	case !v.Known:
		row.NoChanges = "The oldest config in the history."
	case len(changes) == 0 && v.Left > 0:
		row.NoChanges = "More flags changed than the dashboard keeps; catbridge history shows whether this flag is one of them."
	case len(changes) == 0:
		row.NoChanges = upperFirst(words.NoDifference) + "."
	}
	for i := range changes {
		if i == most {
			row.More = len(changes) - most
			break
		}
		row.Changes = append(row.Changes, historyChangeOf(view, &changes[i], lines))
	}
}

func historyChangeOf(view *observe.View, c *observe.Change, most int) historyChange {
	h := historyChange{Name: shown(c.Flag)}
	switch {
	case c.Segment != "":
		h.Name, h.Path = "segment "+shown(c.Segment), pathOf("segments", view.Label, c.Segment)
	case c.Kind != evaluate.ChangeRemoved:
		h.Path = pathOf("flags", view.Label, c.Flag)
	}
	switch c.Kind {
	case evaluate.ChangeAdded:
		h.Class = "add"
	case evaluate.ChangeRemoved:
		h.Class = "del"
	}
	for i, line := range c.Lines {
		if i == most {
			h.Lines = append(h.Lines, "… and "+count(len(c.Lines)-most, "more difference"))
			break
		}
		h.Lines = append(h.Lines, visible(line, maxFault))
	}
	return h
}

func upperFirst(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// versionData is the data of version.html.
type versionData struct {
	historyRow
	ETag  string
	By    string // the ID of the leader
	Asked int64  // the rev in the URL, if it is a later one of the same config
	Newer string // links to its neighbours
	Older string
	Pin   string   // link to pin it
	Flags []string // to choose from, to explain one at this rev
	Reach string
}

func (u *UI) versionPage(r *request) (*page, error) {
	rev, err := strconv.ParseInt(r.key("rev"), 10, 64)
	if err != nil || rev <= 0 {
		return nil, badRequestf("A rev is a number of 13 digits, as the history shows it.")
	}
	if flag := r.URL.Query().Get("explain"); flag != "" && len(flag) <= maxFlagText {
		return redirectTo(pathOf("flags", r.view.Label, flag)+"?"+url.Values{"at": {strconv.FormatInt(rev, 10)}}.Encode(), "")
	}
	i, err := findVersion(r, rev)
	if err != nil {
		return nil, err
	}
	v := &r.view.History[i]
	d := &versionData{historyRow: rowOf(r.view, i, observe.MaxChanges), ETag: visible(v.ETag, maxFault), By: visible(v.Leader, maxName)}
	d.setChanges(r.view, v, v.Changes, observe.MaxChanges, maxVersionLines)
	if d.Total += v.Left; v.Left > 0 {
		d.NoChanges = count(v.Left, "more change") + ", which the dashboard does not keep: catbridge history shows them."
	}
	d.More = 0
	if rev != v.Rev {
		d.Asked = rev
	}
	if i > 0 {
		d.Newer = pathOf("history", r.view.Label, r.view.History[i-1].Rev)
	}
	if i+1 < len(r.view.History) {
		d.Older = pathOf("history", r.view.Label, r.view.History[i+1].Rev)
	}
	d.Pin = pathOf("actions", r.view.Label) + "?" + url.Values{"pin": {strconv.FormatInt(v.Rev, 10)}}.Encode() + "#pin"
	d.Flags = offeredKeys(r.view)
	if v.Recorded() {
		d.Reach = reach(r.view, v)
	}
	return &page{title: "Rev " + strconv.FormatInt(v.Rev, 10) + " of " + shown(r.view.Label), nav: "history", template: "version.html", data: d}, nil
}

// Row returns what the part changes shows.
func (d *versionData) Row() *historyRow { return &d.historyRow }

// maxVersionLines bounds the lines of one change on the page of a version.
const maxVersionLines = 200

// findVersion returns the index of the version that was in force at a rev. Its errors are those of a page.
func findVersion(r *request, rev int64) (int, error) {
	if i := versionAt(r.view.History, rev); i >= 0 {
		return i, nil
	}
	if r.view.HistoryErr != "" {
		return 0, unavailablef("The history cannot be read: %s", visible(r.view.HistoryErr, maxFault))
	}
	return 0, notFoundf("The history that the dashboard has goes back to no config that was in force at rev %d.", rev)
}

// versionAt returns the index of the version that was in force at a rev, or -1: revs rise with each answer
// of the CDN, so the rev may be above that with which the config came into force.
func versionAt(versions []observe.Version, rev int64) int {
	for i := range versions {
		v := &versions[i]
		switch {
		case v.Rev > rev:
		case v.Rev != rev && i > 0 && versions[i-1].Gap == history.Unrecorded:
			return -1 // it is not known what was in force then
		default:
			return i
		}
	}
	return -1
}
