package ofrep

import (
	"slices"
	"testing"
)

func TestTheETagIsOfAllThatTheAnswerDependsOn(t *testing.T) {
	seen := map[string]bool{}
	for _, filter := range []string{``, `"flags":[]`, `"flags":["a"]`, `"flags":["b"]`, `"flags":["a","b"]`, `"flags":["b","a"]`, `"flags":["ab"]`} {
		c := parse(t, `{"context":{`+filter+`}}`)
		for _, of := range [][3]string{{"h", "u", "s"}, {"h", "u", ""}, {"h2", "u", "s"}, {"h", "u2", "s"}, {"h", "", "us"}, {"hu", "", "s"}, {"", "hu", "s"}} {
			tag := c.ETag(of[0], of[1], of[2])
			if seen[tag] {
				t.Errorf("%s, %q: an ETag for the second time", filter, of)
			}
			seen[tag] = true
			if len(tag) != 32 || tag != c.ETag(of[0], of[1], of[2]) {
				t.Errorf("the ETag %s", tag)
			}
		}
	}
}

func TestFilterKeepsItsOrder(t *testing.T) {
	c := parse(t, `{"context":{"flags":["b","a","b"]}}`)
	if !c.filtered || !slices.Equal(c.flags, []string{"b", "a", "b"}) {
		t.Errorf("%v, %q", c.filtered, c.flags)
	}
	for _, body := range []string{`{"context":{"flags":"a"}}`, `{"context":{"flags":["a",1]}}`, `{"context":{"flags":null}}`, `{}`} {
		if parse(t, body).filtered {
			t.Errorf("%s: filtered", body)
		}
	}
}
