package openfeature_test

import (
	"maps"
	"net"
	"testing"

	"github.com/google/go-cmp/cmp"
	of "github.com/open-feature/go-sdk/openfeature"
	"github.com/open-feature/go-sdk/openfeature/isolated"

	"github.com/catbridge/catbridge/follower"
	"github.com/catbridge/catbridge/follower/followertest"
	"github.com/catbridge/catbridge/follower/openfeature"
)

// start returns a separate OpenFeature API for the test, with the provider, and its client.
func start(t *testing.T, client *follower.Client) (*of.EvaluationAPI, *of.Client) {
	t.Helper()
	api := isolated.NewAPI()
	if err := api.SetProviderAndWait(t.Context(), openfeature.NewProvider(client)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := api.Shutdown(t.Context()); err != nil && t.Context().Err() == nil {
			t.Error(err)
		}
	})
	return api, api.NewClient()
}

const config = `{"p":{"s":"salt"},"f":{
	"on":{"t":0,"v":{"b":true},"i":"on-id"},
	"text":{"t":1,"v":{"s":"plain"},"i":"text-id",
		"r":[{"c":[{"u":{"a":"Email","c":2,"l":["@example.com"]}}],"s":{"v":{"s":"mail"},"i":"mail-id"}},
		     {"c":[{"u":{"a":"tier","c":28,"s":"gold"}}],"p":[{"p":100,"v":{"s":"gold"},"i":"gold-id"}]}]},
	"whole":{"t":2,"v":{"i":7},"i":"whole-id"},
	"decimal":{"t":3,"v":{"d":0.5},"i":"decimal-id"},
	"split":{"t":1,"v":{"s":"none"},"p":[{"p":100,"v":{"s":"all"},"i":"all-id"}]},
	"who":{"t":0,"v":{"b":false},"r":[{"c":[{"u":{"a":"Identifier","c":28,"s":"42"}}],"s":{"v":{"b":true}}}]},
	"json":{"t":1,"v":{"s":"{\"a\":[1,true]}"},"i":"json-id"},
	"broken":{"t":0,"v":{},"i":"broken-id"}}}`

func started(t *testing.T) *of.Client {
	t.Helper()
	flags := followertest.New(t, nil)
	flags.SetConfigJSON([]byte(config))
	_, client := start(t, flags.Client)
	return client
}

func TestEvaluationReturnsValueAndReason(t *testing.T) {
	client := started(t)
	somebody := of.NewEvaluationContext("42", nil)
	mail := of.NewEvaluationContext("42", map[string]any{"Email": "jane@example.com"})
	gold := of.NewEvaluationContext("42", map[string]any{"tier": "gold"})
	for name, c := range map[string]struct {
		have    func() (any, of.EvaluationDetails, error)
		value   any
		reason  of.Reason
		variant string
		code    of.ErrorCode
	}{
		"bool":        {asBool(t, client, "on", somebody), true, of.StaticReason, "on-id", ""},
		"text":        {asText(t, client, "text", somebody), "plain", of.DefaultReason, "text-id", ""},
		"whole":       {asInt(t, client, "whole", somebody), int64(7), of.StaticReason, "whole-id", ""},
		"decimal":     {asFloat(t, client, "decimal", somebody), 0.5, of.StaticReason, "decimal-id", ""},
		"rule":        {asText(t, client, "text", mail), "mail", of.TargetingMatchReason, "mail-id", ""},
		"rule split":  {asText(t, client, "text", gold), "gold", of.SplitReason, "gold-id", ""},
		"split":       {asText(t, client, "split", somebody), "all", of.SplitReason, "all-id", ""},
		"identifier":  {asBool(t, client, "who", somebody), true, of.TargetingMatchReason, "", ""},
		"object":      {asObject(t, client, "json", somebody), map[string]any{"a": []any{1.0, true}}, of.StaticReason, "json-id", ""},
		"no object":   {asObject(t, client, "text", somebody), "default", of.ErrorReason, "", of.TypeMismatchCode},
		"no flag":     {asBool(t, client, "none", somebody), false, of.ErrorReason, "", of.FlagNotFoundCode},
		"other type":  {asText(t, client, "on", somebody), "default", of.ErrorReason, "", of.TypeMismatchCode},
		"int default": {asInt(t, client, "decimal", somebody), int64(1 << 62), of.ErrorReason, "", of.TypeMismatchCode},
		"float":       {asFloat(t, client, "whole", somebody), 7.0, of.StaticReason, "whole-id", ""},
		"no float":    {asFloat(t, client, "text", somebody), 0.25, of.ErrorReason, "", of.TypeMismatchCode},
		"broken":      {asBool(t, client, "broken", somebody), false, of.ErrorReason, "", of.ParseErrorCode},
	} {
		t.Run(name, func(t *testing.T) {
			value, details, err := c.have()
			if diff := cmp.Diff(c.value, value); diff != "" {
				t.Errorf("value (-want +have):\n%s", diff)
			}
			if details.Reason != c.reason || details.Variant != c.variant || details.ErrorCode != c.code || (err != nil) != (c.code != "") {
				t.Errorf("%+v, error %v; want %+v", details, err, c)
			}
			if (details.ErrorMessage != "") != (c.code != "") {
				t.Errorf("message %q", details.ErrorMessage)
			}
			if at, err := details.FlagMetadata.GetString("fetchTime"); err != nil || at == "" {
				t.Errorf("metadata %v", details.FlagMetadata)
			}
		})
	}
}

type evaluation = func() (any, of.EvaluationDetails, error)

func asBool(t *testing.T, c *of.Client, flag string, ec of.EvaluationContext) evaluation {
	return func() (any, of.EvaluationDetails, error) {
		d, err := c.BooleanValueDetails(t.Context(), flag, false, ec)
		return d.Value, d.EvaluationDetails, err
	}
}

func asText(t *testing.T, c *of.Client, flag string, ec of.EvaluationContext) evaluation {
	return func() (any, of.EvaluationDetails, error) {
		d, err := c.StringValueDetails(t.Context(), flag, "default", ec)
		return d.Value, d.EvaluationDetails, err
	}
}

func asInt(t *testing.T, c *of.Client, flag string, ec of.EvaluationContext) evaluation {
	return func() (any, of.EvaluationDetails, error) {
		d, err := c.IntValueDetails(t.Context(), flag, 1<<62, ec)
		return d.Value, d.EvaluationDetails, err
	}
}

func asFloat(t *testing.T, c *of.Client, flag string, ec of.EvaluationContext) evaluation {
	return func() (any, of.EvaluationDetails, error) {
		d, err := c.FloatValueDetails(t.Context(), flag, 0.25, ec)
		return d.Value, d.EvaluationDetails, err
	}
}

func asObject(t *testing.T, c *of.Client, flag string, ec of.EvaluationContext) evaluation {
	return func() (any, of.EvaluationDetails, error) {
		d, err := c.ObjectValueDetails(t.Context(), flag, "default", ec)
		return d.Value, d.EvaluationDetails, err
	}
}

func TestEmptyContextUsesTheDefaultUser_S11(t *testing.T) {
	flags := followertest.New(t, nil, func(cfg *follower.Config) { cfg.DefaultUser = &follower.UserData{Identifier: "42"} })
	flags.SetConfigJSON([]byte(config))
	_, client := start(t, flags.Client)
	if !client.Boolean(t.Context(), "who", false, of.EvaluationContext{}) {
		t.Error("the default user did not apply")
	}
	if client.Boolean(t.Context(), "who", true, of.NewEvaluationContext("43", nil)) {
		t.Error("the default user applied instead of the one given")
	}
	if !client.Boolean(t.Context(), "who", false, of.NewTargetlessEvaluationContext(map[string]any{"Identifier": "42"})) {
		t.Error("an attribute Identifier did not count without a targeting key")
	}
}

// Email and email: the spellings of this provider, and of ConfigCat's own.
func TestEmailAndCountryInBothSpellings(t *testing.T) {
	flags := followertest.New(t, nil)
	flags.SetConfigJSON([]byte(`{"f":{"f":{"t":1,"v":{"s":"none"},"r":[
		{"c":[{"u":{"a":"Email","c":28,"s":"jane"}}],"s":{"v":{"s":"mail"}}},
		{"c":[{"u":{"a":"Country","c":28,"s":"HU"}}],"s":{"v":{"s":"country"}}},
		{"c":[{"u":{"a":"email","c":28,"s":"john"}}],"s":{"v":{"s":"custom"}}},
		{"c":[{"u":{"a":"IP","c":28,"s":"10.0.0.1"}}],"s":{"v":{"s":"address"}}}]}}}`))
	_, client := start(t, flags.Client)
	for _, test := range []struct {
		attributes map[string]any
		want       string
	}{
		{map[string]any{"Email": "jane"}, "mail"},
		{map[string]any{"email": "jane"}, "mail"},
		{map[string]any{"Email": "jane", "email": "john"}, "mail"},
		{map[string]any{"Email": "other", "email": "jane"}, "none"},
		{map[string]any{"Email": "other", "email": "john"}, "custom"},
		{map[string]any{"Email": "", "email": "jane"}, "mail"},
		{map[string]any{"Email": nil, "email": "jane"}, "mail"},
		{map[string]any{"email": ""}, "none"},
		{map[string]any{"Country": "HU"}, "country"},
		{map[string]any{"country": "HU"}, "country"},
		{map[string]any{"country": "HU", "Country": "AT"}, "none"},
		{map[string]any{"IP": net.IPv4(10, 0, 0, 1)}, "address"},
		{nil, "none"},
	} {
		given := maps.Clone(test.attributes)
		d, err := client.StringValueDetails(t.Context(), "f", "default", of.NewEvaluationContext("42", given))
		if err != nil || d.Value != test.want {
			t.Errorf("%v: %q, %v, want %q", test.attributes, d.Value, err, test.want)
		}
		if test.want == "none" && d.Reason != of.DefaultReason {
			t.Errorf("%v: reason %s", test.attributes, d.Reason)
		}
		if !cmp.Equal(given, test.attributes) {
			t.Errorf("the caller's context became %v", given)
		}
	}
}

// It calls the provider directly: OpenFeature's client replaces the value by the default.
func TestDefaultIsReturnedUnchanged(t *testing.T) {
	provider := openfeature.NewProvider(followertest.New(t, nil).Client)
	if d := provider.IntEvaluation(t.Context(), "none", 1<<62, nil); d.Value != 1<<62 {
		t.Errorf("%d", d.Value)
	}
	if d := provider.ObjectEvaluation(t.Context(), "none", []int{1}, nil); !cmp.Equal(d.Value, []int{1}) {
		t.Errorf("%v", d.Value)
	}
}
