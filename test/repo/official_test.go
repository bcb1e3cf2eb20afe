package repo

import (
	"regexp"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/internal/testenv/root"
)

// officialNames are the exported names of package configcat of the official Go SDK v9, without
// those that only describe a config JSON. A service that moves to package follower keeps them.
const officialNames = `
AutoPoll Lazy Manual PollingMode DefaultPollInterval
Global EUOnly DataGovernance
LocalOnly LocalOverRemote RemoteOverLocal OverrideBehavior
FlagOverrides FlagOverrides.Behavior FlagOverrides.FilePath FlagOverrides.Values
LogLevelDebug LogLevelInfo LogLevelWarn LogLevelError LogLevelNone LogLevel
DefaultLogger Logger Logger.Debugf Logger.Infof Logger.Warnf Logger.Errorf
ConfigCache ConfigCache.Get ConfigCache.Set
Config Config.SDKKey Config.Logger Config.LogLevel Config.Cache Config.BaseURL Config.Transport Config.HTTPTimeout Config.PollingMode
Config.NoWaitForRefresh Config.PollInterval Config.DataGovernance Config.DefaultUser Config.FlagOverrides Config.Hooks Config.Offline
Hooks Hooks.OnConfigChanged Hooks.OnError Hooks.OnFlagEvaluated
NewClient NewCustomClient Client Client.Close Client.Ready Client.Refresh Client.RefreshIfOlder Client.Snapshot
Client.SetOffline Client.SetOnline Client.IsOffline
Client.GetAllKeys Client.GetAllValues Client.GetAllValueDetails Client.GetKeyValueForVariationID
Client.GetBoolValue Client.GetBoolValueDetails Client.GetIntValue Client.GetIntValueDetails
Client.GetFloatValue Client.GetFloatValueDetails Client.GetStringValue Client.GetStringValueDetails
User UserAttributes UserAttributes.GetAttribute UserData UserData.Identifier UserData.Email UserData.Country UserData.Custom
EvaluationDetails EvaluationDetails.Data EvaluationDetails.Value
BoolEvaluationDetails BoolEvaluationDetails.Data BoolEvaluationDetails.Value
IntEvaluationDetails IntEvaluationDetails.Data IntEvaluationDetails.Value
FloatEvaluationDetails FloatEvaluationDetails.Data FloatEvaluationDetails.Value
StringEvaluationDetails StringEvaluationDetails.Data StringEvaluationDetails.Value
EvaluationDetailsData EvaluationDetailsData.Key EvaluationDetailsData.VariationID EvaluationDetailsData.User
EvaluationDetailsData.IsDefaultValue EvaluationDetailsData.Error EvaluationDetailsData.FetchTime
EvaluationDetailsData.MatchedTargetingRule EvaluationDetailsData.MatchedPercentageOption
ErrKeyNotFound ErrKeyNotFound.Key ErrKeyNotFound.AvailableKeys ErrKeyNotFound.Error ErrSettingTypeMismatch ErrConfigJsonMissing
Flag Flag.Key Flag.GetValue Flag.GetValueDetails Bool Int Float String
BoolFlag BoolFlag.Key BoolFlag.Get BoolFlag.GetWithDetails BoolFlag.GetValue BoolFlag.GetValueDetails
IntFlag IntFlag.Key IntFlag.Get IntFlag.GetWithDetails IntFlag.GetValue IntFlag.GetValueDetails
FloatFlag FloatFlag.Key FloatFlag.Get FloatFlag.GetWithDetails FloatFlag.GetValue FloatFlag.GetValueDetails
StringFlag StringFlag.Key StringFlag.Get StringFlag.GetWithDetails StringFlag.GetValue StringFlag.GetValueDetails
NewSnapshot Snapshot Snapshot.FetchTime Snapshot.WithUser Snapshot.GetValue Snapshot.GetValueDetails
Snapshot.GetAllKeys Snapshot.GetAllValues Snapshot.GetAllValueDetails Snapshot.GetKeyValueForVariationID
ConfigJson Setting TargetingRule PercentageOption ServedValue Condition Comparator SettingType SettingValue
`

// absentNames are the names that package follower does not have, with the reason.
// docs/migration.md says what to use instead.
var absentNames = map[string]string{
	"NewCustomClient":        "New: a client needs Redis, and an invalid configuration is an error",
	"Logger":                 "*slog.Logger is the logger of every package here",
	"DefaultLogger":          "slog.Default",
	"ErrSettingTypeMismatch": "EvaluationDetailsData.ErrorCode",
	"ErrConfigJsonMissing":   "EvaluationDetailsData.ErrorCode",

	// A config is compiled and immutable: package evaluate has read-only views of the parts that
	// details refer to.
	"ConfigJson":       "evaluate.Config",
	"Setting":          "evaluate.Config",
	"TargetingRule":    "evaluate.TargetingRule",
	"PercentageOption": "evaluate.PercentageOption",
	"ServedValue":      "methods of evaluate.TargetingRule",
	"Condition":        "evaluate.Condition",
	"Comparator":       "evaluate.Condition has only a string",
	"SettingType":      "evaluate.Kind",
	"SettingValue":     "evaluate.Value",
}

var apiLine = regexp.MustCompile(`^(const|var|func|type|field|method) (?:\(\*?(\w+)\) )?([\w.]+)(?:\[.*?\])?(?: = (?:(\w+)\.)?(\w+))?`)

// apiNames returns the names in a file of the exported API: X for package level, T.X for
// methods and fields, also for an alias T.
func apiNames(t *testing.T, dir string) map[string]bool {
	t.Helper()
	names, aliases := map[string]bool{}, map[string][2]string{}
	for line := range strings.Lines(root.Read(t, apiFile(dir))) {
		m := apiLine.FindStringSubmatch(line)
		if m == nil {
			t.Fatalf("%s: %s", dir, line)
		}
		name := m[3]
		if m[2] != "" {
			name = m[2] + "." + name
		}
		names[name] = true
		if m[1] == "type" && m[5] != "" {
			aliases[name] = [2]string{m[4], m[5]}
		}
	}
	for alias, of := range aliases {
		from := names
		if of[0] != "" {
			if from = nil; of[0] == "evaluate" {
				from = apiNames(t, of[0])
			}
		}
		for name := range from {
			if rest, ok := strings.CutPrefix(name, of[1]+"."); ok {
				names[alias+"."+rest] = true
			}
		}
	}
	return names
}

// A service that uses the official Go SDK moves by changing an import and its constructor.
func TestAPIHasTheNamesOfTheOfficialSDK(t *testing.T) {
	names, guide := apiNames(t, "follower"), root.Read(t, "docs", "migration.md")
	official := map[string]bool{}
	for name := range strings.FieldsSeq(officialNames) {
		official[name] = true
		owner, _, _ := strings.Cut(name, ".")
		_, absent := absentNames[owner]
		switch {
		case absent && names[name]:
			t.Errorf("package follower has %s: remove it from the absent names", name)
		case absent && !regexp.MustCompile("`"+owner+"\\b").MatchString(guide):
			t.Errorf("docs/migration.md does not say what to use instead of %s", owner)
		case !absent && !names[name]:
			t.Errorf("package follower has no %s, as the official Go SDK: add it, or say in docs/migration.md and here why not", name)
		}
	}
	for name := range absentNames {
		if !official[name] {
			t.Errorf("the official SDK has no %s", name)
		}
	}
}
