package orders

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/settings"
	"github.com/catbridge/catbridge/evaluate"
	state "github.com/catbridge/catbridge/internal/control"
	"github.com/catbridge/catbridge/internal/wire"
	"github.com/catbridge/catbridge/leader/control"
)

// Fault says that a part of an order is invalid. Nothing was written.
type Fault struct {
	Part string // for, reason, by, flag or value
	Text string // why, and what to write instead
	Near string // a flag with a similar key; empty: none
}

func (f *Fault) Error() string {
	if f.Near != "" {
		return fmt.Sprintf("%s; did you mean %.64q?", f.Text, f.Near)
	}
	return f.Text
}

func faultf(part, format string, args ...any) *Fault {
	return &Fault{Part: part, Text: fmt.Sprintf(format, args...)}
}

// Check returns the first fault of an order, or nil.
func Check(o control.Order) *Fault {
	switch {
	case o.For <= 0:
		return faultf("for", "give the time after which it ends, above zero and at most %v", control.MaxDuration)
	case o.For < time.Millisecond:
		return faultf("for", "%v is below 1ms", o.For)
	case o.For > control.MaxDuration:
		return faultf("for", "%v is more than %v (7 days)", o.For, control.MaxDuration)
	case strings.TrimSpace(o.Reason) == "":
		return faultf("reason", "say why, in at most %d bytes", control.MaxReasonBytes)
	}
	check := state.Order{By: o.By, Reason: o.Reason, Since: wire.MinRev, Until: wire.MinRev + 1}
	if fault, ok := errors.AsType[*wire.ParseError](check.Validate()); ok {
		return faultf(fault.Part, "%s", fault.Reason)
	}
	return nil
}

// Value returns the value that a text means for a flag. A flag of the config in force has the same type
// as without the forces. A flag that only the CDN's or the pinned config has is refused by
// [control.Controls.Force]. The error is a [*Fault] or [control.ErrNoConfig], or says that the current
// config is invalid.
func Value(controls *control.Controls, flag, text string) (evaluate.Value, error) {
	json := controls.Current()
	if json == nil {
		return evaluate.Value{}, control.ErrNoConfig
	}
	config, err := evaluate.Parse(json)
	if err != nil {
		return evaluate.Value{}, fmt.Errorf("the current config is invalid: %w", err)
	}
	return ValueIn(config, flag, text)
}

// ValueIn is [Value] for a compiled config. The error is a [*Fault].
func ValueIn(config *evaluate.Config, flag, text string) (evaluate.Value, error) {
	if config.KindOf(flag) == evaluate.KindNone {
		fault := faultf("flag", "the current config has no flag with that key, or it has no valid type") // the key is not quoted: it may be an SDK key
		fault.Near = settings.Nearest(flag, config.Keys(), 1+len(flag)/4)
		return evaluate.Value{}, fault
	}
	value, err := state.ParseValue(config, flag, text)
	if err != nil {
		return evaluate.Value{}, faultf("value", "%v", err)
	}
	return value, nil
}

// Force is [control.Controls.Force]. The error is a [*Fault] if so many flags are forced already that one must be
// withdrawn first; it names the one that ends first.
func Force(controls *control.Controls, flag string, value evaluate.Value, o control.Order) (*control.Change, error) {
	again := slices.ContainsFunc(controls.Forced, func(f control.Force) bool { return f.Flag == flag })
	if again || len(controls.Forced) < control.MaxForced {
		return controls.Force(flag, value, o)
	}
	first := slices.MinFunc(controls.Forced, func(a, b control.Force) int { return a.Until.Compare(b.Until) })
	return nil, faultf("flag", "%d flags are forced, and more are not possible: withdraw one first, such as %.64q, which ends before the others, at %s",
		len(controls.Forced), first.Flag, first.Until.Format(time.RFC3339))
}
