package interop

import (
	"encoding/json"
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/test/redistest"
)

// TestSampleConfigMeansTheSameToBoth compares what this project and the official SDK
// make of the config in deploy/, which users are invited to edit.
func TestSampleConfigMeansTheSameToBoth(t *testing.T) {
	server := redistest.Start(t)
	sample := readFile(t, "../../deploy/flags.json")
	config, err := evaluate.Parse(sample)
	if err != nil {
		t.Fatal(err)
	}
	if broken := config.BrokenFlags(); len(broken) > 0 {
		t.Fatalf("broken flags: %v", broken)
	}
	entry := cachekeys.Entry{FetchTime: 1_790_000_000_000, JSON: sample}
	if err := server.Client(t, nil).Set(t.Context(), cacheKey, entry.Append(nil), 0).Err(); err != nil {
		t.Fatal(err)
	}
	for name, user := range map[string]map[string]any{
		"nobody":     nil,
		"beta":       {"identifier": "1", "email": "jane@example.com"},
		"Hungarian":  {"identifier": "2", "country": "HU"},
		"rolled out": {"identifier": "5"},
		"old app":    {"identifier": "3", "custom": map[string]any{"appVersion": "1.9.3"}},
	} {
		t.Run(name, func(t *testing.T) {
			text, err := json.Marshal(user)
			if err != nil {
				t.Fatal(err)
			}
			r := startSDK(t, server.URL(), "--user", string(text)).first(t)
			if len(r.Errors) > 0 || len(r.Flags) != len(config.Keys()) {
				t.Fatalf("the official SDK read %+v", r)
			}
			ours := map[string]flag{}
			for _, key := range config.Keys() {
				result := config.Evaluate(key, ourUser(user), evaluate.Value{}, nil)
				ours[key] = flag{Value: inJSON(t, result.Any()), VariationID: result.VariationID}
			}
			if diff := cmp.Diff(r.Flags, ours); diff != "" {
				t.Errorf("the official SDK - and catbridge +:\n%s", diff)
			}
		})
	}
}

// ourUser is the user that the script is given, as a user of this project's.
func ourUser(user map[string]any) any {
	if user == nil {
		return nil
	}
	attributes := map[string]any{}
	for name, official := range map[string]string{"identifier": "Identifier", "email": "Email", "country": "Country"} {
		if value, ok := user[name]; ok {
			attributes[official] = value
		}
	}
	custom, _ := user["custom"].(map[string]any)
	maps.Copy(attributes, custom)
	return attributes
}

// inJSON gives a value the type that it has after JSON.
func inJSON(t *testing.T, value any) (out any) {
	t.Helper()
	text, err := json.Marshal(value)
	if err == nil {
		err = json.Unmarshal(text, &out)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}
