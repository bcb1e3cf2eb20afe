package follower

import (
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/internal/testenv/conformance"
	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
	"github.com/catbridge/catbridge/internal/wire"
)

// A flag that fails does not affect the others.
func TestAllValueDetails_S18(t *testing.T) {
	log, _ := recorded(slog.LevelInfo + 1)
	c := heldClient(t, slog.New(log), []byte(partlyBroken))
	type row struct {
		Key, Variation string
		Value          any
		Code           ErrorCode
	}
	var got []row
	for _, d := range c.GetAllValueDetails(nil) {
		got = append(got, row{d.Data.Key, d.Data.VariationID, d.Value, d.Data.ErrorCode})
		if d.Data.FetchTime.IsZero() || (d.Data.Error != nil) != d.Data.IsDefaultValue {
			t.Errorf("%+v", d)
		}
	}
	if diff := cmp.Diff([]row{{"good", "on", true, 0}, {"bad", "", nil, evaluate.CodeInvalidModel}}, got); diff != "" {
		t.Error(diff)
	}
	if values := c.GetAllValues(nil); !cmp.Equal(values, map[string]any{"good": true, "bad": nil}) {
		t.Error(values) // S17
	}
	found := log.with(1002)
	if len(found) != 2 ||
		!strings.HasPrefix(found[0].text, "[1002] Error occurred in the `GetAllValueDetails` method. Returning evaluation result. error=Invalid config JSON content.") ||
		!strings.HasPrefix(found[1].text, "[1002] Error occurred in the `GetAllValues` method. Returning evaluation result. ") {
		t.Errorf("%+v", found)
	}
}

func TestAllVariationIDs_S19(t *testing.T) {
	c := heldClient(t, nil, configJSON(1))
	if diff := cmp.Diff([]string{"v1", "on", "theirs"}, c.GetAllVariationIDs(nil)); diff != "" {
		t.Error(diff)
	}
	c.SetDefaultUser(&UserData{Email: "a@example.com"})
	if diff := cmp.Diff([]string{"v1", "on", "ours"}, c.GetAllVariationIDs(nil)); diff != "" {
		t.Error(diff)
	}
}

func TestVariationLookupConformance_S20(t *testing.T) {
	type lookup struct {
		ID          int
		Config      string
		VariationID string
		Expect      *struct {
			Key   string
			Value any
		}
	}
	files := conformance.Table[struct{ Configs map[string]string }](t, "variation_lookup").Configs
	for _, test := range conformance.Cases[lookup](t, "variation_lookup") {
		log, _ := recorded(slog.LevelWarn)
		c := heldClient(t, slog.New(log), conformance.File(t, "cases", files[test.Config]))
		key, value := c.GetKeyValueForVariationID(test.VariationID)
		snapshotKey, snapshotValue := c.Snapshot(nil).GetKeyValueForVariationID(test.VariationID)
		if snapshotKey != key || snapshotValue != value {
			t.Errorf("case %d: the snapshot returns %q, %v", test.ID, snapshotKey, snapshotValue)
		}
		if test.Expect != nil {
			if key != test.Expect.Key || value != test.Expect.Value {
				t.Errorf("case %d: %q, %v", test.ID, key, value)
			}
			continue
		}
		if key != "" || value != nil {
			t.Errorf("case %d: %q, %v", test.ID, key, value)
		}
		want := "[2011] Could not find the setting for the specified variation ID: '" + test.VariationID + "'. event_id=2011"
		if found := log.with(2011); len(found) != 2 || found[0].text != want || found[0].level != slog.LevelError {
			t.Errorf("case %d: %+v", test.ID, found)
		}
	}
}

func TestListsWithoutConfig_S16_S18_S20(t *testing.T) {
	log, _ := recorded(slog.LevelWarn)
	c := heldClient(t, slog.New(log), nil)
	s := c.Snapshot(nil)
	key, value := c.GetKeyValueForVariationID("x")
	if len(c.GetAllKeys())+len(c.GetAllValues(nil))+len(c.GetAllValueDetails(nil))+len(c.GetAllVariationIDs(nil)) > 0 || key != "" || value != nil {
		t.Error("the client lists something")
	}
	if len(s.GetAllKeys())+len(s.GetAllValues())+len(s.GetAllValueDetails())+len(s.GetAllVariationIDs()) > 0 || s.GetAllValues() == nil ||
		s.GetValue("x") != nil || s.CacheState() != NoFlagData || !s.FetchTime().IsZero() || s.Config() != nil {
		t.Error("the snapshot has something")
	}
	wantEvents(t, log, 1000, 11)
	for _, what := range []string{"empty slice", "empty map", "nil"} {
		want := logged{id: 1000, level: slog.LevelError, text: "[1000] Config JSON is not present. Returning " + what + ". event_id=1000"}
		if !slices.Contains(log.with(1000), want) {
			t.Errorf("no %q", want.text) // S102
		}
	}
}

func TestASnapshotDoesNotChange_S22(t *testing.T) {
	inBubble(t, func(t *testing.T, n *network) {
		w := n.writer(t, 1)
		w.beat()
		c := n.ready(t)
		synctest.Wait()
		ours := &UserData{Email: "a@example.com"}
		c.SetDefaultUser(ours)
		s := c.Snapshot(nil)
		fetched := s.FetchTime()
		w.commit(configJSON(2))
		synctest.Wait()
		c.ClearDefaultUser()
		c.Close()
		time.Sleep(time.Hour)
		want := map[string]any{"version": 1, "isOn": true, "ratio": 0.5, "text": "ours"}
		if diff := cmp.Diff(want, s.GetAllValues()); diff != "" {
			t.Error(diff)
		}
		if d := s.GetValueDetails("text"); d.Value != "ours" || d.Data.User != ours || s.GetValue("version") != 1 {
			t.Errorf("%+v", d)
		}
		if s.CacheState() != HasUpToDateFlagData || c.CacheState() == HasUpToDateFlagData {
			t.Errorf("%v, the client %v", s.CacheState(), c.CacheState())
		}
		if fetched.IsZero() || s.FetchTime() != fetched {
			t.Errorf("fetched at %v, then at %v", fetched, s.FetchTime())
		}
		if other := s.WithUser(&UserData{}); other.GetValue("text") != "theirs" || s.GetValue("text") != "ours" || other.FetchTime() != fetched {
			t.Error("WithUser")
		} else if again := other.WithUser(nil); again.GetValue("text") != "ours" { // S11
			t.Error("WithUser(nil) is not the current default user")
		}
	})
}

// S22: in every polling mode Snapshot neither waits nor sends a request.
func TestTakingASnapshotDoesNoIO_S22(t *testing.T) {
	for _, mode := range []PollingMode{Subscribe, AutoPoll, Lazy, Manual} {
		t.Run(mode.String(), func(t *testing.T) {
			inBubble(t, func(t *testing.T, n *network) {
				cdn := fakecdn.New()
				cdn.Break(fakecdn.Hang(nil))
				start := time.Now()
				c := n.start(t, online(cdn), polling(mode, 0))
				if s := c.Snapshot(nil); len(s.GetAllKeys()) != 0 || s.CacheState() != NoFlagData || time.Since(start) != 0 {
					t.Errorf("%v after %v", s.CacheState(), time.Since(start))
				}
				<-c.Ready()
				time.Sleep(time.Hour)
				asked, now := len(cdn.Requests()), time.Now()
				c.Snapshot(nil)
				if wantRequests(t, cdn, asked); time.Since(now) != 0 {
					t.Error("waited")
				}
				c.Close()
			})
		})
	}
}

// S14: a nil snapshot behaves like one without a config.
func TestANilSnapshotReturnsDefaults_S14_S22(t *testing.T) {
	var s *Snapshot
	if s.CacheState() != NoFlagData || !s.FetchTime().IsZero() || s.Config() != nil || s.GetValue("x") != nil ||
		s.GetValueDetails("x").Data.ErrorCode != evaluate.CodeConfigNotAvailable || len(s.GetAllKeys()) != 0 || s.GetAllValues() == nil ||
		len(s.GetAllValueDetails())+len(s.GetAllVariationIDs()) != 0 || s.WithUser(&UserData{}).GetValue("x") != nil {
		t.Error("a nil snapshot has something")
	}
	if key, value := s.GetKeyValueForVariationID("x"); key != "" || value != nil {
		t.Errorf("%q, %v", key, value)
	}
}

func TestASnapshotReportsToHooks_S22_S49(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []any
		c, _ := hookedClient(t, nil, configJSON(1), &Hooks{OnFlagEvaluated: func(d *EvaluationDetails) { got = append(got, d.Value) }})
		s := c.Snapshot(nil)
		s.GetValue("version")
		s.GetValueDetails("isOn")
		Int("version", 0).Get(s)
		Int("none", 5).Get(s)
		synctest.Wait()
		if diff := cmp.Diff([]any{1, true, 1, 5}, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestASnapshotHasPlainValues_S22(t *testing.T) {
	log, _ := recorded(slog.LevelWarn)
	s, err := NewSnapshot(slog.New(log), map[string]any{"a": true, "b": "text", "c": 3, "d": 0.5, "e": uint8(1)})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]any{"a": true, "b": "text", "c": 3, "d": 0.5, "e": 1}, s.GetAllValues()); diff != "" {
		t.Error(diff)
	}
	if s.CacheState() != HasLocalOverrideFlagDataOnly || !s.FetchTime().IsZero() || !s.GetValueDetails("a").Data.FetchTime.IsZero() {
		t.Errorf("%v, %v", s.CacheState(), s.FetchTime())
	}
	if Float("c", 0).Get(s) != 3 || s.GetValue("missing") != nil {
		t.Error("values")
	}
	wantEvents(t, log, 1001, 1)
	if s, err := NewSnapshot(nil, map[string]any{"fine": 1, "bad": []int{1}, "none": nil}); s != nil || err == nil ||
		!strings.Contains(err.Error(), `follower: flag "bad": `) || !strings.Contains(err.Error(), `flag "none"`) || strings.Contains(err.Error(), "fine") {
		t.Errorf("%v", err)
	}
	if s, err := NewSnapshot(nil, nil); err != nil || len(s.GetAllKeys()) != 0 {
		t.Errorf("%v", err)
	}
}

func TestFlagsAreTyped_S24(t *testing.T) {
	log, _ := recorded(slog.LevelWarn)
	c := heldClient(t, slog.New(log), configJSON(7))
	s := c.Snapshot(&UserData{Email: "a@example.com"})
	if Bool("isOn", false).Get(s) != true || Int("version", 0).Get(s) != 7 || Float("ratio", 0).Get(s) != 0.5 || String("text", "").Get(s) != "ours" {
		t.Error("values")
	}
	if !Bool("-", true).Get(s) || Int("-", 1).Get(s) != 1 || Float("-", 2).Get(s) != 2 || String("-", "x").Get(s) != "x" {
		t.Error("defaults")
	}
	wantEvents(t, log, 1001, 4)
	if !Bool("-", true).Get(nil) || Int("-", 1).Get(nil) != 1 || Float("-", 2).Get(nil) != 2 || String("-", "x").Get(nil) != "x" {
		t.Error("defaults without a snapshot")
	}
	type row struct {
		Key   string
		Value any
		ID    string
		Code  ErrorCode
	}
	var got []row
	for _, f := range []Flag{Bool("isOn", false), Int("version", 0), Float("ratio", 0), String("text", ""), String("isOn", "another type")} {
		d := f.GetValueDetails(s)
		if d.Value != f.GetValue(s) || d.Data.Key != f.Key() {
			t.Errorf("%+v", d)
		}
		got = append(got, row{f.Key(), d.Value, d.Data.VariationID, d.Data.ErrorCode})
	}
	want := []row{{"isOn", true, "on", 0}, {"version", 7, "v7", 0}, {"ratio", 0.5, "", 0}, {"text", "ours", "ours", 0}, {"isOn", "another type", "", 2}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if d := Int("version", 3).GetWithDetails(nil); d.Value != 3 || d.Data.ErrorCode != evaluate.CodeConfigNotAvailable {
		t.Errorf("%+v", d)
	}
	if d := s.GetValueDetails("text"); d.Data.MatchedTargetingRule == nil || !d.Data.FetchTime.Equal(time.UnixMilli(wire.MinRev)) {
		t.Errorf("%+v", d)
	}
}
