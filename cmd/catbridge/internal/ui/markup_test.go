package ui

import (
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

var (
	anyTag   = regexp.MustCompile(`<(/?)([a-zA-Z][a-zA-Z0-9]*)((?:[^<>"]|"[^"]*")*)>`)
	anyAttr  = regexp.MustCompile(`([a-zA-Z-]+)(?:="([^"]*)")?`)
	noEndTag = map[string]bool{"meta": true, "link": true, "input": true, "img": true, "br": true, "line": true, "circle": true, "rect": true, "path": true}
)

// checkMarkup checks that a page has balanced tags, no ID twice, nothing inline, labels for its fields, and no
// SDK key.
func checkMarkup(t *testing.T, what string, w *httptest.ResponseRecorder) {
	t.Helper()
	body := w.Body.String()
	var open []string
	ids, labelled := map[string]bool{}, map[string]bool{}
	var fields []string
	for _, tag := range anyTag.FindAllStringSubmatch(body, -1) {
		name := strings.ToLower(tag[2])
		if tag[1] != "" {
			if len(open) == 0 || open[len(open)-1] != name {
				t.Fatalf("%s: </%s> ends %q", what, name, open)
			}
			open = open[:len(open)-1]
			continue
		}
		id, kind, aria := "", "", false
		for _, attr := range anyAttr.FindAllStringSubmatch(tag[3], -1) {
			switch attr[1] {
			case "id":
				if id = attr[2]; ids[id] {
					t.Errorf("%s: the ID %s is a duplicate", what, id)
				}
				ids[id] = true
			case "for":
				labelled[attr[2]] = true
			case "type":
				kind = attr[2]
			case "aria-label", "aria-labelledby":
				aria = true
			case "style", "onclick", "onload", "onerror", "onmouseover":
				t.Errorf("%s: <%s> has the attribute %s", what, name, attr[1])
			}
		}
		inLabel := len(open) > 0 && open[len(open)-1] == "label"
		if (name == "input" || name == "select" || name == "textarea") && kind != "hidden" && !inLabel && !aria {
			fields = append(fields, id)
		}
		if !noEndTag[name] {
			open = append(open, name)
		}
	}
	if len(open) > 0 {
		t.Errorf("%s: %q do not end", what, open)
	}
	for _, id := range fields {
		if !labelled[id] {
			t.Errorf("%s: the field %q has no label", what, id)
		}
	}
	for _, secret := range []string{testKey, sdkSecret} {
		if strings.Contains(body, secret) {
			t.Errorf("%s: it shows the SDK key", what)
		}
	}
}

func TestCheckMarkupFindsFaults(t *testing.T) {
	for _, good := range []string{`<p id="a">x<br></p><label for="b">l</label><input id="b">`, `<label>x <input name="y"></label>`} {
		w := httptest.NewRecorder()
		w.Body.WriteString(good)
		checkMarkup(t, good, w)
	}
}
