package ui

import (
	"strconv"

	"github.com/catbridge/catbridge/history"
)

// takeBackData is the data of takeback.html.
type takeBackData struct {
	historyRow
	Fault  string // of the form that was sent, as a whole
	Before *historyRow
	Why    string // why it cannot be taken back; empty: it can
	Newer  string // that newer changes are taken back, too; empty: there are none
	Name   string // of the token
	Form   *actionForm
}

// Row returns what the part changes shows.
func (d *takeBackData) Row() *historyRow { return &d.historyRow }

// Order returns the common part of the forms.
func (d *takeBackData) Order() actionOrder { return actionOrder{actionTakeBack, d.Name, d.Form} }

// takeBackPage asks for how long and why a change is taken back.
func (u *UI) takeBackPage(r *request) (*page, error) {
	return u.takeBackWith(r, &actionForm{Reference: r.URL.Query().Get("rev"), For: "1h"}, "")
}

func (u *UI) takeBackWith(r *request, f *actionForm, fault string) (*page, error) {
	rev, err := strconv.ParseInt(f.Reference, 10, 64)
	if err != nil || rev <= 0 {
		return nil, badRequestf("A rev is a number of 13 digits, as the history shows it.")
	}
	i, err := findVersion(r, rev)
	if err != nil {
		return nil, err
	}
	v := &r.view.History[i]
	d := &takeBackData{historyRow: rowOf(r.view, i, historyChanges), Fault: fault, Name: r.who.name, Form: f}
	switch {
	case fault != "": // it is shown
	case f.Error("rev") != "":
		d.Why = f.Error("rev")
	case i+1 == len(r.view.History):
		d.Why = "the dashboard does not have the config before it; catbridge history may have older ones."
	}
	if i+1 < len(r.view.History) {
		before := rowOf(r.view, i+1, 0)
		d.Before = &before
	}
	if i > 0 {
		d.Newer = newerChanges(i)
	}
	what := changeName(r, v.Version, i)
	if f.Reason == "" && len(f.Errors) == 0 {
		f.Reason = "take back the change of rev " + strconv.FormatInt(v.Rev, 10)
	}
	return &page{title: "Take back " + what, nav: "actions", template: "takeback.html", data: d}, nil
}

// changeName names a change. newer is how many changes are newer.
func changeName(r *request, v history.Version, newer int) string {
	name := "rev " + strconv.FormatInt(v.Rev, 10)
	switch {
	case newer == 0:
		name = "the last change"
	case v.Recorded():
		name = "the change of " + localTime(r.view, v.Time).UTC().Format(humanTime)
	}
	return name + " of " + shown(r.view.Label)
}

// newerChanges warns that newer changes are taken back, too.
func newerChanges(n int) string {
	if n == 1 {
		return "It is not the last change: a newer one is taken back with it."
	}
	return "It is not the last change: " + strconv.Itoa(n) + " newer ones are taken back with it."
}
