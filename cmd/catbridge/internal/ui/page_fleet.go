package ui

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/inspect"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/observe"
)

func (u *UI) fleetPages() {
	u.page("GET /ui/sdk/{sdk}/fleet", rightRead, u.fleetPage)
}

// fleetOnPage is how many followers a page shows.
const fleetOnPage = 200

// fleetData is the data of fleet.html.
type fleetData struct {
	Loading  bool
	Fleet    *inspect.Fleet // nil: unknown
	Unknown  []string       // remarks, if Fleet is nil
	Versions []fleetVersion // most followers first
	Rev      int64          // the current one; 0: none

	Q, Show     string // of the form
	Shows       []fleetChoice
	Rows        []fleetRow
	Total       int // followers that report
	Found       int
	First, Last int    // numbers of the followers shown
	Earlier     string // link to the page before; empty: none
	Later       string
}

type fleetVersion struct {
	Version string
	Count   int
}

// fleetChoice is a standing to filter by.
type fleetChoice struct {
	Value, Text string
	Selected    bool
}

// fleetRow is a follower in the table.
type fleetRow struct {
	Name, ID, Version, State, Standing, Class string
	Start                                     string // the part of the ID that is new for each start
	Rev                                       int64
	Lag                                       time.Duration
	Reported                                  time.Time // by this machine's clock
}

var fleetClasses = map[observe.Standing]string{
	observe.Behind: "bad", observe.Silent: "warn", observe.Pending: "info", observe.Current: "ok",
}

var fleetShows = []fleetChoice{
	{Value: "", Text: "all"}, {Value: string(observe.Behind), Text: "behind"}, {Value: string(observe.Silent), Text: "silent"},
	{Value: string(observe.Pending), Text: "pending"}, {Value: string(observe.Current), Text: "current"},
}

func (u *UI) fleetPage(r *request) (*page, error) {
	query := r.URL.Query()
	d := &fleetData{
		Loading: loading(r.view), Fleet: r.view.State.Fleet, Total: len(r.view.Followers),
		Q: strings.TrimSpace(query.Get("q")), Show: query.Get("show"), Shows: slices.Clone(fleetShows),
	}
	i := slices.IndexFunc(d.Shows, func(c fleetChoice) bool { return c.Value == d.Show })
	if i < 0 {
		return nil, badRequestf("show is behind, silent, pending or current, or is left out.")
	}
	d.Shows[i].Selected = true
	if c := r.view.State.Content; c != nil {
		d.Rev = c.Rev
	}
	if d.Fleet == nil {
		d.Unknown = visibleAll(r.view.State.Remarks)
	} else {
		d.Versions = fleetVersions(d.Fleet.Versions)
	}
	found := fleetSearch(r.view.Followers, d.Q, observe.Standing(d.Show))
	d.Found = len(found)
	pages := max(1, (len(found)+fleetOnPage-1)/fleetOnPage)
	at, _ := strconv.Atoi(query.Get("page"))
	at = min(max(at, 1), pages)
	start := (at - 1) * fleetOnPage
	d.Last = min(start+fleetOnPage, len(found))
	d.First = min(start+1, d.Last)
	for _, f := range found[start:d.Last] {
		d.Rows = append(d.Rows, fleetRow{
			Name: visible(f.Name, maxName), ID: visible(f.ID, maxName), Start: visible(strings.TrimPrefix(f.ID, f.Name), maxName), Version: visible(f.Version, maxName), State: visible(f.State, maxName),
			Standing: string(f.Standing), Class: fleetClasses[f.Standing], Rev: f.Rev, Lag: f.Lag, Reported: localTime(r.view, f.Reported),
		})
	}
	if at > 1 {
		d.Earlier = d.path(r.view.Label, at-1)
	}
	if at < pages {
		d.Later = d.path(r.view.Label, at+1)
	}
	return &page{title: "Fleet of " + shown(r.view.Label), nav: "fleet", template: "fleet.html", data: d}, nil
}

// path returns the path of another page of the same search.
func (d *fleetData) path(label string, at int) string {
	query := url.Values{}
	for name, value := range map[string]string{"q": d.Q, "show": d.Show} {
		if value != "" {
			query.Set(name, value)
		}
	}
	if at > 1 {
		query.Set("page", strconv.Itoa(at))
	}
	if len(query) == 0 {
		return pathOf("fleet", label)
	}
	return pathOf("fleet", label) + "?" + query.Encode()
}

// fleetSearch returns the followers that have a standing, unless it is empty, and match all words of a text.
func fleetSearch(followers []observe.Follower, text string, standing observe.Standing) []*observe.Follower {
	wanted := strings.Fields(strings.ToLower(text))
	found := make([]*observe.Follower, 0, len(followers))
	for i := range followers {
		f := &followers[i]
		if standing != "" && f.Standing != standing {
			continue
		}
		if len(wanted) > 0 {
			all := strings.ToLower(f.Name + " " + f.ID + " " + f.Version + " " + f.State + " " + strconv.FormatInt(f.Rev, 10))
			if slices.ContainsFunc(wanted, func(word string) bool { return !strings.Contains(all, word) }) {
				continue
			}
		}
		found = append(found, f)
	}
	return found
}

// mostVersions is the greatest number of versions that the totals show.
const mostVersions = 8

func fleetVersions(counts map[string]int) []fleetVersion {
	versions := make([]fleetVersion, 0, len(counts))
	for version, n := range counts {
		versions = append(versions, fleetVersion{visible(version, maxName), n})
	}
	slices.SortFunc(versions, func(a, b fleetVersion) int {
		if a.Count != b.Count {
			return b.Count - a.Count
		}
		return strings.Compare(a.Version, b.Version)
	})
	return versions[:min(len(versions), mostVersions)]
}
