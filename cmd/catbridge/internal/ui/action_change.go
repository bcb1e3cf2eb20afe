package ui

import (
	"cmp"
	"context"
	"errors"
	"strconv"
	"strings"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/orders"
	"github.com/catbridge/catbridge/history"
	"github.com/catbridge/catbridge/leader/control"
)

// afterPin and afterForce say what happens when an order ends.
const (
	afterPin   = "ConfigCat’s config is in force again, as it is then: correct it in ConfigCat before."
	afterForce = "the flag serves again what its rules say."
)

// change computes the change, and says in d what it is. What is impossible is an [orders.Fault].
func (u *UI) change(r *request, kind string, f *actionForm, o control.Order, controls *control.Controls, d *previewData) (change *control.Change, err error) {
	label := shown(r.view.Label)
	switch kind {
	case actionPin, actionTakeBack:
		return u.pin(r, kind, f, o, controls, d)
	case actionUnpin:
		d.What, d.Button = "End the pin of "+label, "End the pin"
		d.done, d.After = "the pin of "+label+" has ended", "ConfigCat’s config is in force again."
		if len(controls.Forced) > 0 {
			d.After = "ConfigCat’s config is in force again, with the flags that stay forced."
		}
		change, err = controls.Unpin()
	case actionForce:
		value, err := orders.Value(controls, f.Flag, f.Value)
		if err != nil {
			return nil, err
		}
		forced := shown(f.Flag) + " of " + label + " to " + visible(orders.ForcedValue(value.Any()), maxName)
		d.What, d.Button, d.After = "Force "+forced, "Force this flag", afterForce
		d.done = shown(f.Flag) + " of " + label + " is forced to " + visible(orders.ForcedValue(value.Any()), maxName)
		change, err = orders.Force(controls, f.Flag, value, o)
		return change, asFault("flag", err)
	default:
		d.What, d.Button = "End the force of "+shown(f.Flag)+" of "+label, "End the force"
		d.done, d.After = "the force of "+shown(f.Flag)+" of "+label+" has ended", "It serves again what its rules say."
		change, err = controls.Unforce(f.Flag)
	}
	return change, asFault("", err)
}

// pin computes a pin: of the config that was chosen, or of the one before a change that is taken back.
func (u *UI) pin(r *request, kind string, f *actionForm, o control.Order, controls *control.Controls, d *previewData) (*control.Change, error) {
	found, err := u.content(r, kind, f.Reference, controls)
	if err != nil {
		return nil, err
	}
	if found.reference != 0 {
		f.Reference = strconv.FormatInt(found.reference, 10) // -1 and 2h may mean another config later
	}
	name := "a config"
	if found.rev != 0 {
		name = "rev " + strconv.FormatInt(found.rev, 10)
	}
	broken, err := orders.Broken(found.json)
	if err != nil {
		return nil, &orders.Fault{Part: "rev", Text: err.Error()}
	}
	d.Warnings, d.Notes, d.After = visibleAll(broken), visibleAll(orders.Notes(controls)), afterPin
	if kind == actionTakeBack {
		what := changeName(r, found.taken, found.newer)
		d.What, d.Button, d.done = "Take back "+what, "Take it back for "+d.Lasts, what+" is taken back"
		d.Notes = append(d.Notes, "All services get the config before it, "+name+". Meanwhile no other change from ConfigCat reaches them.")
		if found.newer > 0 {
			d.Warnings = append(d.Warnings, newerChanges(found.newer))
		}
	} else {
		d.What, d.Button, d.done = "Pin "+name+" of "+shown(r.view.Label), "Pin this config", name+" of "+shown(r.view.Label)+" is pinned"
		d.Notes = append(d.Notes, "All services get this config. Meanwhile no other change from ConfigCat reaches them.")
	}
	change, err := controls.Pin(found.json, found.rev, o)
	return change, asFault("", err)
}

// asFault returns the error of a change that is impossible. part is the field to blame.
func asFault(part string, err error) error {
	if err == nil {
		return nil
	}
	return &orders.Fault{Part: part, Text: strings.TrimPrefix(err.Error(), "control: ")}
}

// pinnable is a config to pin.
type pinnable struct {
	json      []byte
	rev       int64 // 0: unknown
	reference int64 // the rev that means the same later; 0: the reference means the config in force

	taken history.Version // the change that is taken back
	newer int             // how many changes are newer than it
}

// content returns the config that a reference names, or for actionTakeBack the one before that.
func (u *UI) content(r *request, kind, reference string, controls *control.Controls) (*pinnable, error) {
	if kind == actionPin && reference == currentReference {
		if controls.Current() == nil {
			return nil, control.ErrNoConfig
		}
		return &pinnable{json: controls.Current(), rev: controls.Rev}, nil
	}
	fault := func(err error) error { return &orders.Fault{Part: "rev", Text: err.Error()} }
	if _, err := strconv.ParseUint(reference, 10, 63); err != nil && kind == actionTakeBack {
		return nil, fault(errors.New("a change is chosen by its rev"))
	}
	if err := u.past.missing(r, reference); err != nil {
		return nil, fault(err)
	}
	key, _ := u.config.Observer.Secret(r.view.Label)
	ctx, cancel := context.WithTimeout(r.Context(), controlTimeout)
	defer cancel()
	if err := u.past.begin(ctx); err != nil {
		return nil, err
	}
	defer u.past.end()
	h, err := history.Read(ctx, u.config.Redis, key, u.config.Namespace)
	if err != nil {
		return nil, orders.Explain(err)
	}
	list := u.past.learn(r, key, h)
	i, err := h.Find(reference)
	if err != nil {
		return nil, fault(referenceError(err))
	}
	found := &pinnable{reference: h.Versions[i].Rev}
	if kind == actionTakeBack {
		found.taken, found.newer = h.Versions[i], i
		if i++; i == len(h.Versions) {
			return nil, fault(errors.New("the history does not have the config before this change"))
		}
	}
	found.rev = h.Versions[i].Rev
	if found.json, err = h.Content(i); err != nil {
		u.past.lacks(list, i, err)
		return nil, fault(err)
	}
	return found, nil
}

// apply writes a change and waits for the leader. The error says what happened; it is nil if the leader
// has acted.
func (u *UI) apply(r *request, kind, what string, o control.Order, change *control.Change) error {
	defer u.inForce.forget(r.view.Label)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), controlTimeout)
	defer cancel()
	if err := change.Apply(ctx); err != nil {
		if errors.Is(err, control.ErrConflict) {
			return err
		}
		return errors.New("It is not certain whether anything was written. " + orders.Explain(err).Error())
	}
	u.config.Logger.Info("An operator changed what is in force.", "sdk_key", r.view.Label, "action", kind,
		"by", cmp.Or(o.By, r.who.name), "reason", o.Reason, "for", o.For)
	within, done := context.WithTimeout(ctx, actedWithin)
	defer done()
	if err := orders.Awaited(change.Await(within), actedWithin.String()); err != nil {
		return errors.New(what + ": " + err.Error())
	}
	return nil
}
