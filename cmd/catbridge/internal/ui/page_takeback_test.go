package ui

import (
	"fmt"
	"html"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

var takeBackLink = regexp.MustCompile(`href="([^"]*)">Take this back`)

func TestTheLastChangeIsTakenBackInTwoClicks(t *testing.T) {
	actingOn(t, func(e *actingEnv) {
		for _, from := range []string{"/ui/", "/ui/sdk/shop/history"} {
			before := e.serves()
			e.publish()
			if e.serves() == before {
				e.Fatal("nothing changed")
			}
			link := takeBackLink.FindStringSubmatch(get(e.ui, controlToken, from).Body.String())
			if link == nil {
				e.Fatalf("%s has no link to take the change back", from)
			}
			view := e.observer.View("shop")
			taken, rev := strconv.FormatInt(view.History[0].Rev, 10), strconv.FormatInt(view.History[1].Rev, 10)
			form := get(e.ui, controlToken, html.UnescapeString(link[1]))
			checkMarkup(e.T, "take back", form)
			wantText(e.T, form, 200, "Take back the last change of shop", "version : default value changed: "+strconv.Itoa(before+1)+" (was "+strconv.Itoa(before)+")",
				"All services get the config before it ( rev "+rev+" )", "ConfigCat’s config is in force again, with this change, unless it is corrected in ConfigCat before")
			if !strings.Contains(form.Body.String(), `name="reason" value="take back the change of rev `+taken) {
				e.Error("the form is not filled in")
			}
			preview := e.send("takeback", "rev", taken, "for", "1h", "reason", "take it back")
			until := time.Now().Add(time.Hour).UTC().Format(humanTime)
			wantText(e.T, preview, 200, "Take back the last change of shop?", "version: default value changed: "+strconv.Itoa(before)+" (was "+strconv.Itoa(before+1)+")", "By ada", "Reason take it back",
				"Until "+until, "After that ConfigCat’s config is in force again", "All services get the config before it, rev "+rev, "Take it back for 1 h")
			if page := text(preview); strings.Contains(page, "Pin ") || strings.Contains(page, "not the last change") {
				e.Errorf("the preview speaks of something else: %s", page)
			}
			e.wantNothing("a preview")
			done, said := e.confirmed("takeback", preview)
			if done.Code != 303 || done.Header().Get("Location") != "/ui/sdk/shop/actions" {
				e.Fatalf("%d: %s", done.Code, text(done))
			}
			if want := "Done: the last change of shop is taken back until " + until + ". After that ConfigCat’s config is in force again, as it is then: correct it in ConfigCat before."; said != want {
				e.Errorf("the next page says %q, want %q", said, want)
			}
			e.settle()
			if e.serves() != before {
				e.Errorf("followers serve %d, want %d", e.serves(), before)
			}
			c := e.inForce()
			if c.Pinned == nil || c.Pinned.By != "ada" || c.Pinned.Reason != "take it back" || c.Pinned.Until.Sub(c.Pinned.Since) != time.Hour {
				e.Fatalf("%+v", c.Pinned)
			}
			wantText(e.T, e.actions(""), 200, "Pin of rev "+rev, "ada", "take it back", "End the pin …")
			wantText(e.T, get(e.ui, controlToken, "/ui/"), 200, "In force by an operator’s order", "by ada: take it back")
			wantText(e.T, get(e.ui, controlToken, "/ui/sdk/shop/history"), 200, "Withdraw this order …")
			for _, page := range []string{"/ui/", "/ui/sdk/shop/history"} {
				if strings.Contains(text(get(e.ui, controlToken, page)), "Take this back") {
					e.Errorf("%s offers to take back the taking back, besides the withdrawal", page)
				}
			}
			preview = e.send("unpin")
			wantText(e.T, preview, 200, "End the pin of shop?", "version: default value changed:")
			if done, said := e.confirmed("unpin", preview); done.Code != 303 || said != "Done: the pin of shop has ended. ConfigCat’s config is in force again." {
				e.Fatalf("%d: %s, %q", done.Code, text(done), said)
			}
			e.settle()
			e.wantNothing("after the end")
			if e.serves() != before+1 {
				e.Errorf("after the end followers serve %d", e.serves())
			}
			wantText(e.T, e.actions(""), 200, "nothing is in force")
		}
	})
}

// A change that is not the last one can be taken back, and what else that takes back is said.
func TestAnOlderChangeIsTakenBackWithTheNewerOnes(t *testing.T) {
	actingOn(t, func(e *actingEnv) {
		e.publish()
		e.publish()
		view := e.observer.View("shop")
		taken := view.History[1]
		name := "the change of " + taken.Time.UTC().Format(humanTime) + " of shop"
		path := "/ui/sdk/shop/actions/takeback?rev="
		wantText(e.T, get(e.ui, controlToken, path+fmt.Sprint(taken.Rev)), 200, "Take back "+name, "It is not the last change: a newer one is taken back with it.")
		preview := e.send("takeback", "rev", fmt.Sprint(taken.Rev), "for", "90m", "reason", "both")
		wantText(e.T, preview, 200, "Take back "+name+"?", "It is not the last change", "Take it back for 1 h 30 min")
		e.confirm("takeback", preview)
		if c := e.inForce(); c.Pinned == nil || c.Pinned.Rev != view.History[2].Rev {
			e.Errorf("%+v", c.Pinned)
		}
		oldest := view.History[len(view.History)-1].Rev
		wantText(e.T, get(e.ui, controlToken, path+fmt.Sprint(oldest)), 200, "It cannot be taken back:")
		wantText(e.T, e.send("takeback", "rev", fmt.Sprint(oldest), "for", "1h", "reason", "x"), 422, "the history does not have the config before this change")
		for rev, status := range map[string]int{"": 400, "x": 400, "-1": 400, "current": 400, "1000000000001": 404} {
			wantText(e.T, get(e.ui, controlToken, path+rev), status)
			wantText(e.T, e.send("takeback", "rev", rev, "for", "1h", "reason", "x", "confirm", "1"), status)
		}
		w := e.send("takeback", "rev", fmt.Sprint(taken.Rev), "for", "soon", "reason", "")
		wantText(e.T, w, 422, "Take back "+name, "write a time such as 30m", "say why")
	})
}
