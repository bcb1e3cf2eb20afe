package ui

import (
	"slices"
	"strconv"
	"time"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/observe"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/orders"
	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/leader/control"
)

func (u *UI) actionPages() {
	if !u.config.Acts {
		return // a port for browsers of serve never holds the right to turn flags
	}
	u.page("GET /ui/sdk/{sdk}/actions", rightControl, u.actionsPage)
	u.page("GET /ui/sdk/{sdk}/actions/"+actionTakeBack, rightControl, u.takeBackPage)
	for _, kind := range []string{actionPin, actionUnpin, actionForce, actionUnforce, actionTakeBack} {
		u.post("POST /ui/sdk/{sdk}/actions/"+kind, rightControl, func(r *request) (*page, error) { return u.act(r, kind) })
	}
}

// The kinds of actions.
const (
	actionPin      = "pin"
	actionUnpin    = "unpin"
	actionForce    = "force"
	actionUnforce  = "unforce"
	actionTakeBack = "takeback" // pin the config before a change
)

const (
	// controlTimeout bounds reading and writing what is in force.
	controlTimeout = 10 * time.Second
	// pageTimeout bounds reading what is in force for a page, which shows an error instead.
	pageTimeout = 3 * time.Second
	// actedWithin bounds the wait for the leader.
	actedWithin = 5 * time.Second
	// previewLines is the greatest number of lines of a preview.
	previewLines = 300
	// offeredFlags is the greatest number of flags that the form offers by their keys.
	offeredFlags = 500
	// currentReference is the reference to the config in force.
	currentReference = "current"
)

// actionsData is the data of actions.html.
type actionsData struct {
	Name   string // of the token; empty: the forms ask who orders it
	Err    string // why it is unknown what is in force, with what to do
	Faults []string
	State  string // whether the leader acts on it; empty: it does
	Doubt  bool
	Pin    *actionPinned
	Forced []actionForced
	Notes  []string

	PinForm, ForceForm *actionForm
	Fault              string // of the form that was sent, as a whole
	Versions           []actionVersion
	Flags              []string // to choose from
	FlagKind           string   // of the flag in the form: Boolean, Whole number, Decimal number or Text; empty: no flag yet
	FlagName           string
}

// actionOrder is the part of the forms that says who, why and for how long.
type actionOrder struct {
	ID   string // prefix of the IDs of its fields
	Name string // of the token
	Form *actionForm
}

// PinOrder and ForceOrder return the common part of the forms.
func (d *actionsData) PinOrder() actionOrder   { return actionOrder{actionPin, d.Name, d.PinForm} }
func (d *actionsData) ForceOrder() actionOrder { return actionOrder{actionForce, d.Name, d.ForceForm} }

type actionPinned struct {
	Rev    int64
	Hash   string
	By     string
	Reason string
	Since  time.Time
	Until  time.Time
	Path   string
}

type actionForced struct {
	Flag, Name, Path string
	Value            string
	By, Reason       string
	Since, Until     time.Time
	Suspended        string
}

// actionVersion is a config to choose.
type actionVersion struct {
	Value, Text string
	Selected    bool
}

func (u *UI) actionsPage(r *request) (*page, error) {
	query := r.URL.Query()
	pin, force := newPinForm(), newForceForm()
	if rev := query.Get("pin"); rev != "" && len(rev) <= maxField {
		pin.Reference = rev
	}
	if flag := query.Get("flag"); len(flag) <= maxField {
		force.Flag = flag
	}
	return u.actionsWith(r, pin, force, "")
}

// newPinForm and newForceForm return the forms that nobody has filled in.
func newPinForm() *actionForm   { return &actionForm{For: "1h", Reference: currentReference} }
func newForceForm() *actionForm { return &actionForm{For: "30m"} }

// actionsWith returns the page of the forms.
func (u *UI) actionsWith(r *request, pin, force *actionForm, fault string) (*page, error) {
	d := &actionsData{
		Name: r.who.name, PinForm: pin, ForceForm: force, Fault: fault, FlagName: shown(force.Flag),
	}
	controls, err := u.controls(r)
	if err != nil {
		d.Err = visible(err.Error(), maxFault)
	} else {
		d.show(r, controls)
	}
	d.offer(r)
	return &page{title: "Actions on " + shown(r.view.Label), nav: "actions", template: "actions.html", data: d}, nil
}

// show shows what is in force.
func (d *actionsData) show(r *request, c *control.Controls) {
	d.Faults = visibleAll(orders.Faults(c))
	d.State, d.Doubt = orders.Standing(c)
	if p := c.Pinned; p != nil {
		d.Pin = &actionPinned{
			Rev: p.Rev, Hash: p.Hash, By: visible(p.By, maxName), Reason: visible(p.Reason, maxFault),
			Since: localTime(r.view, p.Since), Until: localTime(r.view, p.Until),
		}
		if p.Rev != 0 {
			d.Pin.Path = pathOf("history", r.view.Label, p.Rev)
		}
	}
	for _, f := range c.Forced {
		d.Forced = append(d.Forced, actionForced{
			Flag: f.Flag, Name: shown(f.Flag), Path: pathOf("flags", r.view.Label, f.Flag), Value: visible(orders.ForcedValue(f.Value.Any()), maxFault),
			By: visible(f.By, maxName), Reason: visible(f.Reason, maxFault), Since: localTime(r.view, f.Since), Until: localTime(r.view, f.Until),
			Suspended: visible(f.Suspended, maxFault),
		})
	}
	if warning := orders.OnlineSDK(c); warning != "" {
		d.Notes = append(d.Notes, warning)
	}
}

// offer lists what can be chosen.
func (d *actionsData) offer(r *request) {
	d.Versions = []actionVersion{{Value: currentReference, Text: "the config in force now"}}
	for i := range r.view.History {
		v := &r.view.History[i]
		text, rev := "not recorded", "rev "+strconv.FormatInt(v.Rev, 10)
		if v.Recorded() {
			text, rev = v.Time.UTC().Format(humanTime), visible(string(v.Cause), maxName)+", "+rev
		}
		switch i {
		case 0:
			text += ", in force"
		case 1:
			text += ", the one before"
		}
		text += ", " + rev // narrow windows do not show the end
		d.Versions = append(d.Versions, actionVersion{Value: strconv.FormatInt(v.Rev, 10), Text: text})
	}
	i := slices.IndexFunc(d.Versions, func(v actionVersion) bool { return v.Value == d.PinForm.Reference })
	if i < 0 {
		d.Versions = append(d.Versions, actionVersion{Value: d.PinForm.Reference, Text: visible(d.PinForm.Reference, maxName)})
		i = len(d.Versions) - 1
	}
	d.Versions[i].Selected = true
	d.Flags = offeredKeys(r.view)
	if r.view.Config == nil || d.ForceForm.Flag == "" {
		return
	}
	switch r.view.Config.KindOf(d.ForceForm.Flag) {
	case evaluate.KindNone:
		if _, err := orders.ValueIn(r.view.Config, d.ForceForm.Flag, ""); err != nil {
			d.ForceForm = d.ForceForm.with("flag", visible(err.Error(), maxFault))
		}
	case evaluate.KindBool:
		d.FlagKind = "Boolean"
	case evaluate.KindString:
		d.FlagKind = "Text"
	case evaluate.KindInt:
		d.FlagKind = "Whole number"
	case evaluate.KindFloat:
		d.FlagKind = "Decimal number"
	}
}

// offeredKeys returns keys of flags to choose from.
func offeredKeys(view *observe.View) []string {
	if view.Config == nil {
		return nil
	}
	keys := view.Config.Keys()
	return keys[:min(len(keys), offeredFlags)]
}
