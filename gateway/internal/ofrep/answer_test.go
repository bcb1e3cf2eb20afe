package ofrep

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/catbridge/catbridge/evaluate"
)

const configJSON = `{"p":{"s":"salt"},"f":{
	"on":{"t":0,"v":{"b":true},"i":"on-id"},
	"text":{"t":1,"v":{"s":"<\"plain\">"},"i":"text-id",
		"r":[{"c":[{"u":{"a":"Email","c":2,"l":["@example.com"]}}],"s":{"v":{"s":"mail"},"i":"mail-id"}},
		     {"c":[{"u":{"a":"tier","c":28,"s":"gold"}}],"p":[{"p":100,"v":{"s":"gold"},"i":"gold-id"}]}]},
	"whole":{"t":2,"v":{"i":7}},
	"decimal":{"t":3,"v":{"d":0.5},"i":"decimal-id"},
	"split":{"t":1,"v":{"s":"none"},"p":[{"p":100,"v":{"s":"all"},"i":"all-id"}]},
	"who":{"t":0,"v":{"b":false},"r":[{"c":[{"u":{"a":"Identifier","c":28,"s":"42"}}],"s":{"v":{"b":true}}}]},
	"needs":{"t":0,"v":{"b":false},"r":[{"c":[{"p":{"f":"who","c":0,"v":{"b":false}}}],"s":{"v":{"b":true}}}]},
	"broken":{"t":0,"v":{},"i":"broken-id"}}}`

func testConfig(t testing.TB) *evaluate.Config {
	t.Helper()
	config, err := evaluate.Parse([]byte(configJSON))
	if err != nil {
		t.Fatal(err)
	}
	return config
}

func TestAnswersOfFlags(t *testing.T) {
	config := testConfig(t)
	for _, c := range []struct {
		key, context string
		status       int
		body         string
	}{
		{"on", `{}`, 200, `{"key":"on","value":true,"reason":"STATIC","variant":"on-id","metadata":{"settingType":"boolean","configHash":"h"}}`},
		{"text", `{}`, 200, `{"key":"text","value":"<\"plain\">","reason":"TARGETING_MATCH","variant":"text-id","metadata":{"settingType":"string","configHash":"h"}}`},
		{"text", `{"email":"a@example.com"}`, 200, `{"key":"text","value":"mail","reason":"TARGETING_MATCH","variant":"mail-id","metadata":{"settingType":"string","configHash":"h","targetingRule":1}}`},
		{"text", `{"targetingKey":"1","tier":"gold"}`, 200, `{"key":"text","value":"gold","reason":"SPLIT","variant":"gold-id","metadata":{"settingType":"string","configHash":"h","targetingRule":2,"percentageOption":1}}`},
		{"whole", `{}`, 200, `{"key":"whole","value":7,"reason":"STATIC","metadata":{"settingType":"int","configHash":"h"}}`},
		{"decimal", `{}`, 200, `{"key":"decimal","value":0.5,"reason":"STATIC","variant":"decimal-id","metadata":{"settingType":"double","configHash":"h"}}`},
		{"split", `{"targetingKey":"1"}`, 200, `{"key":"split","value":"all","reason":"SPLIT","variant":"all-id","metadata":{"settingType":"string","configHash":"h","percentageOption":1}}`},
		{"split", `{}`, 400, `{"key":"split","errorCode":"TARGETING_KEY_MISSING","errorDetails":"a rule or percentage option of the flag needs a targetingKey"}`},
		{"who", `{"targetingKey":"42"}`, 200, `{"key":"who","value":true,"reason":"TARGETING_MATCH","metadata":{"settingType":"boolean","configHash":"h","targetingRule":1}}`},
		{"who", `{"targetingKey":""}`, 400, `{"key":"who","errorCode":"TARGETING_KEY_MISSING","errorDetails":"a rule or percentage option of the flag needs a targetingKey"}`},
		{"needs", `{}`, 400, `{"key":"needs","errorCode":"TARGETING_KEY_MISSING","errorDetails":"a rule or percentage option of the flag needs a targetingKey"}`},
		{"none \"", `{}`, 404, `{"key":"none \"","errorCode":"FLAG_NOT_FOUND","errorDetails":"the config has no such flag"}`},
	} {
		status, body := Single(config, c.key, parse(t, `{"context":`+c.context+`}`).Attributes, "h")
		if status != c.status || string(body) != c.body {
			t.Errorf("%s, %s: %d %s\nwant %d %s", c.key, c.context, status, body, c.status, c.body)
		}
	}
	status, body := Single(config, "broken", nil, "h")
	if status != 400 || !strings.Contains(string(body), `"errorCode":"PARSE_ERROR"`) {
		t.Errorf("broken: %d %s", status, body)
	}
}

type bulk struct {
	Flags        []map[string]any
	Metadata     map[string]string
	EventStreams []struct {
		Type     string
		Endpoint struct{ RequestURI string }
		Delay    int `json:"inactivityDelaySec"`
	}
}

func bulkOf(t *testing.T, config *evaluate.Config, context, stream string) bulk {
	t.Helper()
	var b bulk
	c := parse(t, `{"context":`+context+`}`)
	body := c.Bulk(config, c.Attributes, "h", stream)
	if err := json.Unmarshal(body, &b); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	return b
}

func TestBulkHasEachFlagOfSingle(t *testing.T) {
	config := testConfig(t)
	for _, context := range []string{`{}`, `{"targetingKey":"42","email":"a@example.com"}`, `{"tier":"gold"}`} {
		b := bulkOf(t, config, context, "")
		var keys []string
		for _, flag := range b.Flags {
			key := flag["key"].(string)
			keys = append(keys, key)
			_, body := Single(config, key, parse(t, `{"context":`+context+`}`).Attributes, "")
			var single map[string]any
			if err := json.Unmarshal(body, &single); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(single, flag); diff != "" {
				t.Errorf("%s, %s (-single +bulk):\n%s", context, key, diff)
			}
		}
		if diff := cmp.Diff(config.Keys(), keys); diff != "" {
			t.Errorf("order of the flags (-config +bulk):\n%s", diff)
		}
		if b.Metadata["configHash"] != "h" || b.EventStreams != nil {
			t.Errorf("%+v", b)
		}
	}
}

func TestFilterSelectsFlags(t *testing.T) {
	config := testConfig(t)
	b := bulkOf(t, config, `{"flags":["whole","none","on","whole"]}`, "")
	var keys []string
	for _, flag := range b.Flags {
		keys = append(keys, flag["key"].(string))
	}
	if diff := cmp.Diff([]string{"whole", "none", "on"}, keys); diff != "" || b.Flags[1]["errorCode"] != "FLAG_NOT_FOUND" {
		t.Errorf("%v\n%s", b.Flags, diff)
	}
	if b := bulkOf(t, config, `{"flags":[]}`, ""); len(b.Flags) != 0 || b.Flags == nil {
		t.Errorf("%+v", b)
	}
}

func TestBulkNamesTheStream(t *testing.T) {
	b := bulkOf(t, testConfig(t), `{}`, "/ofrep/v1/events?token=x&after=\"")
	if len(b.EventStreams) != 1 || b.EventStreams[0].Type != "sse" || b.EventStreams[0].Endpoint.RequestURI != "/ofrep/v1/events?token=x&after=\"" || b.EventStreams[0].Delay != 120 {
		t.Errorf("%+v", b.EventStreams)
	}
}

// A flag that did not change has the same bytes with another content: clients find what changed by
// comparing flags.
func TestAFlagDoesNotChangeWithTheHash(t *testing.T) {
	c := parse(t, `{}`)
	one, two := c.Bulk(testConfig(t), nil, "one", ""), c.Bulk(testConfig(t), nil, "two", "")
	if strings.Replace(string(one), `"one"`, `"two"`, 1) != string(two) {
		t.Errorf("%s\n%s", one, two)
	}
}
