package follower

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/internal/evalcase"
	"github.com/catbridge/catbridge/internal/testenv/conformance"
)

type overrideSource struct {
	Map    map[string]json.RawMessage
	Config string
}

type overrideCase struct {
	conformance.Annotations
	Key       string
	Default   json.RawMessage
	User      any
	Local     *overrideSource
	Behaviour *string
	Remote    json.RawMessage // null: no config
	Expect    struct {
		Value         json.RawMessage
		IsDefault     *bool `json:"isDefaultValue"`
		ErrorCode     *int
		VariationID   *string
		ErrorContains []string
		ErrorPattern  string
	}
}

type overrideTable struct {
	Remote    *string
	Local     *overrideSource
	Behaviour *string
}

// S60–S64, S66: every case runs through a client.
func TestOverridesConformance_S60_S61_S62_S63_S64_S66(t *testing.T) {
	for _, name := range []string{
		"local_files", "override_map", "override_segments", "override_value_type", "prerequisite_override_file", "prerequisite_type_mismatch",
	} {
		t.Run(name, func(t *testing.T) {
			table := conformance.Table[overrideTable](t, name)
			held := 0
			for _, c := range conformance.Cases[overrideCase](t, name) {
				if !c.Required() {
					continue
				}
				held++
				client := table.client(t, &c)
				if fault := c.fault(t, client); fault != "" {
					t.Errorf("case %d: %s", c.ID, fault)
				}
				if client.overrides != nil {
					client.overrides.close()
				}
			}
			t.Logf("%d cases", held)
		})
	}
}

// client returns a client whose config is the remote one, with the overrides of the case.
func (table overrideTable) client(t *testing.T, c *overrideCase) *Client {
	t.Helper()
	var remote []byte
	if table.Remote != nil && string(c.Remote) != "null" {
		remote = conformance.File(t, "cases", *table.Remote)
	}
	client := heldClient(t, nil, remote)
	source, behaviour := c.Local, c.Behaviour
	if source == nil {
		source = table.Local
	}
	if behaviour == nil {
		behaviour = table.Behaviour
	}
	if behaviour == nil {
		return client
	}
	given := &FlagOverrides{Behavior: map[string]OverrideBehavior{
		"LocalOnly": LocalOnly, "LocalOverRemote": LocalOverRemote, "RemoteOverLocal": RemoteOverLocal,
	}[*behaviour]}
	if source.Map != nil {
		given.Values = make(map[string]any)
		for key, text := range source.Map {
			given.Values[key] = plainValue(t, text)
		}
	} else {
		given.FilePath = filepath.Join(conformance.Dir(t), "cases", source.Config)
	}
	if given.Behavior.String() != *behaviour || given.check() != nil {
		t.Fatalf("behaviour %q: %v", *behaviour, given.check())
	}
	client.overrides = startOverrides(given, client.log)
	return client
}

func unmarshal(t *testing.T, text []byte) (v any) {
	t.Helper()
	if len(text) == 0 {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return v
}

func plainValue(t *testing.T, text []byte) any {
	t.Helper()
	switch v := unmarshal(t, text).(type) {
	case json.Number:
		if whole, err := v.Int64(); err == nil {
			return whole
		}
		decimal, _ := v.Float64()
		return decimal
	case map[string]any:
		if v["$undefined"] != nil {
			return nil
		}
		return v
	default:
		return v
	}
}

func (c *overrideCase) fault(t *testing.T, client *Client) string {
	t.Helper()
	user, err := evalcase.User(c.User)
	if err != nil {
		t.Fatal(err)
	}
	defaults, err := evalcase.ParseDefault(unmarshal(t, c.Default))
	if err != nil {
		t.Fatal(err)
	}
	if len(defaults) == 0 {
		defaults = evalcase.Default{evaluate.Value{}}
	}
	var d EvaluationDetails
	for _, def := range defaults { // JSON does not distinguish whole and decimal defaults
		d = client.Snapshot(user).details("GetValueDetails", c.Key, def)
		if d.Data.ErrorCode != evaluate.CodeTypeMismatch {
			break
		}
	}
	got, err := json.Marshal(d.Value)
	if err != nil {
		t.Fatal(err)
	}
	switch e := c.Expect; {
	case e.Value != nil && !sameJSON(t, got, e.Value):
		return "value " + string(got) + ", want " + string(e.Value)
	case e.IsDefault != nil && d.Data.IsDefaultValue != *e.IsDefault:
		return "is it the default?"
	case e.ErrorCode != nil && int(d.Data.ErrorCode) != *e.ErrorCode:
		return "error " + text(d.Data.Error)
	case e.VariationID != nil && d.Data.VariationID != *e.VariationID:
		return "variation " + d.Data.VariationID
	case e.ErrorPattern != "" && !regexp.MustCompile(e.ErrorPattern).MatchString(text(d.Data.Error)):
		return "error " + text(d.Data.Error)
	}
	for _, part := range c.Expect.ErrorContains {
		if !strings.Contains(strings.ToLower(text(d.Data.Error)), strings.ToLower(part)) {
			return "error " + text(d.Data.Error)
		}
	}
	return ""
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// sameJSON reports whether a and b are equal. It compares numbers by value.
func sameJSON(t *testing.T, a, b []byte) bool {
	t.Helper()
	var x, y any
	if json.Unmarshal(a, &x) != nil || json.Unmarshal(b, &y) != nil {
		t.Fatalf("%s, %s", a, b)
	}
	return x == y
}
