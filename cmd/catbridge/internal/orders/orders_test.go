package orders_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/orders"
	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/leader/control"
)

func TestTheFirstFaultOfAnOrderIsNamed(t *testing.T) {
	good := control.Order{By: "ada", Reason: "incident", For: time.Hour}
	if fault := orders.Check(good); fault != nil {
		t.Error(fault)
	}
	for want, change := range map[string]func(*control.Order){
		"for: give the time":          func(o *control.Order) { o.For = 0 },
		"for: 1µs is below 1ms":       func(o *control.Order) { o.For = time.Microsecond },
		"for: 169h0m0s is more than":  func(o *control.Order) { o.For = 169 * time.Hour },
		"reason: say why":             func(o *control.Order) { o.Reason = " \n" },
		"reason: over the size limit": func(o *control.Order) { o.Reason = strings.Repeat("x", 201) },
		"reason: a control character": func(o *control.Order) { o.Reason = "a\x1b[2Jb" },
		"by: missing":                 func(o *control.Order) { o.By = "" },
		"by: over the size limit":     func(o *control.Order) { o.By = strings.Repeat("x", 65) },
		"by: invalid UTF-8":           func(o *control.Order) { o.By = "\xff" },
	} {
		o := good
		change(&o)
		if fault := orders.Check(o); fault == nil || !strings.HasPrefix(fault.Part+": "+fault.Error(), want) {
			t.Errorf("%v, want %s", fault, want)
		}
	}
}

func TestValuesHaveTheTypeOfTheFlag(t *testing.T) {
	config := evaluate.FromValues(map[string]any{"on": true, "limit": 3, "rate": 0.5, "text": "x"})
	for _, good := range []struct{ flag, text string }{{"on", "false"}, {"limit", "-1"}, {"rate", "1e3"}, {"text", ""}, {"text", " "}} {
		if value, err := orders.ValueIn(config, good.flag, good.text); err != nil || value.Kind() != config.KindOf(good.flag) {
			t.Errorf("%s to %q: %v, %v", good.flag, good.text, value, err)
		}
	}
	for _, bad := range []struct{ flag, text, part string }{{"on", "1", "value"}, {"limit", "1.5", "value"}, {"rate", "NaN", "value"}, {"lmit", "1", "flag"}, {"", "1", "flag"}} {
		_, err := orders.ValueIn(config, bad.flag, bad.text)
		if fault, ok := errors.AsType[*orders.Fault](err); !ok || fault.Part != bad.part || bad.flag == "lmit" && fault.Near != "limit" {
			t.Errorf("%s to %q: %v", bad.flag, bad.text, err)
		}
	}
}

func TestWhatHappenedAfterAWriteIsSaid(t *testing.T) {
	for want, err := range map[string]error{
		"written, but there is no leader: the next one acts on it":    control.ErrNoLeader,
		"written, but the leader has an earlier version":              control.ErrEarlierLeader,
		"written; interrupted before the leader acted":                context.Canceled,
		"written, but the leader has not acted within 5s":             context.DeadlineExceeded,
		"written, but it is unknown whether the leader acted: broken": errors.New("broken"),
	} {
		if have := orders.Awaited(err, "5s"); have == nil || !strings.HasPrefix(have.Error(), want) {
			t.Errorf("%v, want %s", have, want)
		}
	}
	if orders.Awaited(nil, "5s") != nil {
		t.Error("an error although the leader has acted")
	}
}
