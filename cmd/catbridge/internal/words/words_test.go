package words_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/inspect"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/words"
	"github.com/catbridge/catbridge/history"
)

func TestEachCauseAndGapHasWords(t *testing.T) {
	list := words.Causes()
	for _, cause := range []history.Cause{
		history.First, history.Poll, history.Webhook, history.Refresh, history.SDK, history.Repair, history.Pin, history.Force, history.Withdrawn, history.Expired,
	} {
		if text := words.Cause(cause); text == "" || !strings.Contains(list, "  "+string(cause)) || !strings.Contains(list, text+"\n") {
			t.Errorf("%s: %q", cause, text)
		}
	}
	for _, gap := range []history.Gap{history.Unrecorded, history.Unknown, history.TooLarge, history.Corrupt} {
		if words.Gap(gap) == "" {
			t.Errorf("%s has no words", gap)
		}
	}
	if words.Gap(history.NoGap) != "" || words.Cause("later") != "" {
		t.Error("there are words for what has none")
	}
}

func TestAFlagIsConcernedByWhatItUses(t *testing.T) {
	all := []words.Subject{
		{Segment: "Beta"}, {Segment: "Other"},
		{Flag: "a", Prerequisites: []string{"b"}}, {Flag: "b", Prerequisites: []string{"c", "a"}, Segments: []string{"Beta"}}, {Flag: "c"}, {Flag: "d", Segments: []string{"Other"}},
	}
	for flag, want := range map[string][]bool{
		"a": {true, false, true, true, true, false}, "c": {false, false, false, false, true, false}, "d": {false, true, false, false, false, true},
		"none": {false, false, false, false, false, false}, "": {false, false, false, false, false, false},
	} {
		if have := words.Concerns(flag, all); !slices.Equal(have, want) {
			t.Errorf("%q: %v, want %v", flag, have, want)
		}
	}
	if len(words.Concerns("a", nil)) != 0 {
		t.Error("of no changes, some concern a flag")
	}
}

func TestUnits(t *testing.T) {
	for seconds, want := range map[float64]string{0: "0s", 0.85: "900ms", 12: "12s", 185: "3m5s", 7800: "2h10m", 12 * 86400: "12d"} {
		if have := words.Brief(seconds); have != want {
			t.Errorf("%v s is %q, want %q", seconds, have, want)
		}
	}
	if words.Size(9999) != "9999 B" || words.Size(10_500) != "11 KB" {
		t.Error(words.Size(9999), words.Size(10_500))
	}
	if have := words.Version(5, strings.Repeat("ab", 32), time.Unix(0, 0).UTC()); have != "1970-01-01T00:00:00Z  abababab  rev 5" {
		t.Error(have)
	}
	if have := words.Version(5, "ab", time.Time{}); have != "in force, not recorded  ab  rev 5" {
		t.Error(have)
	}
	if words.Leader("host/AB") != "host" || words.Leader("AB") != "AB" {
		t.Error("a leader's name is not its host, or else its ID")
	}
	for want, fleet := range map[string]inspect.Fleet{
		"":                            {Current: 3},
		"2 behind":                    {Behind: 2, Silent: 1},
		"1 behind (silent)":           {Silent: 2, SilentBehind: 1},
		"3 behind (1 of them silent)": {Behind: 2, Silent: 1, SilentBehind: 1},
	} {
		if have := words.Behind(&fleet); have != want {
			t.Errorf("%q, want %q", have, want)
		}
	}
	if have := words.Others(&inspect.Fleet{Behind: 2, Silent: 1, Pending: 3}); have != "2 behind, 3 pending, 1 silent" {
		t.Error(have)
	}
}
