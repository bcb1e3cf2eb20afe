package evaluate_test

import (
	"strings"
	"testing"

	"github.com/catbridge/catbridge/evaluate"
)

func TestChangedKeysAreThoseThatMayServeOtherValues(t *testing.T) {
	hash := strings.Repeat("ab", 32)
	flag := func(rule string) string { return conditions(rule) }
	const asks = `{"p":{"f":"base","c":0,"v":{"b":true}}}`
	document := func(salt, segment, base string, more string) string {
		return `{"p":{"s":"` + salt + `"},"s":[{"n":"` + segment + `","r":[{"a":"Email","c":2,"l":["@` + segment + `"]}]}],"f":{
			"base":` + base + `,
			"asks":` + flag(asks) + `,
			"above":` + flag(strings.Replace(asks, "base", "asks", 1)) + `,
			"hashed":` + flag(`{"u":{"a":"Email","c":20,"s":"`+hash+`"}}`) + `,
			"inside":` + flag(`{"s":{"s":0,"c":0}}`) + `,
			"fixed":{"t":1,"v":{"s":"x"},"i":"id"}` + more + `}}`
	}
	const on, off = `{"t":0,"v":{"b":true}}`, `{"t":0,"v":{"b":false}}`
	was := document("salt", "beta", on, "")
	for name, test := range map[string]struct{ document, want string }{
		"nothing":        {was, ""},
		"spaces":         {strings.ReplaceAll(was, ",", ", "), ""},
		"a prerequisite": {document("salt", "beta", off, ""), "base asks above"},
		"the salt":       {document("other", "beta", on, ""), "hashed"},
		"a segment":      {document("salt", "gamma", on, ""), "inside"},
		"added":          {document("salt", "beta", on, `,"new":`+on), "new"},
		"variation ID":   {strings.Replace(was, `"id"`, `"id2"`, 1), "fixed"},
		"removed":        {strings.Replace(was, `"base":`+on+`,`, "", 1), "asks above base"},
		"all":            {`{"f":{}}`, "base asks above hashed inside fixed"},
	} {
		before, after := mustParse(t, was), mustParse(t, test.document)
		if got := strings.Join(after.ChangedKeys(before), " "); got != test.want {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
	config := mustParse(t, was)
	var none *evaluate.Config
	if got := config.ChangedKeys(none); len(got) != 6 {
		t.Error(got)
	}
	if got := none.ChangedKeys(config); len(got) != 6 {
		t.Error(got)
	}
	if got := none.ChangedKeys(nil); got != nil {
		t.Error(got)
	}
	override := func(value any) *evaluate.Config {
		return evaluate.Merge(config, evaluate.FromValues(map[string]any{"base": value}))
	}
	if got := strings.Join(override(true).ChangedKeys(override(false)), " "); got != "base asks above" {
		t.Error(got)
	}
	if got := override(true).ChangedKeys(override(true)); got != nil {
		t.Error(got)
	}
}
