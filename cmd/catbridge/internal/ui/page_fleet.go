package ui

import (
	"slices"
	"strings"
	"time"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/inspect"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/observe"
	"github.com/catbridge/catbridge/follower"
	"github.com/catbridge/catbridge/internal/wire"
)

func (u *UI) fleetPages() {
	u.page("GET /ui/sdk/{sdk}/fleet", rightRead, u.fleetPage)
}

// fleetData is the data of fleet.html.
type fleetData struct {
	Loading  bool
	Fleet    *inspect.Fleet // nil: unknown
	Unknown  []string       // remarks, if Fleet is nil
	Behind   int            // silent or not
	Versions []fleetVersion // most followers first
	Config   configName     // the current one

	Q, Show string // of the form
	Shows   []choice
	Rows    []fleetRow
	paging
}

type fleetVersion struct {
	Version string
	Count   int
}

// fleetRow is a follower in the table.
type fleetRow struct {
	Name, ID, Version, State, Standing, Class string
	Start                                     string // the part of the ID that is new for each start
	Silent                                    bool   // all but Reported is as of then
	AlsoBehind                                bool   // it is silent, and behind
	StateMeans                                string // what State means; empty: it says so itself
	Config                                    configName
	Lag                                       time.Duration
	Reported                                  time.Time // by this machine's clock
}

// configName says which config something has. Revs would not do: that of a config in force rises with each
// answer of the CDN.
type configName struct {
	Hash string    // empty: none
	Time time.Time // when it came into force, by this machine's clock; zero: unknown
	Path string    // of it in the history; empty: it is not there
}

// currentConfig returns the name of the config in force, as Redis has it.
func currentConfig(view *observe.View) configName {
	c := view.State.Content
	if c == nil || c.Rev == 0 {
		return configName{}
	}
	if h := view.State.History; h != nil && h.Hash == c.Hash {
		return configName{c.Hash, localTime(view, h.Time), pathOf("history", view.Label, h.Rev)}
	}
	name := configName{Hash: c.Hash}
	if since := c.Since(); since.UnixMilli() > 0 {
		name.Time = localTime(view, since)
	}
	return name
}

// configNames are the configs of the history by the first digits of their hash, as followers report it.
type configNames map[string]configName

func configNamesOf(view *observe.View) configNames {
	names := make(configNames, len(view.History))
	for i := range view.History {
		v := &view.History[i]
		hash := v.Hash[:min(len(v.Hash), wire.FleetHashBytes)]
		if _, newer := names[hash]; !newer {
			names[hash] = configName{v.Hash, localTime(view, v.Time), pathOf("history", view.Label, v.Rev)}
		}
	}
	return names
}

// of returns the name of the config of a follower. The page says the time of the current one once.
func (n configNames) of(f *observe.Follower) configName {
	if name, ok := n[f.Hash]; ok && f.Hash != "" && f.Other {
		return name
	}
	return configName{Hash: f.Hash}
}

var fleetClasses = map[observe.Standing]string{
	observe.Behind: "bad", observe.Silent: "warn", observe.Pending: "info", observe.Current: "ok",
}

// connections says what the states of a connection mean that do not say so themselves.
var connections = map[follower.State]string{
	follower.StateNoLeader:     "connected, but nobody brings changes from ConfigCat",
	follower.StatePolling:      "it may not subscribe to changes, and looks for them every few seconds",
	follower.StateDisconnected: "Redis is out of its reach; it uses the config in memory",
	follower.StateUnsubscribed: "set not to subscribe to changes",
}

var fleetShows = []choice{
	{Value: "", Text: "all"}, {Value: string(observe.Behind), Text: "behind, silent or not"}, {Value: string(observe.Silent), Text: "silent"},
	{Value: string(observe.Pending), Text: "pending"}, {Value: string(observe.Current), Text: "current"},
}

func (u *UI) fleetPage(r *request) (*page, error) {
	query := r.URL.Query()
	d := &fleetData{
		Loading: loading(r.view), Fleet: r.view.State.Fleet, Config: currentConfig(r.view),
		Q: strings.TrimSpace(query.Get("q")), Show: query.Get("show"),
	}
	if !slices.ContainsFunc(fleetShows, func(c choice) bool { return c.Value == d.Show }) {
		return nil, badRequestf("show is behind, silent, pending or current, or is left out.")
	}
	d.Shows = selected(fleetShows, d.Show)
	if d.Fleet == nil {
		d.Unknown = visibleAll(r.view.State.Remarks)
	} else {
		d.Behind = d.Fleet.Behind + d.Fleet.SilentBehind
		d.Versions = fleetVersions(d.Fleet.Versions)
	}
	found, pages := pageOf("followers", pathOf("fleet", r.view.Label), query, len(r.view.Followers), fleetSearch(r.view.Followers, d.Q, observe.Standing(d.Show)), "q", "show")
	d.paging = pages
	configs := configNamesOf(r.view)
	for _, f := range found {
		d.Rows = append(d.Rows, fleetRow{
			Name: visible(f.Name, maxName), ID: visible(f.ID, maxName), Start: visible(strings.TrimPrefix(f.ID, f.Name), maxName), Version: visible(f.Version, maxName), State: visible(f.State, maxName),
			StateMeans: connections[follower.State(f.State)],
			Standing:   string(f.Standing), Class: fleetClasses[f.Standing], Silent: f.Standing == observe.Silent, AlsoBehind: f.Standing == observe.Silent && f.IsBehind(),
			Config: configs.of(f), Lag: f.Lag, Reported: localTime(r.view, f.Reported),
		})
	}
	return &page{title: "Fleet of " + shown(r.view.Label), nav: "fleet", template: "fleet.html", data: d}, nil
}

// fleetSearch returns the followers that have a standing, unless it is empty, and match all words of a text.
// Those that are behind are also the silent ones whose last report names another config.
func fleetSearch(followers []observe.Follower, text string, standing observe.Standing) []*observe.Follower {
	wanted := strings.Fields(strings.ToLower(text))
	found := make([]*observe.Follower, 0, len(followers))
	for i := range followers {
		f := &followers[i]
		if standing != "" && f.Standing != standing && !(standing == observe.Behind && f.IsBehind()) {
			continue
		}
		if len(wanted) > 0 {
			all := strings.ToLower(f.Name + " " + f.ID + " " + f.Version + " " + f.State + " " + f.Hash)
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
