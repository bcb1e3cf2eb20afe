package metrics

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/catbridge/catbridge/follower"
	"github.com/catbridge/catbridge/gateway"
	"github.com/catbridge/catbridge/internal/histogram"
	"github.com/catbridge/catbridge/leader"
)

// notExported lists the statistics without a metric, with the reason.
var notExported = map[string]string{
	"KeyStats.Name":       "it is the label",
	"KeyStats.LockHolder": "an ID for each start would be a time series for each",
	"KeyStats.Hash":       "as above, for each config; rev tells that it changed",
	"KeyStats.ETag":       "as above",
	"KeyStats.Due":        "/healthz goes by it",
	"KeyStats.Polls":      "polls_total has those that ended, by outcome",
	"Stats.Hash":          "rev tells that it changed",
	"Stats.ETag":          "as above",
	"Leader.Keys":         "each SDK key has metrics of its own",
	"Stats.Messages":      "messages_total has them by type",
}

// change sets another value of the same type.
func change(v reflect.Value) {
	switch value := v.Addr().Interface().(type) {
	case *time.Time:
		*value = value.Add(17 * time.Second)
	case *leader.Durations:
		(*histogram.Durations)(value).Add(17 * time.Second)
	case *follower.Durations:
		(*histogram.Durations)(value).Add(17 * time.Second)
	case *leader.State:
		*value = leader.StateCandidate
	case *follower.State:
		*value = follower.StatePolling
	case *follower.Source:
		*value = follower.SourceEntry
	case *map[int]uint64:
		(*value)[200]++
	case *map[gateway.Answer]uint64:
		(*value)[gateway.Answer{Route: "/api/{sdkId}/eval", Status: 200}]++
	case *map[string]uint64:
		(*value)["ConfigCat-Java/l-9.4.3"]++
	default:
		switch v.Kind() {
		case reflect.String:
			v.SetString(map[bool]string{true: "", false: "other"}[v.String() != ""])
		case reflect.Bool:
			v.SetBool(!v.Bool())
		case reflect.Int, reflect.Int64:
			v.SetInt(v.Int() + int64(17*time.Second))
		case reflect.Uint64:
			v.SetUint(v.Uint() + 17)
		case reflect.Slice:
			v.Set(reflect.Append(v, reflect.Zero(v.Type().Elem())))
		default:
			panic("how is a " + v.Type().String() + " changed?")
		}
	}
}

// fields calls f for each field, including those of nested structs.
func fields(v reflect.Value, path string, f func(path string, v reflect.Value)) {
	switch v.Interface().(type) {
	case time.Time, leader.Durations, follower.Durations:
		f(path, v)
		return
	}
	if v.Kind() != reflect.Struct {
		f(path, v)
		return
	}
	for i := range v.NumField() {
		if field := v.Type().Field(i); field.Anonymous {
			fields(v.Field(i), path, f)
		} else {
			fields(v.Field(i), path+"."+field.Name, f)
		}
	}
}

func checkExported[S any](t *testing.T, root string, of family[S], full func() S) {
	t.Helper()
	before := text(t, at[S]{of, full()})
	var paths []string
	collectPaths := full()
	fields(reflect.ValueOf(&collectPaths).Elem(), root, func(path string, _ reflect.Value) { paths = append(paths, path) })
	for _, path := range paths {
		s := full()
		fields(reflect.ValueOf(&s).Elem(), root, func(p string, v reflect.Value) {
			if p == path {
				change(v)
			}
		})
		exported := text(t, at[S]{of, s}) != before
		if _, expected := notExported[path]; exported == expected {
			t.Errorf("%s: exported by a metric: %v", path, exported)
		}
	}
}

// Every new statistic needs a metric.
func TestEveryStatisticIsExported(t *testing.T) {
	checkExported(t, "KeyStats", leaderFamily, fullLeader)
	checkExported(t, "Leader", processFamily, func() leader.Stats { return leader.Stats{ID: "X"} })
	checkExported(t, "Stats", followerFamily, fullFollower)
	checkExported(t, "Gateway", gatewayFamily, fullGateway)
}

// Every constant of a state is a value of its metric's label.
func TestEveryStateIsAValueOfItsLabel(t *testing.T) {
	for _, c := range []struct {
		dir, kind, metric string
		text              string
	}{
		{"leader", "State", "catbridge_leader_state", text(t, at[leader.KeyStats]{leaderFamily, fullLeader()})},
		{"follower", "State", "catbridge_follower_state", text(t, at[follower.Stats]{followerFamily, fullFollower()})},
		{"follower", "Source", "catbridge_follower_source", text(t, at[follower.Stats]{followerFamily, fullFollower()})},
	} {
		values := constants(t, c.dir, c.kind)
		if n := strings.Count(c.text, "\n"+c.metric+"{"); n != len(values) || n == 0 {
			t.Errorf("%s has %d values, %s.%s %d", c.metric, n, c.dir, c.kind, len(values))
		}
		for _, v := range values {
			if !strings.Contains(c.text, "\n"+c.metric+"{") || !strings.Contains(c.text, `="`+v+`"}`) {
				t.Errorf("%s has no value %q", c.metric, v)
			}
		}
	}
}

// constants returns the values of all constants of a type in a package.
func constants(t *testing.T, dir, kind string) (values []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			spec, ok := n.(*ast.ValueSpec)
			if !ok {
				return true
			}
			if of, ok := spec.Type.(*ast.Ident); ok && of.Name == kind && len(spec.Values) == 1 {
				if lit, ok := spec.Values[0].(*ast.BasicLit); ok {
					values = append(values, strings.Trim(lit.Value, `"`))
				}
			}
			return true
		})
	}
	return values
}

func TestDurationsAreCumulativeBuckets(t *testing.T) {
	s := fullLeader()
	for _, d := range []time.Duration{time.Microsecond, time.Millisecond, 20 * time.Millisecond, time.Hour} {
		(*histogram.Durations)(&s.FetchTimes).Add(d)
	}
	wantLines(t, text(t, at[leader.KeyStats]{leaderFamily, s}),
		`catbridge_leader_fetch_duration_seconds_bucket{sdk_key="main",le="0.001"} 2`,
		`catbridge_leader_fetch_duration_seconds_bucket{sdk_key="main",le="0.01"} 2`,
		`catbridge_leader_fetch_duration_seconds_bucket{sdk_key="main",le="0.025"} 3`,
		`catbridge_leader_fetch_duration_seconds_bucket{sdk_key="main",le="300"} 3`,
		`catbridge_leader_fetch_duration_seconds_bucket{sdk_key="main",le="+Inf"} 4`,
		`catbridge_leader_fetch_duration_seconds_count{sdk_key="main"} 4`,
		`catbridge_leader_fetch_duration_seconds_sum{sdk_key="main"} 3600.021001`)
}

func TestUnknownValuesAreMissing(t *testing.T) {
	out := text(t, at[leader.KeyStats]{leaderFamily, leader.KeyStats{Name: "main", State: leader.StateCandidate}}) +
		text(t, at[follower.Stats]{followerFamily, follower.Stats{State: follower.StateConnecting}})
	for _, name := range []string{
		"catbridge_leader_config_age_seconds", "catbridge_leader_cdn_last_answer_timestamp_seconds", "catbridge_follower_config_age_seconds",
		"catbridge_leader_redis_last_contact_timestamp_seconds", "catbridge_leader_term_start_timestamp_seconds",
	} {
		if strings.Contains(out, name) {
			t.Errorf("%s is exported", name)
		}
	}
}

// The age is by Redis's clock only: the local clock may be wrong.
func TestAgeIsByRedisClock(t *testing.T) {
	s := fullLeader()
	s.LastAnswer = testNow.Add(time.Hour - 42*time.Second)
	s.ClockOffset = time.Hour
	wantLines(t, text(t, at[leader.KeyStats]{leaderFamily, s}), `catbridge_leader_config_age_seconds{sdk_key="main"} 42`)
}
