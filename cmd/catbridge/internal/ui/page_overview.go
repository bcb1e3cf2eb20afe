package ui

import (
	"html/template"
	"net/url"
	"slices"
	"time"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/inspect"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/observe"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/orders"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/words"
	"github.com/catbridge/catbridge/history"
	"github.com/catbridge/catbridge/leader"
)

func (u *UI) overviewPages() {
	u.page("GET /ui/{$}", rightRead, u.overviewPage)
}

const (
	// plottedKeys is the greatest number of SDK keys whose plots the overview shows. With more of them, each
	// has a link to its own.
	plottedKeys = 6
	// overviewLines is the greatest number of lines of a change on the overview.
	overviewLines = 8
	// maxFault is the greatest number of characters of a fault, and of a reason.
	maxFault = 600
	// lateAfter is how long after the poll interval the CDN's answer counts as late.
	lateAfter = 15 * time.Second
)

// overviewData is the data of overview.html.
type overviewData struct {
	Only string // the SDK key that alone is shown; empty: all are
	Keys []overviewKey
}

// overviewKey is an SDK key on the overview.
type overviewKey struct {
	Label, Name string
	Loading     bool
	Known       bool // something was read
	Stale       bool
	Read        time.Time
	Err         string
	State       string // ok, warn, bad or info, for its badge
	StateText   string

	Leader  string // host, or ID; empty: there is none, or it is unknown
	Since   time.Time
	Here    string // what this process does for the SDK key; empty: it is not a leader process
	Content *inspect.Content
	Config  configName
	Age     time.Duration // of the CDN's answer
	AgeKnown,
	Late bool
	Poll time.Duration

	Fleet  *inspect.Fleet // nil: unknown
	Behind string         // of the followers; empty: none are

	Control *overviewControl
	Faults  []string
	Advice  []string
	Remarks []string
	Last    *overviewChange
	NoLast  string // why there is no last change

	Plots       bool
	PlotsPath   string
	Spreads     template.HTML
	SpreadRows  []observe.Spread // the newest first
	Answers     template.HTML
	AnswerHours []hourRow
}

// overviewControl is what operators have put in force.
type overviewControl struct {
	Lines   []string
	Applied bool
	Why     string // why it has no effect; empty: it has
}

// overviewChange is the last change, and how it reached the followers.
type overviewChange struct {
	historyRow
	Reach string
}

// loading reports whether nothing is known of an SDK key yet.
func loading(view *observe.View) bool { return view.Read.IsZero() && view.Err == "" }

// localTime returns a time of Redis's clock by this machine's.
func localTime(view *observe.View, t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.Add(-view.Ahead)
}

func (u *UI) overviewPage(r *request) (*page, error) {
	d := &overviewData{Only: r.URL.Query().Get("sdk")}
	labels := r.labels()
	title := "Overview"
	if d.Only != "" {
		if !slices.Contains(labels, d.Only) {
			return nil, notFoundf("There is no SDK key with this name, or your token is not for it.")
		}
		labels = []string{d.Only}
		title += " of " + shown(d.Only)
	}
	for _, label := range labels {
		if view := r.ui.config.Observer.View(label); view != nil { // nil: it was removed meanwhile
			d.Keys = append(d.Keys, overviewOf(view, r.now, len(labels) <= plottedKeys))
		}
	}
	return &page{title: title, nav: "overview", template: "overview.html", data: d}, nil
}

func overviewOf(view *observe.View, now time.Time, plots bool) overviewKey {
	state := &view.State
	k := overviewKey{
		Label: view.Label, Name: shown(view.Label), Loading: loading(view), Known: !view.Read.IsZero(), Read: view.Read, Err: visible(view.Err, maxFault), Content: state.Content, Config: currentConfig(view), Fleet: state.Fleet,
		Faults: visibleAll(state.Faults), Advice: visibleAll(view.Advice), Remarks: visibleAll(state.Remarks),
		Plots: plots, PlotsPath: "/ui/?" + url.Values{"sdk": {view.Label}}.Encode(),
	}
	k.Stale = k.Known && view.Err != "" || isStale(view, now)
	if l := state.Leader; l != nil {
		k.Leader, k.Since = visible(words.Leader(l.ID), maxName), localTime(view, l.Since)
	}
	if view.Local != nil {
		k.Here = heres[view.Local.State]
	}
	if c := state.Content; c != nil && c.Age != nil {
		// It has grown since it was read.
		k.Age, k.AgeKnown = ofSeconds(*c.Age)+max(0, now.Sub(view.Read)), true
		k.Poll = ofSeconds(c.Poll)
		k.Late = ofSeconds(*c.Age) > k.Poll+lateAfter
	}
	if state.Fleet != nil {
		k.Behind = words.Behind(state.Fleet)
	}
	if c := state.Control; c != nil {
		k.Control = &overviewControl{Lines: visibleAll(orders.Lines(c)), Applied: c.Applied}
		if view.Local != nil {
			k.Control.Why = visible(view.Local.Suspended, maxFault)
		}
	}
	k.State, k.StateText = overviewState(&k, view)
	k.Last, k.NoLast = lastChange(view)
	if plots {
		k.Spreads = spreadPlot(k.Name, view.Spreads)
		k.SpreadRows = slices.Clone(view.Spreads)
		slices.Reverse(k.SpreadRows)
		k.Answers = answerPlot(k.Name, view.Answers, k.Poll)
		k.AnswerHours = hourRows(view.Answers)
	}
	return k
}

// heres says what a leader process does.
var heres = map[leader.State]string{
	leader.StateCandidate: "this process stands by, to take over if no other leads",
	leader.StateWarm:      "this process, which waits for its first answer of the CDN",
	leader.StateSteady:    "this process",
	leader.StateStopped:   "this process has stopped",
}

func overviewState(k *overviewKey, view *observe.View) (class, text string) {
	switch {
	case k.Loading:
		return "info", "reading …"
	case view.Err != "":
		return "bad", "Redis cannot be read"
	case len(k.Faults)+len(k.Advice) > 0:
		return "bad", count(len(k.Faults)+len(k.Advice), "fault")
	case k.Fleet != nil && k.Fleet.SilentBehind > 0:
		return "warn", k.Behind
	case k.Control != nil:
		return "warn", "ok, an operator's order is in force"
	}
	return "ok", "ok"
}

func ofSeconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

func visibleAll(texts []string) []string {
	all := make([]string, len(texts))
	for i, text := range texts {
		all[i] = visible(text, maxFault)
	}
	return all
}

// lastChange returns the last change in the history, or why there is none.
func lastChange(view *observe.View) (*overviewChange, string) {
	switch {
	case view.HistoryErr != "":
		return nil, "The history cannot be read: " + visible(view.HistoryErr, maxFault)
	case len(view.History) == 0 && view.Read.IsZero():
		return nil, ""
	case len(view.History) == 0:
		return nil, "The history has no config yet."
	}
	c := &overviewChange{historyRow: rowOf(view, 0, overviewLines)}
	c.Reach = reach(view, &view.History[0])
	return c, ""
}

// reach says how long a change took to reach the followers.
func reach(view *observe.View, v *observe.Version) string {
	switch v.Cause {
	case history.Pin, history.Force, history.Withdrawn, history.Expired:
		return "How long it took is not measured for what operators order."
	}
	for i := len(view.Spreads) - 1; i >= 0; i-- {
		s := view.Spreads[i]
		if s.Rev != v.Rev {
			continue
		}
		switch s.Reported {
		case 0:
			return "No follower has reported yet how long it took."
		case 1:
			return "The follower that reported had it within " + dur(s.Last) + " of the leader's request to the CDN."
		}
		return "Half of the " + count(s.Reported, "follower") + " that reported had it within " + dur(s.Median) +
			" of the leader's request to the CDN, and the last within " + dur(s.Last) + "."
	}
	return "How long it took is not known: it came into force before this process looked."
}
