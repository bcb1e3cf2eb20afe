package ui

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/observe"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/words"
	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/history"
)

func TestTheHistoryHasChangesCausesAndLeaders(t *testing.T) {
	v := wholeView(t)
	u := testUI(t, nil, acting, v)
	w := get(u, controlToken, "/ui/sdk/shop/history")
	checkMarkup(t, "history", w)
	wantText(t, w, 200, "webhook in force", fmt.Sprintf("rev %d 1a2b3c4d, 4.32 kB, by host-1 : ConfigCat's webhook told the leader to ask the CDN", currentRev), "newCheckout : default value: true (was false) rule 1: added",
		"limit : default value: 3 (was 2)", "old : removed (was Boolean, serves false)", "The oldest config in the history.", "there was no config before")
	body := w.Body.String()
	if n := strings.Count(body, "Take this back"); n != 1 {
		t.Errorf("%d changes can be taken back", n)
	}
	for _, part := range []string{`href="/ui/sdk/shop/flags/limit"`, `class="del"`, fmt.Sprintf(`href="/ui/sdk/shop/actions/takeback?rev=%d"`, currentRev), fmt.Sprintf(`href="/ui/sdk/shop/history/%d"`, currentRev-1000)} {
		if !strings.Contains(body, part) {
			t.Errorf("the page has not %s", part)
		}
	}
	if strings.Contains(body, `href="/ui/sdk/shop/flags/old"`) {
		t.Error("there is a link to a flag that was removed")
	}
	if strings.Contains(text(get(u, readToken, "/ui/sdk/shop/history")), "Take this back") {
		t.Error("who may not act is offered to")
	}
}

func TestTheHistoryOfAFlagHasWhatAffectsIt(t *testing.T) {
	v := wholeView(t)
	affected := change("newCheckout", evaluate.ChangeAffected, "its segment changed")
	affected.Segments = []string{"Beta"}
	v.History[1].Changes = []observe.Change{{Subject: words.Subject{Segment: "Beta"}, Kind: evaluate.ChangeEdited, Lines: []string{"condition 1: changed"}}, change("limit", evaluate.ChangeEdited, "x"), affected}
	u := testUI(t, nil, acting, v)
	w := get(u, readToken, "/ui/sdk/shop/history?flag=newCheckout")
	checkMarkup(t, "history of a flag", w)
	wantText(t, w, 200, "rule 1: added", "segment Beta : condition 1: changed", "its segment changed", "All changes")
	if strings.Contains(text(w), "limit") || strings.Contains(text(w), "The oldest config") {
		t.Error("there are changes of other flags")
	}
	wantText(t, get(u, readToken, "/ui/sdk/shop/history?flag=never"), 200, "No change of that flag is in the history.")
	wantText(t, get(u, readToken, "/ui/sdk/shop/history?flag="+strings.Repeat("x", 3000)), 400, "too long")
	v.History[0].Left = 5
	wantText(t, get(u, readToken, "/ui/sdk/shop/history?flag=never"), 200, "catbridge history shows whether this flag is one of them")
}

func TestGapsAreInTheWordsOfTheCommand(t *testing.T) {
	for _, gap := range []history.Gap{history.Unrecorded, history.Unknown, history.TooLarge, history.Corrupt} {
		v := wholeView(t)
		h := &v.History[0]
		h.Gap, h.Known, h.Changes, h.Why = gap, false, nil, "the config before "+words.Gap(gap)
		w := get(testUI(t, nil, acting, v), controlToken, "/ui/sdk/shop/history")
		wantText(t, w, 200, "What changed is not known: the config before "+words.Gap(gap))
		if strings.Contains(text(w), "Take this back") {
			t.Errorf("%s: what came before is not available, but can be pinned", gap)
		}
	}
	v := wholeView(t)
	v.History[0].Time, v.History[0].Cause = time.Time{}, ""
	v.History[1].Known, v.History[1].Why, v.Older, v.Malformed = false, observe.NotCompared, true, 2
	w := get(testUI(t, nil, acting, v), readToken, "/ui/sdk/shop/history")
	checkMarkup(t, "history", w)
	wantText(t, w, 200, "in force, not recorded", "Older configs are being compared", "The history has older configs", "2 entries of the history are malformed")
	v.History[0].Changes = nil
	wantText(t, get(testUI(t, nil, acting, v), readToken, "/ui/sdk/shop/history"), 200, "No flag evaluates differently.")
	empty := &observe.View{Label: "shop", Read: time.Now()}
	wantText(t, get(testUI(t, nil, acting, empty), readToken, "/ui/sdk/shop/history"), 200, "No config yet.")
	empty.HistoryErr = "NOPERM; grant +xrevrange"
	wantText(t, get(testUI(t, nil, acting, empty), readToken, "/ui/sdk/shop/history"), 200, "The history cannot be read: NOPERM; grant +xrevrange")
}

func TestAVersionHasAllItsChanges(t *testing.T) {
	v := wholeView(t)
	h := &v.History[1]
	h.Changes = nil
	for i := range observe.MaxChanges {
		h.Changes = append(h.Changes, change(fmt.Sprintf("flag%04d", i), evaluate.ChangeEdited, "default value: true (was false)"))
	}
	h.Left = 7
	u := testUI(t, nil, acting, v)
	wantText(t, get(u, readToken, "/ui/sdk/shop/history"), 200, "All 1007 changes")
	path := fmt.Sprintf("/ui/sdk/shop/history/%d", h.Rev)
	w := get(u, controlToken, path)
	checkMarkup(t, "version", w)
	wantText(t, w, 200, "Changes (1007)", "flag0000 :", "flag0999 :", "7 more changes, which the dashboard does not keep", "poll the leader asked the CDN", "host-1/AAAA", someHash, `W/"v7"`, "4.32 kB of JSON",
		"the config after it", "the config before it", "Pin this …", "within 1.2 s")
	wantText(t, get(u, explainToken, path), 200, "Explain it at this rev")
	if !strings.Contains(w.Body.String(), fmt.Sprintf(`href="/ui/sdk/shop/actions?pin=%d#pin"`, h.Rev)) {
		t.Error("there is no link to pin it")
	}
	if page := text(get(u, readToken, path)); strings.Contains(page, "Pin this") || strings.Contains(page, "Explain it") {
		t.Error("who may only read is offered more")
	}
	w = get(u, explainToken, path+"?explain=a%2Fb")
	if to := w.Header().Get("Location"); w.Code != 303 || to != fmt.Sprintf("/ui/sdk/shop/flags/a%%2Fb?at=%d", h.Rev) {
		t.Errorf("%d to %q", w.Code, to)
	}
}

func TestAnyRevMeansTheConfigInForceThen(t *testing.T) {
	v := wholeView(t)
	u := testUI(t, nil, acting, v)
	at := func(rev any) string { return fmt.Sprint("/ui/sdk/shop/history/", rev) }
	wantText(t, get(u, readToken, at(currentRev-500)), 200, fmt.Sprintf("At rev %d this config was in force", currentRev-500), fmt.Sprintf("Rev %d of shop", currentRev-1000))
	wantText(t, get(u, readToken, at(currentRev-5000)), 404, "goes back to no config")
	for _, wrong := range []string{"x", "-1", "0", "1.5", "99999999999999999999", "%3Cscript%3E"} {
		w := get(u, readToken, at(wrong))
		wantText(t, w, 400, "A rev is a number of 13 digits")
	}
	v.History[0].Gap = history.Unrecorded
	wantText(t, get(u, readToken, at(currentRev-500)), 404)
	wantText(t, get(u, readToken, at(currentRev-1000)), 200)
	empty := &observe.View{Label: "shop", Read: time.Now(), HistoryErr: "NOPERM"}
	wantText(t, get(testUI(t, nil, acting, empty), readToken, at(currentRev)), 503, "The history cannot be read: NOPERM")
}
