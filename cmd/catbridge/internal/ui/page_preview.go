package ui

import (
	"cmp"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/orders"
	"github.com/catbridge/catbridge/leader/control"
)

// previewData is the data of preview.html.
type previewData struct {
	Kind     string
	What     string // the question, without its mark
	Button   string
	Form     *actionForm
	Who      string
	Lasts    string    // how long the order is in force; empty: it ends something
	Until    time.Time // when it ends if it is confirmed now
	After    string    // what happens then
	Conflict string
	Now      []string // what is in force now, after a conflict
	Notes    []string
	Warnings []string
	Lines    []orders.Line
	More     int

	done string // that it has happened: a clause
}

// act previews an action, or carries it out if it is confirmed.
func (u *UI) act(r *request, kind string) (*page, error) {
	f := readAction(r.PostFormValue)
	var o control.Order
	if kind == actionPin || kind == actionForce || kind == actionTakeBack {
		o, _ = f.order(r.who.name)
	}
	if len(f.Errors) > 0 {
		return u.again(r, kind, f, "")
	}
	for conflict := false; ; {
		controls, err := u.readControls(r, controlTimeout)
		if err != nil {
			return u.again(r, kind, f, notWritten(orders.Explain(err)))
		}
		d := &previewData{Kind: kind, Form: f, Who: o.By}
		if o.For > 0 {
			d.Lasts, d.Until = dur(o.For), time.Now().Add(o.For)
		}
		change, err := u.change(r, kind, f, o, controls, d)
		if fault, ok := errors.AsType[*orders.Fault](err); ok && fault.Part != "" {
			f.fault(fault.Part, visible(fault.Error(), maxFault))
			return u.again(r, kind, f, "")
		} else if err != nil {
			return u.again(r, kind, f, notWritten(err))
		}
		before, now := parseSeen(f.Seen), seenBy(r, kind, f, o, controls, change)
		if f.Confirm && !conflict && before == now {
			err := u.apply(r, kind, d.What, o, change)
			if !errors.Is(err, control.ErrConflict) {
				return redirectTo(pathOf("actions", r.view.Label), d.outcome(o, err))
			}
			conflict = true // another operator was faster, after this request read what is in force
			continue
		}
		if conflict || f.Confirm {
			d.changedSince(before, now, controls)
		}
		f.Seen = now.String()
		if err := d.preview(controls, change); err != nil {
			return u.again(r, kind, f, notWritten(err))
		}
		return &page{title: d.What + "?", nav: "actions", template: "preview.html", data: d, still: true}, nil
	}
}

// outcome returns the text that the next page shows after an order was written.
func (d *previewData) outcome(o control.Order, err error) string {
	if err != nil {
		return visible(err.Error(), maxFault)
	}
	if o.For > 0 {
		return "Done: " + d.done + " until " + time.Now().Add(o.For).UTC().Format(humanTime) + ". After that " + d.After
	}
	return "Done: " + d.done + ". " + d.After
}

// notWritten says that nothing was written, and why.
func notWritten(err error) string {
	return "Nothing was written: " + visible(strings.TrimPrefix(err.Error(), "control: "), maxFault)
}

const (
	// configChanged says that nothing was written, because the preview was of another config.
	configChanged = "the config in force, or that of ConfigCat, has changed meanwhile; nothing was written. What the order changes now is below."
	// orderChanged says that nothing was written, because the preview was of another order.
	orderChanged = "this is not the order that was shown, or another person is signed in now; nothing was written. What the order changes is below."
)

// changedSince says what has changed since a preview.
func (d *previewData) changedSince(before, now seen, controls *control.Controls) {
	switch {
	case before.inForce == now.inForce && before.order != now.order:
		d.Conflict = orderChanged
		return
	case before.inForce == now.inForce && before.configs != now.configs:
		d.Conflict = configChanged
		return
	}
	d.Conflict = orders.Conflict
	in := orders.InForce(controls)
	d.Now = visibleAll(orders.Lines(&in))
	if text, _ := orders.Standing(controls); text != "" {
		d.Now = append(d.Now, text)
	}
}

// preview says what a change changes.
func (d *previewData) preview(controls *control.Controls, change *control.Change) error {
	lines, err := orders.Preview(controls, change)
	if err != nil {
		return err
	}
	d.More = max(0, len(lines)-previewLines)
	for _, line := range lines[:len(lines)-d.More] {
		d.Lines = append(d.Lines, orders.Line{Text: visible(line.Text, maxFault), Unknown: line.Unknown})
	}
	if warning := orders.OnlineSDK(controls); d.Lasts != "" && warning != "" {
		d.Warnings = append(d.Warnings, warning)
	}
	return nil
}

// again shows the form again, with what was sent and what is wrong with it.
func (u *UI) again(r *request, kind string, f *actionForm, fault string) (*page, error) {
	fault = cmp.Or(fault, f.Errors[""])
	var p *page
	var err error
	switch kind {
	case actionTakeBack:
		p, err = u.takeBackWith(r, f, fault)
	case actionPin:
		p, err = u.actionsWith(r, f, newForceForm(), fault)
	case actionForce:
		p, err = u.actionsWith(r, newPinForm(), f, fault)
	default:
		for _, text := range f.Errors { // the form has no fields that are shown
			fault = cmp.Or(fault, notWritten(errors.New(text)))
		}
		p, err = u.actionsWith(r, newPinForm(), newForceForm(), fault)
	}
	if err != nil {
		return nil, err
	}
	p.status, p.still = http.StatusUnprocessableEntity, true
	return p, nil
}
