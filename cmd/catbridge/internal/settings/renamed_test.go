package settings

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/pflag"
)

// enough are the required settings of a leader.
var enough = []string{"--sdk-key", keyA, "--redis", "redis://h"}

// warned loads the settings, and returns the warnings without the file's folder.
func (g given) warned(t *testing.T) (*Settings, []string) {
	t.Helper()
	s := g.must(t)
	var warnings []string
	for _, w := range s.Warnings {
		warnings = append(warnings, strings.ReplaceAll(w, strings.TrimSuffix(s.File, "catbridge.yaml"), ""))
	}
	return s, warnings
}

// TestOldNamesAreAcceptedWithAWarning sets each renamed setting by its old name, as a flag,
// a variable and in a file, and compares all settings with those by the new name.
func TestOldNamesAreAcceptedWithAWarning(t *testing.T) {
	for old, name := range renamed {
		set := find((&Settings{}).table(&more{}), name)
		if set == nil {
			t.Errorf("%s: there is no setting %s", old, name)
			continue
		}
		const value = "4s" // all of them are durations
		yaml := func(path string) string {
			group, last, grouped := strings.Cut(path, ".")
			if !grouped {
				return "# the leader\n\n" + path + ": " + value
			}
			return group + ":\n  idle: 4s\n  " + last + ": " + value
		}
		// For consistency with the other durations.
		rest := []string{"--timings-lease-duration=5s", "--timings-renew-deadline=3s", "--timings-renew-interval=1s"}
		rest = slices.DeleteFunc(rest, func(flag string) bool { return strings.HasPrefix(flag, "--"+set.flagName()+"=") })
		if name == "timings.renew_interval" {
			rest = []string{"--timings-lease-duration=9s", "--timings-renew-deadline=8s", "--timings-dead=9s"}
		}
		rest = append(rest, enough...)
		under := set.as(old)
		for what, test := range map[string]struct {
			old, now given
			warning  string
		}{
			"flag": {
				given{flags: append([]string{"--" + under.flagName(), value}, rest...)},
				given{flags: append([]string{"--" + set.flagName(), value}, rest...)},
				"--" + under.flagName() + " is now called --" + set.flagName(),
			},
			"variable": {
				given{environ: []string{under.variable() + "=" + value}, flags: rest},
				given{environ: []string{set.variable() + "=" + value}, flags: rest},
				"$" + under.variable() + " is now called $" + set.variable(),
			},
			"file": {
				given{file: yaml(old), flags: rest}, given{file: yaml(name), flags: rest},
				"catbridge.yaml:3: " + old + " is now called " + name,
			},
		} {
			t.Run(old+" "+what, func(t *testing.T) {
				s, warnings := test.old.warned(t)
				if diff := cmp.Diff([]string{test.warning}, warnings); diff != "" {
					t.Errorf("warnings (-want +have)\n%s", diff)
				}
				want, warnings := test.now.warned(t)
				if len(warnings) > 0 {
					t.Errorf("the new name gets the warnings %q", warnings)
				}
				if have := find(s.table(&more{}), name).value.texts(); !slices.Equal(have, []string{value}) || s.Timings != want.Timings {
					t.Errorf("%s is %q; %+v, want %+v", name, have, s.Timings, want.Timings)
				}
				text, err := s.YAML()
				last := func(path string) string {
					group, last, grouped := strings.Cut(path, ".")
					if !grouped {
						return "\n" + group + ": "
					}
					return "\n  " + last + ": "
				}
				if err != nil || strings.Contains(string(text), last(old)) || !strings.Contains(string(text), last(name)) {
					t.Errorf("%v, printed as\n%s", err, text)
				}
			})
		}
	}
}

func TestOldAndNewNameInOneSourceExcludeEachOther(t *testing.T) {
	given{
		flags:   append([]string{"--timings-retry", "1s", "--timings-retry-period", "1s"}, enough...),
		environ: []string{"CATBRIDGE_TIMINGS_RENEW_INTERVAL=1s", "CATBRIDGE_TIMINGS_RENEWAL=1s", "CATBRIDGE_TIMINGS_STOP_ACTING="},
		file:    "timings:\n  lock_expiry: 15s\n  lease_duration: 15s\n  renew_deadline: 10s\n  stop_acting: 10s",
	}.faults(t,
		"catbridge.yaml:3: timings.lease_duration: timings.lock_expiry (catbridge.yaml:2), its old name, is given, too: give one of them",
		"catbridge.yaml:5: timings.stop_acting: timings.renew_deadline (catbridge.yaml:4), its new name, is given, too: give one of them",
		"$CATBRIDGE_TIMINGS_RENEWAL: $CATBRIDGE_TIMINGS_RENEW_INTERVAL, its new name, is given, too: give one of them",
		"--timings-retry-period: --timings-retry, its old name, is given, too: give one of them",
	)
}

// TestTheHigherSourceWinsWithAnyName: in two sources, the old and the new name are
// the same setting.
func TestTheHigherSourceWinsWithAnyName(t *testing.T) {
	for _, g := range []given{
		{file: "timings: {retry_period: 1s}", environ: []string{"CATBRIDGE_TIMINGS_RETRY=3s"}},
		{file: "timings: {retry: 1s}", environ: []string{"CATBRIDGE_TIMINGS_RETRY_PERIOD=3s"}},
		{environ: []string{"CATBRIDGE_TIMINGS_RETRY=1s"}, flags: []string{"--timings-retry-period", "3s"}},
		{environ: []string{"CATBRIDGE_TIMINGS_RETRY_PERIOD=1s"}, flags: []string{"--timings-retry", "3s"}},
	} {
		g.flags = append(g.flags, enough...)
		s, warnings := g.warned(t)
		if have := find(s.table(&more{}), "timings.retry_period").value.texts()[0]; have != "3s" || len(warnings) != 1 {
			t.Errorf("%+v: %s, warnings %q", g, have, warnings)
		}
	}
}

// TestAFaultUsesTheNameInTheSource: an invalid value is reported by the name that the source
// uses. For a name similar to an old one, the new name is suggested.
func TestAFaultUsesTheNameInTheSource(t *testing.T) {
	given{
		flags:   append([]string{"--timings-retry", "soon"}, enough...),
		environ: []string{"CATBRIDGE_TIMINGS_RENEWAL=soon"},
		file:    "timings:\n  lock_expiry: soon\n  stop_actin: 3s\n  retry: 2s\n  retry: 2s\nsdk_keys:\n- {name: a, key: " + keyB + ", timings: {retry: 1s}}",
	}.faults(t,
		`catbridge.yaml:2: timings.lock_expiry: "soon" is not a duration: write it like 1500ms, 10s or 2m`,
		`catbridge.yaml:3: unknown setting "timings.stop_actin"; did you mean timings.renew_deadline?`,
		`catbridge.yaml:5: timings.retry: duplicate setting, first given on line 4: remove one of them`,
		`catbridge.yaml:7: unknown setting "timings": deploy/catbridge.yaml in the repository shows all settings`,
		`$CATBRIDGE_TIMINGS_RENEWAL: "soon" is not a duration: write it like 1500ms, 10s or 2m`,
		`--timings-retry: "soon" is not a duration: write it like 1500ms, 10s or 2m`,
	)
	_, warnings := given{flags: enough, environ: []string{"CATBRIDGE_TIMINGS_RENEWEL=1s"}}.warned(t)
	if want := []string{"unknown variable $CATBRIDGE_TIMINGS_RENEWEL; did you mean $CATBRIDGE_TIMINGS_RENEW_INTERVAL?"}; !slices.Equal(warnings, want) {
		t.Errorf("warnings %q, want %q", warnings, want)
	}
}

// TestAnErrorOfSettingsTogetherNamesTheOldName: the leader knows only the new names. The
// warnings are returned with the errors.
func TestAnErrorOfSettingsTogetherNamesTheOldName(t *testing.T) {
	const text = "timings.renewal (now timings.renew_interval): renew_interval must be below renew_deadline, or one late renewal ends the term"
	for where, g := range map[string]given{
		"catbridge.yaml:1":           {file: "timings: {renewal: 20s}"},
		"--timings-renewal":          {flags: []string{"--timings-renewal", "20s"}},
		"$CATBRIDGE_TIMINGS_RENEWAL": {environ: []string{"CATBRIDGE_TIMINGS_RENEWAL=20s"}},
	} {
		g.flags = append(g.flags, enough...)
		g.faults(t, where+": "+text)
		if s, _ := g.load(t); len(s.Warnings) != 1 || !strings.Contains(s.Warnings[0], " is now called ") {
			t.Errorf("%s: warnings %q", where, s.Warnings)
		}
	}
	// The source in effect decides.
	g := given{file: "timings: {renewal: 2s}", flags: append([]string{"--timings-renew-interval", "20s"}, enough...)}
	g.faults(t, "--timings-renew-interval: renew_interval must be below renew_deadline, or one late renewal ends the term")
}

func TestFlagsOfOldNamesAreHiddenAndNotOffered(t *testing.T) {
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	offered := AddFlags(flags, Options{Part: Leader, Variables: Leader})
	for old := range renamed {
		name := (&setting{path: old}).flagName()
		if flag := flags.Lookup(name); flag == nil || !flag.Hidden || strings.Contains(flags.FlagUsages(), "--"+name+" ") {
			t.Errorf("--%s is missing or shown: %+v", name, flag)
		}
		if slices.ContainsFunc(offered, func(f Flag) bool { return f.Name == name }) {
			t.Errorf("--%s is offered", name)
		}
	}
}

// TestNoOldNameIsACurrentName: otherwise it would be ambiguous.
func TestNoOldNameIsACurrentName(t *testing.T) {
	table := append((&Settings{}).table(&more{}), (&SDKKey{}).table()...)
	for old := range renamed {
		under := &setting{path: old}
		for _, set := range table {
			if set.path == old || set.flagName() == under.flagName() || set.variable() == under.variable() {
				t.Errorf("%s is the name of %s", old, set.path)
			}
		}
	}
}

// TestASettingMayChangeItsGroup: the old group is accepted, and both names exclude each other.
func TestASettingMayChangeItsGroup(t *testing.T) {
	renamed["election.retry"] = "timings.retry_period"
	defer delete(renamed, "election.retry")
	s, warnings := given{flags: enough, file: "election: {retry: 3s}"}.warned(t)
	want := []string{"catbridge.yaml:1: election.retry is now called timings.retry_period"}
	if have := find(s.table(&more{}), "timings.retry_period").value.texts()[0]; have != "3s" || !slices.Equal(warnings, want) {
		t.Errorf("%s, warnings %q", have, warnings)
	}
	given{flags: enough, file: "timings: {retry_period: 1s}\nelection: {retry: 3s}"}.faults(t,
		"catbridge.yaml:2: election.retry: timings.retry_period (catbridge.yaml:1), its new name, is given, too: give one of them")
}
