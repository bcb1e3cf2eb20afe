package interop

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/follower/followertest"
	"github.com/catbridge/catbridge/gateway"
)

// TestOFREPAndFollowerAgree evaluates random configs for random users with the gateway's OFREP and with
// the follower behind it. SEED and N in the environment select other configs and their number.
func TestOFREPAndFollowerAgree(t *testing.T) {
	t.Parallel()
	flags := followertest.New(t, nil)
	g, err := gateway.New(gateway.Config{SDKs: []gateway.SDK{{Key: sdkKey, Client: flags.Client}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Close)
	ask := func(target string, body any, into any) (status int, etag string) {
		t.Helper()
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, target, strings.NewReader(jsonText(body)))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("X-ConfigCat-SdkKey", sdkKey)
		w := httptest.NewRecorder()
		g.ServeHTTP(w, r)
		if err := json.Unmarshal(w.Body.Bytes(), into); err != nil {
			t.Fatalf("%v in %s", err, w.Body)
		}
		name := "ETag" // as it is sent, not in Go's form
		return w.Code, strings.Join(w.Header()[name], "")
	}
	seed, wanted := numberFrom(t, "SEED", 1), numberFrom(t, "N", 500)
	compared, lacking := 0, 0
	for number := range wanted {
		generator := newGenerator(seed, number)
		config := generator.config()
		content := []byte(jsonText(config))
		if _, err := evaluate.Parse(content); err != nil {
			continue
		}
		flags.SetConfigJSON(content)
		tags := map[string]string{} // context by ETag
		for range 4 {
			context, user := contextOf(generator.user(), config)
			var all struct{ Flags []ofrepAnswer }
			status, tag := ask("/ofrep/v1/evaluate/flags", object{"context": context}, &all)
			if status != http.StatusOK {
				t.Fatalf("seed %d, config %d, %s: status %d", seed, number, jsonText(context), status)
			}
			if other, taken := tags[tag]; taken && other != jsonText(context) {
				t.Fatalf("seed %d, config %d: %s and %s have the same ETag", seed, number, other, jsonText(context))
			}
			tags[tag] = jsonText(context)
			want, have := ofrepFlags(flags.Client, user), map[string]ofrepFlag{}
			for i, key := range flags.GetAllKeys() {
				if all.Flags[i].Key != key {
					t.Fatalf("seed %d, config %d: flag %d is %q, want %q", seed, number, i, all.Flags[i].Key, key)
				}
				have[key] = all.Flags[i].flag()
				if _, identified := user["Identifier"]; !identified && have[key].Code == "TARGETING_KEY_MISSING" {
					want[key] = have[key]
					lacking++
				}
			}
			if diff := cmp.Diff(want, have); diff != "" {
				t.Fatalf("seed %d, config %d, %s: follower and OFREP differ (-follower +OFREP):\n%s\n%s", seed, number, jsonText(context), diff, content)
			}
			if key := generator.flags[0].key; have[key].Code != "PARSE_ERROR" && !strings.ContainsAny(key, "%?# /") {
				var one ofrepAnswer
				if ask("/ofrep/v1/evaluate/flags/"+key, object{"context": context}, &one); one.flag() != have[key] {
					t.Fatalf("seed %d, config %d, %s: one %+v, all %+v", seed, number, jsonText(context), one.flag(), have[key])
				}
			}
			compared += len(have)
		}
	}
	if compared == 0 || wanted >= 500 && lacking == 0 {
		t.Errorf("%d compared, %d lack an identifier", compared, lacking)
	}
	t.Logf("seed %d: %d evaluations are the same, among them %d that lack a targeting key", seed, compared, lacking)
}

type ofrepAnswer struct {
	Key, Reason, Variant, ErrorCode string
	Value                           any
}

func (a ofrepAnswer) flag() ofrepFlag {
	return ofrepFlag{Value: a.Value, VariationID: a.Variant, Reason: a.Reason, Code: a.ErrorCode}
}

// contextOf returns a generated user as an evaluation context, and as what the follower should see of
// that.
func contextOf(generated, config any) (context object, user map[string]any) {
	context, user = object{}, map[string]any{}
	add := func(name string, value any) {
		if strings.Contains(fmt.Sprint(name, value), loneSurrogate) {
			return // becomes another character in UTF-8
		}
		if name == "Identifier" {
			if text, ok := value.(string); ok && text != "" {
				context["targetingKey"], user[name] = text, text
			}
			return
		}
		if name == "targetingKey" || name == "flags" {
			return
		}
		switch value := value.(type) {
		case nil:
			context[name] = nil
		case string:
			context[name], user[name] = value, value
		case bool:
			context[name], user[name] = value, strconv.FormatBool(value)
		case object:
			if text, ok := value["$date"].(string); ok {
				at, err := time.Parse(time.RFC3339, text)
				if err != nil {
					return // beyond the years of RFC 3339
				}
				context[name], user[name] = text, text
				if onlyDates(config, name) {
					user[name] = at
				}
			}
		case array:
			list := make([]string, len(value))
			for i, item := range value {
				text, ok := item.(string)
				if !ok {
					return
				}
				list[i] = text
			}
			context[name], user[name] = value, list
		default:
			number, err := strconv.ParseFloat(strings.TrimSpace(jsonText(value)), 64)
			if err != nil || math.IsInf(number, 0) {
				return
			}
			context[name], user[name] = value, number
		}
	}
	given, _ := generated.(object)
	custom, _ := given["Custom"].(object)
	for name, value := range custom {
		add(name, value)
	}
	for name, value := range given {
		if name != "Custom" {
			if name == "Identifier" {
				delete(context, "targetingKey")
			}
			delete(context, name)
			delete(user, name)
			add(name, value)
		}
	}
	for name, theirs := range map[string]string{"Email": "email", "Country": "country"} {
		if set, ok := user[name]; !ok || set == "" {
			if value, ok := user[theirs]; ok && value != "" {
				user[name] = value
			}
		}
	}
	return context, user
}

// onlyDates reports whether a config compares an attribute, and only with dates.
func onlyDates(config any, name string) bool {
	dates, others := false, false
	mapObjects(config, func(o object) object {
		if o["a"] == name {
			switch strings.TrimSpace(jsonText(o["c"])) {
			case "18", "19":
				dates = true
			default:
				others = true
			}
		}
		return o
	})
	return dates && !others
}
