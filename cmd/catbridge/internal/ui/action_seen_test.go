package ui

import (
	"errors"
	"html"
	"net/url"
	"strconv"
	"testing"
	"time"

	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
	"github.com/catbridge/catbridge/leader/control"
)

// Whatever a confirmation changes of the order that was shown, nothing is carried out.
func TestAConfirmationIsOfTheOrderThatWasShown(t *testing.T) {
	actingOn(t, func(e *actingEnv) {
		e.ui.SetTokens([]Token{{Secret: controlToken, Control: true}})
		e.publish()
		older := strconv.FormatInt(e.observer.View("shop").History[2].Rev, 10)
		newest := strconv.FormatInt(e.observer.View("shop").History[0].Rev, 10)
		second := strconv.FormatInt(e.observer.View("shop").History[1].Rev, 10)
		common := []string{"for", "1h", "reason", "incident", "by", "eve"}
		for kind, order := range map[string][]string{
			"force":    {"flag", fakecdn.VersionFlag, "value", "5"},
			"pin":      {"rev", "-1"},
			"takeback": {"rev", newest},
		} {
			preview := e.send(kind, append(order, common...)...)
			wantText(e.T, preview, 200, "?")
			shown := url.Values{}
			for _, field := range hiddenFields.FindAllStringSubmatch(preview.Body.String(), -1) {
				shown.Set(field[1], html.UnescapeString(field[2]))
			}
			other := map[string][]string{
				"for": {"2h", "1h1ns"}, "reason": {"incident 2"}, "by": {"mallory"},
			}
			switch kind {
			case "force":
				other["flag"], other["value"] = []string{"limit"}, []string{"6", "05"}
			case "pin":
				other["rev"] = []string{older, "current"}
			case "takeback":
				other["rev"] = []string{second}
			}
			for field, values := range other {
				for _, value := range values {
					var pairs []string
					for name := range shown {
						pairs = append(pairs, name, shown.Get(name))
					}
					w := e.send(kind, append(pairs, field, value)...)
					wantText(e.T, w, 200, "this is not the order that was shown", "nothing was written")
					e.wantNothing(kind + " with another " + field)
				}
			}
			// Another kind of order, and another person.
			if kind == "pin" {
				var pairs []string
				for name := range shown {
					pairs = append(pairs, name, shown.Get(name))
				}
				wantText(e.T, e.send("takeback", pairs...), 200, "this is not the order that was shown")
				e.wantNothing("another kind")
			}
		}
		// The same order by the person whose token has another name.
		preview := e.send("force", append([]string{"flag", fakecdn.VersionFlag, "value", "5"}, common...)...)
		e.ui.SetTokens(allTokens())
		wantText(e.T, e.confirm("force", preview), 200, "another person is signed in now")
		e.wantNothing("another person")
	})
}

// The end of a pin puts in force what the preview showed, or asks again.
func TestTheEndOfAPinIsConfirmedForTheConfigThatWasShown(t *testing.T) {
	actingOn(t, func(e *actingEnv) {
		pin := e.send("pin", "rev", "current", "for", "1h", "reason", "freeze")
		wantText(e.T, pin, 200, "the config stays as it is, so the history gets no entry")
		e.confirm("pin", pin)
		e.settle()
		preview := e.send("unpin")
		e.publish() // in ConfigCat, behind the pin
		wantText(e.T, e.confirm("unpin", preview), 200, "the config in force, or that of ConfigCat, has changed meanwhile; nothing was written", "version: default value changed")
		if e.inForce().Pinned == nil {
			e.Error("the pin has ended for a config that nobody saw")
		}
	})
}

// What another operator did between the preview and the confirmation is shown, and nothing is written.
func TestAConflictIsShownAndAsksAgain(t *testing.T) {
	actingOn(t, func(e *actingEnv) {
		preview := e.send("force", "flag", fakecdn.VersionFlag, "value", "5", "for", "1h", "reason", "incident")
		other, err := e.inForce().Force("limit", floatValue(2.5), control.Order{By: "bob", Reason: "test", For: time.Hour})
		if err != nil {
			e.Fatal(err)
		}
		if err := other.Apply(e.Context()); err != nil {
			e.Fatal(err)
		}
		e.settle()
		again := e.confirm("force", preview)
		wantText(e.T, again, 200, "another operator has changed what is in force meanwhile; nothing was written. Now:", "forced limit to 2.5", "by bob: test", "Force version of shop to 5?")
		if c := e.inForce(); len(c.Forced) != 1 {
			e.Fatalf("%+v", c.Forced)
		}
		if done := e.confirm("force", again); done.Code != 303 {
			e.Fatalf("%d: %s", done.Code, text(done))
		}
		if c := e.inForce(); len(c.Forced) != 2 {
			e.Errorf("%+v", c.Forced)
		}
		// A new config of the CDN changes what a preview said, too.
		preview = e.send("pin", "rev", "current", "for", "1h", "reason", "freeze")
		e.publish()
		wantText(e.T, e.confirm("pin", preview), 200, "the config in force, or that of ConfigCat, has changed meanwhile; nothing was written.")
		if e.inForce().Pinned != nil {
			e.Error("something was pinned that nobody saw")
		}
	})
}

// Another operator writes while the confirmation is carried out.
func TestAConflictDuringTheConfirmationIsShown(t *testing.T) {
	actingOn(t, func(e *actingEnv) {
		preview := e.send("force", "flag", fakecdn.VersionFlag, "value", "5", "for", "1h", "reason", "incident")
		hook := &beforeScripts{run: func() {
			other, err := e.inForce().Force("limit", floatValue(2.5), control.Order{By: "bob", Reason: "test", For: time.Hour})
			if err != nil {
				e.Error(err)
				return
			}
			if err := errors.Join(other.Apply(e.Context()), other.Await(e.Context())); err != nil {
				e.Error(err)
			}
		}}
		slow := e.server.Client(e.T, nil)
		slow.AddHook(hook)
		e.ui.config.Redis = slow
		again := e.confirm("force", preview)
		wantText(e.T, again, 200, "another operator has changed", "forced limit to 2.5", "Force version of shop to 5?")
		if c := e.inForce(); len(c.Forced) != 1 {
			e.Errorf("%+v", c.Forced)
		}
		if done := e.confirm("force", again); done.Code != 303 {
			e.Errorf("%d: %s", done.Code, text(done))
		}
	})
}
