package ui

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/observe"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/orders"
	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/history"
	"github.com/catbridge/catbridge/internal/wire"
	"github.com/catbridge/catbridge/leader/control"
)

func (u *UI) actionPages() {
	if !u.config.Acts {
		return // a port for browsers of serve never holds the right to turn flags
	}
	u.page("GET /ui/sdk/{sdk}/actions", rightControl, u.actionsPage)
	for _, kind := range []string{actionPin, actionUnpin, actionForce, actionUnforce} {
		u.post("POST /ui/sdk/{sdk}/actions/"+kind, rightControl, func(r *request) (*page, error) { return u.act(r, kind) })
	}
}

// The kinds of actions.
const (
	actionPin     = "pin"
	actionUnpin   = "unpin"
	actionForce   = "force"
	actionUnforce = "unforce"
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

// actionForm is what people fill in. It is what a form has sent, and what the form shows again.
type actionForm struct {
	Reference string // of the config to pin: a rev, current, or what catbridge pin takes
	Flag      string
	Value     string
	For       string
	Reason    string
	By        string
	Seen      string // what was in force when the preview was shown
	Confirm   bool

	Errors map[string]string // by the name of the field; "" is the form itself
}

// Limits of what a form sends, in bytes. The orders themselves have tighter ones.
const (
	maxField = 4 << 10
	maxValue = 64 << 10
)

// readAction reads a form. Strings that are too long are an error of their field, and are not shown again.
func readAction(get func(string) string) *actionForm {
	f := &actionForm{Errors: map[string]string{}}
	for _, field := range []struct {
		name  string
		dst   *string
		limit int
	}{
		{"rev", &f.Reference, maxField}, {"flag", &f.Flag, maxField}, {"value", &f.Value, maxValue}, {"for", &f.For, maxField},
		{"reason", &f.Reason, maxField}, {"by", &f.By, maxField}, {"seen", &f.Seen, maxField},
	} {
		text := strings.ReplaceAll(get(field.name), "\r\n", "\n") // browsers send line breaks so
		if len(text) > field.limit {
			f.Errors[field.name] = "at most " + strconv.Itoa(field.limit) + " bytes"
			continue
		}
		*field.dst = text
	}
	f.Reference, f.For = strings.TrimSpace(f.Reference), strings.TrimSpace(f.For)
	f.Reason, f.By = strings.TrimSpace(f.Reason), strings.TrimSpace(f.By)
	f.Confirm = get("confirm") == "1"
	return f
}

// order returns the order of the form. name is that of the token, which is known; empty: the form says who
// orders it. ok is false if the form has errors now.
func (f *actionForm) order(name string) (o control.Order, ok bool) {
	o = control.Order{By: cmp.Or(name, f.By), Reason: f.Reason}
	lasts, err := time.ParseDuration(strings.ReplaceAll(f.For, " ", ""))
	switch {
	case f.For == "":
		f.fault("for", "give the time after which it ends, such as 30m or 2h, at most 168h")
	case err != nil:
		f.fault("for", "write a time such as 30m, 2h or 1h30m, at most 168h")
	}
	o.For = lasts
	// Each part is checked alone, so that all faults show at once.
	valid := control.Order{By: "x", Reason: "x", For: time.Minute}
	for _, part := range []control.Order{
		{By: valid.By, Reason: valid.Reason, For: o.For}, {By: valid.By, Reason: o.Reason, For: valid.For}, {By: o.By, Reason: valid.Reason, For: valid.For},
	} {
		if fault := orders.Check(part); fault != nil {
			f.fault(fault.Part, fault.Text)
		}
	}
	switch fault := f.Errors["by"]; {
	case fault != "" && name != "":
		f.fault("", "the name of your token cannot say who orders it: "+fault)
	case fault != "" && f.By == "":
		f.Errors["by"] = "say who you are, in at most " + strconv.Itoa(control.MaxByBytes) + " bytes"
	}
	return o, len(f.Errors) == 0
}

// fault adds an error of a field, unless it has one.
func (f *actionForm) fault(field, text string) {
	if f.Errors[field] == "" {
		f.Errors[field] = text
	}
}

// Error returns the error of a field; empty: none.
func (f *actionForm) Error(field string) string { return f.Errors[field] }

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
	pin, force := &actionForm{For: "1h", Reference: currentReference}, &actionForm{For: "30m"}
	if rev := query.Get("pin"); rev != "" && len(rev) <= maxField {
		pin.Reference = rev
	}
	if back, err := strconv.ParseInt(query.Get("back"), 10, 64); err == nil {
		if i := versionAt(r.view.History, back); i >= 0 && i+1 < len(r.view.History) {
			pin.Reference = strconv.FormatInt(r.view.History[i+1].Rev, 10)
			pin.Reason = "take back rev " + strconv.FormatInt(back, 10)
		}
	}
	if flag := query.Get("flag"); len(flag) <= maxField {
		force.Flag = flag
	}
	return u.actionsWith(r, pin, force, "")
}

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
		text := "rev " + strconv.FormatInt(v.Rev, 10)
		if v.Recorded() {
			text = v.Time.UTC().Format(humanTime) + ", " + visible(string(v.Cause), maxName) + ", " + text
		}
		switch i {
		case 0:
			text += " (in force)"
		case 1:
			text += " (the one before)"
		}
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

// with returns the form with an error of a field.
func (f *actionForm) with(field, text string) *actionForm {
	if f.Errors == nil {
		f.Errors = map[string]string{}
	}
	f.fault(field, text)
	return f
}

// controlCache keeps what is in force for the pages that show it, so that 50 open pages read it no more often
// than one. It belongs to one view: the next one reads again.
type controlCache struct {
	mu   sync.Mutex
	held map[string]heldControls // by label
}

type heldControls struct {
	view     *observe.View
	controls *control.Controls
	err      error
}

// controls returns what is in force, as of the view.
func (u *UI) controls(r *request) (*control.Controls, error) {
	if r.view.Err != "" {
		return nil, errors.New(r.view.Err) // do not wait for a Redis that does not answer
	}
	cache := &u.inForce
	cache.mu.Lock()
	defer cache.mu.Unlock()
	label := r.view.Label
	if held, ok := cache.held[label]; ok && held.view == r.view {
		return held.controls, held.err
	}
	controls, err := u.readControls(r, pageTimeout)
	if err != nil {
		err = orders.Explain(err)
	}
	if r.Context().Err() != nil {
		return controls, err // the browser has gone: others need not see its error
	}
	if cache.held == nil {
		cache.held = map[string]heldControls{}
	}
	cache.held[label] = heldControls{r.view, controls, err}
	return controls, err
}

// forget makes the next page read what is in force.
func (c *controlCache) forget(label string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.held, label)
}

func (u *UI) readControls(r *request, timeout time.Duration) (*control.Controls, error) {
	key, ok := u.config.Observer.Secret(r.view.Label)
	if !ok {
		return nil, notFoundf("There is no SDK key with this name any more.")
	}
	ctx, cancel := context.WithTimeout(r.Context(), timeout)
	defer cancel()
	return control.Read(ctx, u.config.Redis, key, u.config.Namespace)
}

// previewData is the data of preview.html.
type previewData struct {
	What     string // the question
	Kind     string
	Button   string
	Form     *actionForm
	Who      string
	Order    bool // it puts something in force
	Conflict string
	Now      []string // what is in force now, after a conflict
	Notes    []string
	Warnings []string
	Lines    []orders.Line
	More     int
}

// act previews an action, or carries it out if it is confirmed.
func (u *UI) act(r *request, kind string) (*page, error) {
	f := readAction(r.PostFormValue)
	var o control.Order
	if kind == actionPin || kind == actionForce {
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
		d := &previewData{Kind: kind, Form: f, Who: o.By, Order: o.For > 0}
		change, err := u.change(r, kind, f, o, controls, d)
		if fault, ok := errors.AsType[*orders.Fault](err); ok && fault.Part != "" {
			f.fault(fault.Part, visible(fault.Error(), maxFault))
			return u.again(r, kind, f, "")
		} else if err != nil {
			return u.again(r, kind, f, notWritten(err))
		}
		seen := fingerprint(controls)
		if f.Confirm && !conflict && f.Seen == seen {
			err := u.apply(r, kind, d.What, o, change)
			if !errors.Is(err, control.ErrConflict) {
				return redirectTo(pathOf("actions", r.view.Label), resultOf(err))
			}
			conflict = true // another operator was faster, after this request read what is in force
			continue
		}
		if conflict || f.Confirm {
			d.changedSince(f.Seen, seen, controls)
		}
		f.Seen = seen
		if err := d.preview(controls, change); err != nil {
			return u.again(r, kind, f, notWritten(err))
		}
		return &page{title: d.What + "?", nav: "actions", template: "preview.html", data: d, still: true}, nil
	}
}

// notWritten says that nothing was written, and why.
func notWritten(err error) string {
	return "Nothing was written: " + visible(strings.TrimPrefix(err.Error(), "control: "), maxFault)
}

// configChanged says that nothing was written, because the preview was of another config.
const configChanged = "the config in force has changed meanwhile; nothing was written. What the order changes now is below."

// changedSince says what has changed since a preview.
func (d *previewData) changedSince(before, seen string, controls *control.Controls) {
	if half := len(seen) / 2; len(before) == len(seen) && before[:half] == seen[:half] && before != seen {
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
	if warning := orders.OnlineSDK(controls); d.Order && warning != "" {
		d.Warnings = append(d.Warnings, warning)
	}
	return nil
}

// again shows the forms again, with what was sent and what is wrong with it.
func (u *UI) again(r *request, kind string, f *actionForm, fault string) (*page, error) {
	pin, force := &actionForm{For: "1h", Reference: currentReference}, &actionForm{For: "30m"}
	fault = cmp.Or(fault, f.Errors[""])
	switch kind {
	case actionPin:
		pin = f
	case actionForce:
		force = f
	default:
		for _, text := range f.Errors { // the form has no fields that are shown
			fault = cmp.Or(fault, notWritten(errors.New(text)))
		}
	}
	p, err := u.actionsWith(r, pin, force, fault)
	if err != nil {
		return nil, err
	}
	p.status, p.still = http.StatusUnprocessableEntity, true
	return p, nil
}

// change computes the change, and says in d what it is. What is impossible is an [orders.Fault].
func (u *UI) change(r *request, kind string, f *actionForm, o control.Order, controls *control.Controls, d *previewData) (change *control.Change, err error) {
	label := shown(r.view.Label)
	switch kind {
	case actionPin:
		content, rev, err := u.content(r, f.Reference, controls)
		if err != nil {
			return nil, err
		}
		d.What, d.Button = "Pin a config of "+label, "Pin this config"
		if rev != 0 {
			d.What = "Pin rev " + strconv.FormatInt(rev, 10) + " of " + label
		}
		if f.Reference != currentReference {
			f.Reference = strconv.FormatInt(rev, 10) // -1 and 2h may mean another config later
		}
		broken, err := orders.Broken(content)
		if err != nil {
			return nil, &orders.Fault{Part: "rev", Text: err.Error()}
		}
		d.Warnings, d.Notes = visibleAll(broken), visibleAll(orders.Notes(controls))
		d.Notes = append(d.Notes, "Until it ends or is withdrawn, no other change of the CDN arrives. Then the CDN's config is in force again: correct it in ConfigCat before.")
		change, err = controls.Pin(content, rev, o)
		return change, asFault("", err)
	case actionUnpin:
		d.What, d.Button = "End the pin of "+label, "End the pin"
		change, err = controls.Unpin()
	case actionForce:
		value, err := orders.Value(controls, f.Flag, f.Value)
		if err != nil {
			return nil, err
		}
		d.What = "Force " + shown(f.Flag) + " of " + label + " to " + visible(orders.ForcedValue(value.Any()), maxName)
		d.Button = "Force this flag"
		change, err = controls.Force(f.Flag, value, o)
		return change, asFault("flag", err)
	default:
		d.What, d.Button = "End the force of "+shown(f.Flag)+" of "+label, "End the force"
		change, err = controls.Unforce(f.Flag)
	}
	return change, asFault("", err)
}

// asFault returns the error of a change that is impossible. part is the field to blame.
func asFault(part string, err error) error {
	if err == nil {
		return nil
	}
	return &orders.Fault{Part: part, Text: strings.TrimPrefix(err.Error(), "control: ")}
}

// content returns the config that a reference names, and its rev.
func (u *UI) content(r *request, reference string, controls *control.Controls) (json []byte, rev int64, err error) {
	if reference == currentReference {
		if controls.Current() == nil {
			return nil, 0, control.ErrNoConfig
		}
		return controls.Current(), controls.Rev, nil
	}
	key, _ := u.config.Observer.Secret(r.view.Label)
	ctx, cancel := context.WithTimeout(r.Context(), controlTimeout)
	defer cancel()
	if err := u.past.begin(ctx); err != nil {
		return nil, 0, err
	}
	defer u.past.end()
	h, err := history.Read(ctx, u.config.Redis, key, u.config.Namespace)
	if err != nil {
		return nil, 0, orders.Explain(err)
	}
	i, err := h.Find(reference)
	switch {
	case errors.Is(err, history.ErrReference):
		return nil, 0, &orders.Fault{Part: "rev", Text: "choose a config, or give a rev, the start of a hash, -1, a time such as 2h, or current"}
	case err == nil:
		json, err = h.Content(i)
	}
	if err != nil {
		return nil, 0, &orders.Fault{Part: "rev", Text: err.Error()}
	}
	return json, h.Versions[i].Rev, nil
}

// fingerprint identifies what is in force, in its first half, and the config that results, in the other: what
// a preview was made from.
func fingerprint(c *control.Controls) string {
	in := orders.InForce(c)
	in.Applied = false // whether the leader has acted changes by itself
	data, _ := json.Marshal(in)
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:16]) + wire.ContentHash(c.Current())[:32]
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

// resultOf returns the text that the next page shows.
func resultOf(err error) string {
	if err != nil {
		return visible(err.Error(), maxFault)
	}
	return "Done: the leader has acted."
}
