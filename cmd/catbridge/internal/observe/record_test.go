package observe

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/inspect"
	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/history"
	"github.com/catbridge/catbridge/internal/wire"
	"github.com/catbridge/catbridge/leader"
)

var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

func TestTheGreatestAgeOfEachMinuteIsKept(t *testing.T) {
	var a answers
	a.add(noon, 0, false)
	a.add(noon.Add(4*time.Second), 20*time.Second, true)
	a.add(noon.Add(8*time.Second), 50*time.Second, true)
	a.add(noon.Add(12*time.Second), time.Second, true)
	a.add(noon.Add(16*time.Second), 0, false)
	a.add(noon.Add(time.Minute), 0, false)
	want := []Answer{{noon.Add(8 * time.Second), 50 * time.Second, true}, {noon.Add(time.Minute), 0, false}}
	if have := a.all(); !slices.Equal(have, want) {
		t.Errorf("%+v", have)
	}
	a.all()[0].Age = 0
	if a.samples[0].Age == 0 {
		t.Error("views share what is recorded")
	}
}

func TestAgesAreKeptForTwelveHours(t *testing.T) {
	var a answers
	for i := range 3000 {
		a.add(noon.Add(time.Duration(i)*30*time.Second), time.Duration(i), true)
	}
	all := a.all()
	if len(all) != maxAnswers || all[len(all)-1].Age != 2999 || all[len(all)-1].At.Sub(all[0].At) < 11*time.Hour {
		t.Errorf("%d samples from %v to %v", len(all), all[0].At, all[len(all)-1].At)
	}
}

// reportOf returns a report of a follower that has a content.
func reportOf(hash string, at time.Time, lag time.Duration) inspect.Report {
	r := inspect.Report{At: at}
	r.Hash, r.Lag = hash[:min(len(hash), wire.FleetHashBytes)], lag
	return r
}

func TestSpreadsAreOfTheLastChangeToAContent(t *testing.T) {
	a, b := strings.Repeat("a", 64), strings.Repeat("b", 64)
	var s spreads
	s.add(1, a, noon, true)
	s.add(2, a, noon, true) // the CDN confirms it
	s.measure([]inspect.Report{reportOf(a, noon.Add(time.Second), 3*time.Second), reportOf(a, noon.Add(time.Second), time.Second), reportOf(a, noon.Add(time.Second), 0), reportOf("", noon.Add(time.Second), time.Hour)})
	s.add(3, b, noon.Add(time.Minute), true)
	s.add(4, a, noon.Add(2*time.Minute), true) // again
	s.measure([]inspect.Report{
		reportOf(a, noon.Add(90*time.Second), 9*time.Second), // before the content came again
		reportOf(a, noon.Add(121*time.Second), 2*time.Second),
		reportOf(a, noon.Add(122*time.Second), 4*time.Second),
		reportOf(a, noon.Add(123*time.Second), 8*time.Second),
	})
	want := []Spread{
		{Rev: 1, Hash: a, Time: noon, Median: time.Second, Last: 3 * time.Second, Reported: 2},
		{Rev: 3, Hash: b, Time: noon.Add(time.Minute)},
		{Rev: 4, Hash: a, Time: noon.Add(2 * time.Minute), Median: 4 * time.Second, Last: 8 * time.Second, Reported: 3},
	}
	if have := s.all(); !slices.Equal(have, want) {
		t.Errorf("have %+v\nwant %+v", have, want)
	}
	// Followers that are gone do not make it less certain.
	s.measure([]inspect.Report{reportOf(a, noon.Add(130*time.Second), time.Minute)})
	if have := s.all()[2]; have != want[2] {
		t.Errorf("%+v", have)
	}
	// Without a history, the time of a change may seem to change.
	s.add(5, a, noon.Add(time.Hour), false)
	if len(s.all()) != 3 {
		t.Error("a confirmed config counts as a change")
	}
	for i := range 200 {
		s.add(int64(i), fmt.Sprintf("%064x", i), noon.Add(time.Duration(i)*time.Hour), true)
	}
	if len(s.all()) != maxSpreads {
		t.Errorf("%d spreads are kept", len(s.all()))
	}
}

func TestFollowersAreSortedByHowFarTheyAreBehind(t *testing.T) {
	report := func(id string, standing inspect.Standing, rev int64) inspect.Report {
		r := inspect.Report{Name: id, Standing: standing}
		r.ID, r.Rev = id, rev
		return r
	}
	other := report("silent-behind", inspect.Silent, 7)
	other.Other = true
	var ids []string
	for _, f := range followers([]inspect.Report{
		other,
		report("current", inspect.Current, 9), report("behind", inspect.Behind, 5), report("empty", inspect.Behind, 0),
		report("pending", inspect.Pending, 1), report("silent-b", inspect.Silent, 2), report("silent-a", inspect.Silent, 2),
	}) {
		ids = append(ids, f.ID)
	}
	if want := []string{"empty", "behind", "silent-behind", "silent-a", "silent-b", "pending", "current"}; !slices.Equal(ids, want) {
		t.Errorf("%q", ids)
	}
}

func TestEachFaultOfTheLeaderHasAdvice(t *testing.T) {
	well := leader.KeyStats{State: leader.StateSteady, Due: noon}
	if lines := advice(&well, noon); len(lines) != 0 {
		t.Errorf("for a leader without faults: %q", lines)
	}
	for what, test := range map[string]struct {
		break_ func(*leader.KeyStats)
		want   string
	}{
		"poll":     {func(k *leader.KeyStats) { k.PollError = "timeout" }, "the last poll of the CDN failed (timeout): check DNS"},
		"write":    {func(k *leader.KeyStats) { k.WriteError = "OOM" }, "(OOM): see the leader's log, or run catbridge doctor"},
		"rights":   {func(k *leader.KeyStats) { k.MissingRights = []string{"+hset", "+xadd"} }, "the user lacks rights of a leader: +hset +xadd: grant them with ACL SETUSER"},
		"history":  {func(k *leader.KeyStats) { k.HistoryError = "NOPERM" }, "(NOPERM): see the leader's log (event 6119)"},
		"suspends": {func(k *leader.KeyStats) { k.Suspended = "no such flag" }, "has no effect for now, or not all of it: no such flag"},
		"broken":   {func(k *leader.KeyStats) { k.BrokenFlags = 2 }, "2 flags of the config have errors: followers return their default values: see the leader's log"},
		"hangs":    {func(k *leader.KeyStats) { k.Due = noon.Add(-2 * time.Minute) }, "hanging since 2026-01-01T11:58:00Z"},
	} {
		k := well
		test.break_(&k)
		if lines := advice(&k, noon); len(lines) != 1 || !strings.Contains(lines[0], test.want) {
			t.Errorf("%s: %q", what, lines)
		}
	}
	candidate := leader.KeyStats{State: leader.StateCandidate, PollError: "of an earlier term", BrokenFlags: 3, Due: noon}
	if lines := advice(&candidate, noon); len(lines) != 0 {
		t.Errorf("a process that does not lead has %q", lines)
	}
}

// flags returns a config with that many flags of a value.
func flags(n int, value string) *evaluate.Config {
	values := map[string]any{}
	for i := range n {
		values[fmt.Sprintf("flag%06d", i)] = value
	}
	return evaluate.FromValues(values)
}

func TestWhatIsKeptOfAHugeChangeIsBounded(t *testing.T) {
	var v version
	v.keep(evaluate.Diff(flags(5000, "a"), flags(5000, "b")))
	if len(v.Changes) != MaxChanges || v.Left != 5000-MaxChanges || len(v.flags) != 5000 || v.size < 5000*10 {
		t.Errorf("%d changes are kept, %d are left, %d flags, %d bytes", len(v.Changes), v.Left, len(v.flags), v.size)
	}
	if c := v.Changes[0]; c.Flag != "flag000000" || c.Kind != evaluate.ChangeEdited || len(c.Lines) != 1 || !strings.Contains(c.Lines[0], `"b" (was "a")`) {
		t.Errorf("%+v", c)
	}
	tl := timeline{versions: make([]version, 200)}
	for i := range tl.versions {
		tl.versions[i] = v
		tl.versions[i].Known = true
	}
	tl.forget()
	total, known := 0, 0
	for i, v := range tl.versions {
		if total += v.size; v.Known {
			known++
		}
		if i > 0 && v.Known && !tl.versions[i-1].Known {
			t.Error("a version is forgotten before an older one")
		}
	}
	if total > keptBytes || known == 0 || known == 200 || tl.versions[199].Why == "" {
		t.Errorf("%d versions are known, with %d bytes", known, total)
	}
}

func TestWhatIsNotKnownIsNotSaidOfFlags(t *testing.T) {
	at := func(rev int64, known bool, cause history.Cause, flags ...string) version {
		v := version{done: true, flags: flags}
		v.Rev, v.Known, v.Cause, v.Time = rev, known, cause, noon
		return v
	}
	tl := timeline{known: true, versions: []version{
		at(50, true, history.Poll, "a"), at(40, true, history.Poll, "a", "b"), at(30, false, history.Poll), at(20, true, history.Poll, "c"), at(10, false, history.First),
	}}
	var view View
	tl.fill(&view)
	if view.Changed["a"].Rev != 50 || view.Changed["b"].Rev != 40 || len(view.Changed) != 2 || view.Complete {
		t.Errorf("%v, complete %v: c may have changed in 30", view.Changed, view.Complete)
	}
	tl.versions[2].Known = true
	tl.shown.history = nil
	tl.fill(&view)
	if view.Changed["c"].Rev != 20 || !view.Complete {
		t.Errorf("%v, complete %v", view.Changed, view.Complete)
	}
	tl.older, tl.shown.history = true, nil
	if tl.fill(&view); view.Complete || view.Changed["c"].Rev != 20 {
		t.Error("a history that was cut counts as complete")
	}
}
