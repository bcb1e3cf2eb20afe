package ui

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/orders"
	"github.com/catbridge/catbridge/leader/control"
)

// actionForm is what people fill in. It is what a form has sent, and what the form shows again.
type actionForm struct {
	Reference string // of the config to pin: a rev, current, or what catbridge pin takes; or the rev whose change is taken back
	Flag      string
	Value     string
	For       string
	Reason    string
	By        string
	Seen      string // what the preview showed, see [seen]
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

// with returns the form with an error of a field.
func (f *actionForm) with(field, text string) *actionForm {
	if f.Errors == nil {
		f.Errors = map[string]string{}
	}
	f.fault(field, text)
	return f
}
