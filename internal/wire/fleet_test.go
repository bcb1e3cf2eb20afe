package wire_test

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/catbridge/catbridge/internal/wire"
)

const fleetHash = "0123456789abcdef"

func TestFleetReportFormat(t *testing.T) {
	for want, report := range map[string]wire.FleetReport{
		"cb1 shop-1~AB v1.2.0 live 30000 1767225600000 0123456789abcdef 180": {
			ID: "shop-1~AB", Version: "v1.2.0", State: "live", Interval: 30 * time.Second,
			Rev: rev, Hash: fleetHash + "rest", Lag: 180 * time.Millisecond,
		},
		"cb1 x devel connecting 5000 - - -": {ID: "x", Version: "devel", State: "connecting", Interval: 5 * time.Second},
	} {
		have := string(report.Append(nil))
		if have != want {
			t.Errorf("%q, want %q", have, want)
		}
		back, err := wire.ParseFleetReport(have)
		report.Hash = report.Hash[:min(len(report.Hash), wire.FleetHashBytes)]
		if err != nil || back != report {
			t.Errorf("%q read as %+v, %v", have, back, err)
		}
	}
}

// Any client with write access to the set can add a member.
func TestInvalidFleetReportsAreRejected(t *testing.T) {
	const good = "cb1 id v1 live 30000 1767225600000 0123456789abcdef 180"
	replace := func(old, with string) string { return strings.Replace(good, old, with, 1) }
	for name, member := range map[string]string{
		"empty":                   "",
		"later version":           replace("cb1", "cb2"),
		"too few fields":          "cb1 id v1 live 30000 1767225600000 0123456789abcdef",
		"no id":                   replace(" id ", "  "),
		"id of a dash":            replace(" id ", " - "),
		"id with a line break":    replace(" id ", " a\nb "),
		"id with an escape":       replace(" id ", " a\x1b[2J "),
		"id with other letters":   replace(" id ", " ä "),
		"long id":                 replace(" id ", " "+strings.Repeat("x", 65)+" "),
		"version with a quote":    replace("v1", "v\"1"),
		"state with a less-than":  replace("live", "<live>"),
		"interval below 5 s":      replace("30000", "4999"),
		"interval above 5 min":    replace("30000", "300001"),
		"no interval":             replace("30000", "-"),
		"negative interval":       replace("30000", "-30000"),
		"rev of 12 digits":        replace("1767225600000", "176722560000"),
		"rev of 14 digits":        replace("1767225600000", "17672256000000"),
		"rev without hash":        replace(fleetHash, "-"),
		"hash without rev":        replace("1767225600000", "-"),
		"short hash":              replace(fleetHash, fleetHash[1:]),
		"whole hash":              replace(fleetHash, hash),
		"upper-case hash":         replace(fleetHash, strings.ToUpper(fleetHash)),
		"lag of zero":             replace("180", "0"),
		"lag with a leading zero": replace("180", "0180"),
		"negative lag":            replace("180", "-1"),
		"lag of 293 years":        replace("180", "9223372036855"),
		"lag of 13 nines":         replace("180", "9999999999999"),
		"nothing after a space":   good + " ",
		"control character after": good + " a=\x00",
		"more than fits a report": good + " " + strings.Repeat("x", wire.MaxFleetBytes),
		"a megabyte":              strings.Repeat("x", 1<<20),
		"only spaces":             strings.Repeat(" ", 20),
		"tabs in place of spaces": strings.ReplaceAll(good, " ", "\t"),
		"interval that overflows": replace("30000", "99999999999999999999"),
		"not a hash":              replace(fleetHash, "0123456789abcdeg"),
		"several spaces in a row": replace(" live ", "  live "),
		"a line break at the end": good + "\n",
		"a space at the start":    " " + good,
	} {
		report, err := wire.ParseFleetReport(member)
		if err == nil || report != (wire.FleetReport{}) {
			t.Errorf("%s: read as %+v", name, report)
		}
		requireParseError(t, err, "fleet report")
	}
}

func TestFleetReportsOfLaterVersionsAreRead(t *testing.T) {
	const later = "cb1 id v9 live 30000 1767225600000 0123456789abcdef 180 zone=eu-1 more"
	report, err := wire.ParseFleetReport(later)
	if err != nil || report.Extra != "zone=eu-1 more" || string(report.Append(nil)) != later {
		t.Errorf("%+v, %v", report, err)
	}
}

func TestAnyFleetReportFitsAndRoundTrips(t *testing.T) {
	name := rapid.StringMatching(`[A-Za-z0-9][A-Za-z0-9._:/@~+-]{0,63}`)
	millis := func(low, high time.Duration) *rapid.Generator[time.Duration] {
		return rapid.Map(rapid.Int64Range(low.Milliseconds(), high.Milliseconds()), func(n int64) time.Duration {
			return time.Duration(n) * time.Millisecond
		})
	}
	rapid.Check(t, func(t *rapid.T) {
		report := wire.FleetReport{
			ID: name.Draw(t, "id"), Version: name.Draw(t, "version"), State: name.Draw(t, "state"),
			Interval: millis(wire.MinFleetInterval, wire.MaxFleetInterval).Draw(t, "interval"),
			Lag:      millis(0, wire.MaxFleetLag).Draw(t, "lag"),
		}
		if rapid.Bool().Draw(t, "content") {
			report.Rev = rapid.Int64Range(wire.MinRev, wire.MaxRev).Draw(t, "rev")
			report.Hash = rapid.StringMatching(`[0-9a-f]{16}`).Draw(t, "hash")
		}
		back, err := wire.ParseFleetReport(string(report.Append(nil)))
		if err != nil || back != report {
			t.Fatalf("%q came back as %+v, %v", report.Append(nil), back, err)
		}
	})
}

func FuzzParseFleetReport(f *testing.F) {
	f.Add("cb1 shop-1~AB v1.2.0 live 30000 1767225600000 0123456789abcdef 180")
	f.Add("cb1 x devel connecting 5000 - - -")
	f.Add("cb1 x devel connecting 5000 - - - later=1 more")
	f.Add("cb1 - - - - - - -")
	f.Add("cb1 x devel live 5000 1767225600000 0123456789abcdef 9999999999999")
	f.Add("cb1 x devel live 5000 1767225600000 0123456789abcdef 9223372036854")
	f.Fuzz(func(t *testing.T, member string) {
		report, err := wire.ParseFleetReport(member)
		if err != nil {
			requireParseError(t, err, "fleet report")
			return
		}
		if back := string(report.Append(nil)); back != member {
			t.Errorf("%q written as %q", member, back)
		}
		if report.Lag < 0 || report.Interval < wire.MinFleetInterval || report.Interval > wire.MaxFleetInterval {
			t.Errorf("%q let %v and %v in", member, report.Lag, report.Interval)
		}
		for _, text := range []string{report.ID, report.Version, report.State} {
			if !wire.ValidFleetName(text) {
				t.Errorf("%q let %q in", member, text)
			}
		}
	})
}

func TestTheNameInAFollowersID(t *testing.T) {
	for id, want := range map[string]string{"web-1~ABCDEFGHIJ": "web-1", "a~b~ABCDEFGHIJ": "a~b", "web-1": "web-1", "~A": "~A", "": ""} {
		if have := wire.FleetName(id); have != want {
			t.Errorf("%q has the name %q, want %q", id, have, want)
		}
	}
}
