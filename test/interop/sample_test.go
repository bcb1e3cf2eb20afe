package interop

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
)

// TestSampleConfigHasTheSameMeaningInBoth compares the evaluations of the config in
// deploy/, which users may edit, by this project and the official SDK.
func TestSampleConfigHasTheSameMeaningInBoth(t *testing.T) {
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
		"beta":       {"Identifier": "1", "Email": "jane@example.com"},
		"Hungarian":  {"Identifier": "2", "Country": "HU"},
		"rolled out": {"Identifier": "5"},
		"old app":    {"Identifier": "3", "appVersion": "1.9.3"},
	} {
		t.Run(name, func(t *testing.T) {
			var args []string
			var attributes any // not a nil map: that is a user without attributes
			if user != nil {
				args, attributes = []string{"--user", toJSON(t, user)}, user
			}
			r := startSDK(t, server.URL(), args...).first(t)
			if len(r.Errors) > 0 || len(r.Flags) != len(config.Keys()) {
				t.Fatalf("the official SDK read %+v", r)
			}
			ours := map[string]flag{}
			for _, key := range config.Keys() {
				result := config.Evaluate(key, attributes, evaluate.Value{}, nil)
				ours[key] = flag{Value: inJSON(t, result.Any()), VariationID: result.VariationID}
			}
			if diff := cmp.Diff(r.Flags, ours); diff != "" {
				t.Errorf("the official SDK - and catbridge +:\n%s", diff)
			}
		})
	}
}

func toJSON(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// inJSON converts a value to the type that it has after JSON.
func inJSON(t *testing.T, value any) (out any) {
	t.Helper()
	if err := json.Unmarshal([]byte(toJSON(t, value)), &out); err != nil {
		t.Fatal(err)
	}
	return out
}
