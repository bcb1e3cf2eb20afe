package evaluate_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/catbridge/catbridge/evaluate"
)

// spell returns a value as JSON, in a random spelling.
func spell(random *rand.Rand, value any) string {
	space := func() string { return []string{"", "", " ", "\n\t"}[random.IntN(4)] }
	var parts []string
	switch v := value.(type) {
	case tree:
		names, onlyTrees := slices.Sorted(maps.Keys(v)), true
		random.Shuffle(len(names), reflect.Swapper(names))
		for _, name := range names {
			parts = append(parts, space()+spell(random, name)+space()+":"+space()+spell(random, v[name])+space())
			_, isTree := v[name].(tree)
			onlyTrees = onlyTrees && isTree
		}
		if !onlyTrees && random.IntN(5) == 0 { // it is not the object with the flags
			parts = append(parts, `"unknown":[{"v":1}]`)
		}
		return "{" + strings.Join(parts, ",") + "}"
	case []any:
		if v == nil && random.IntN(2) == 0 {
			return "null"
		}
		for _, item := range v {
			parts = append(parts, space()+spell(random, item)+space())
		}
		return "[" + strings.Join(parts, ",") + "]"
	case string:
		if random.IntN(4) > 0 {
			break
		}
		for _, r := range v {
			parts = append(parts, fmt.Sprintf(`\u%04x`, r))
		}
		return `"` + strings.Join(parts, "") + `"`
	case int:
		return strconv.Itoa(v) + []string{"", "", ".0", "e0"}[random.IntN(4)]
	}
	text, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func drawSpelling(t *rapid.T, value any) string {
	return spell(rand.New(rand.NewPCG(1, rapid.Uint64().Draw(t, "spelling"))), value)
}

func parseDrawn(t *rapid.T, text string) *evaluate.Config {
	config, err := evaluate.Parse([]byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return config
}

// namedFlags returns the keys of the flags in the differences.
func namedFlags(changes []evaluate.Change) map[string]bool {
	named := map[string]bool{}
	for _, change := range changes {
		if change.Segment == "" {
			named[change.Flag] = true
		}
	}
	return named
}

// The differences are those of what the configs mean, whatever their spelling.
func TestDiffNamesExactlyTheFlagsThatMeanSomethingElse(t *testing.T) {
	same, different := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		from := drawConfig(t)
		to := from.copy()
		for range rapid.IntRange(0, 2).Draw(t, "edits") {
			to.edit(t)
		}
		a, b := parseDrawn(t, drawSpelling(t, from.tree())), parseDrawn(t, drawSpelling(t, to.tree()))
		changes := evaluate.Diff(a, b)
		if want := to.changed(from); !maps.Equal(namedFlags(changes), want) {
			t.Fatalf("named %v, want %v:\n%s", namedFlags(changes), want, diffText(a, b))
		}
		if len(changes) == 0 {
			same++
		} else {
			different++
		}
		checkDiff(t, a, b)
	})
	if same == 0 || different == 0 {
		t.Errorf("%d alike, %d different", same, different)
	}
}

// outcomes returns everything that evaluations of a flag show.
func outcomes(config *evaluate.Config, key string) (all []string) {
	for _, user := range modelUsers {
		for _, def := range []evaluate.Value{{}, evaluate.BoolValue(true), evaluate.FloatValue(1), evaluate.NumberValue(1)} {
			trace := evaluate.Trace{Log: true}
			r := config.Evaluate(key, user, def, &trace)
			all = append(all, fmt.Sprint(r.Value.Kind(), r.Value, r.VariationID, r.IsDefault, r.Code, r.Err, r.RuleIndex, r.OptionIndex, r.Static, trace.Events()))
		}
	}
	return all
}

// mutate makes one edit somewhere in a JSON value. The result may not be a valid config.
func mutate(t *rapid.T, value any) any {
	switch v := value.(type) {
	case tree:
		if len(v) == 0 || rapid.IntRange(0, 9).Draw(t, "here") == 0 {
			break
		}
		name := rapid.SampledFrom(slices.Sorted(maps.Keys(v))).Draw(t, "member")
		copied := maps.Clone(v)
		if rapid.IntRange(0, 9).Draw(t, "remove") == 0 {
			delete(copied, name)
		} else {
			copied[name] = mutate(t, v[name])
		}
		return copied
	case []any:
		if len(v) == 0 {
			break
		}
		i := rapid.IntRange(0, len(v)-1).Draw(t, "element")
		switch rapid.IntRange(0, 5).Draw(t, "here") {
		case 0:
			return slices.Delete(slices.Clone(v), i, i+1)
		case 1:
			return slices.Insert(slices.Clone(v), i, v[rapid.IntRange(0, len(v)-1).Draw(t, "copied")])
		case 2:
			return rapid.Permutation(v).Draw(t, "order")
		default:
			copied := slices.Clone(v)
			copied[i] = mutate(t, v[i])
			return copied
		}
	case string:
		return rapid.SampledFrom(slices.Concat(modelTexts, modelNames, modelKeys, modelAttributes, modelHashes[:2], []string{""})).Draw(t, "string")
	case int:
		return rapid.IntRange(-1, 40).Draw(t, "number")
	case bool:
		return !v
	}
	return rapid.SampledFrom([]any{nil, 1, true, "x", []any{}, tree{}, tree{"b": true}, tree{"s": "x"}}).Draw(t, "other")
}

// If an evaluation differs, even of a broken config, the differences name the flag; if there are
// none, all evaluations are the same.
func TestDiffNamesEveryFlagWhoseEvaluationChanged(t *testing.T) {
	changed := 0
	rapid.Check(t, func(t *rapid.T) {
		before := drawConfig(t).tree()
		after := mutate(t, any(before))
		a := parseDrawn(t, drawSpelling(t, before))
		b, err := evaluate.Parse([]byte(drawSpelling(t, after)))
		if err != nil {
			t.Skip("not a config")
		}
		checkDiff(t, a, b)
		named := namedFlags(evaluate.Diff(a, b))
		for _, key := range modelKeys {
			if slices.Contains(a.Keys(), key) != slices.Contains(b.Keys(), key) {
				if changed++; !named[key] {
					t.Fatalf("%q is not named", key)
				}
				continue
			}
			if !slices.Contains(a.Keys(), key) {
				continue
			}
			if x, y := outcomes(a, key), outcomes(b, key); !slices.Equal(x, y) {
				if changed++; !named[key] {
					t.Fatalf("the evaluations of %q changed, %v are named\n%s\n%s", key, named, x, y)
				}
			}
		}
	})
	if changed == 0 {
		t.Error("no evaluation changed")
	}
}
