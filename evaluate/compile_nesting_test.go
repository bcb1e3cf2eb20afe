package evaluate_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/catbridge/catbridge/evaluate"
)

// countingUser counts how often evaluations read an attribute.
type countingUser struct{ reads int }

func (u *countingUser) GetAttribute(string) any {
	u.reads++
	return "yes"
}

// askingChain returns flags f0 … fn, each of which reads an attribute and depends on the next
// one.
func askingChain(length int, back string) string {
	var b strings.Builder
	b.WriteString(`{"f":{`)
	for i := range length {
		next := fmt.Sprintf("f%d", i+1)
		if i == length-1 && back != "" {
			next = back
		}
		fmt.Fprintf(&b, `"f%d":{"t":0,"r":[{"c":[{"u":{"a":"A","c":28,"s":"yes"}},{"p":{"f":%q,"c":0,"v":{"b":true}}}],"s":{"v":{"b":true}}}],"v":{"b":false}},`, i, next)
	}
	fmt.Fprintf(&b, `"f%d":{"t":0,"v":{"b":true}}}}`, length)
	return b.String()
}

// The time for the values of all flags is proportional to their number, however they depend on
// each other.
func TestEveryPrerequisiteIsEvaluatedOnce(t *testing.T) {
	for _, length := range []int{10, evaluate.MaxPrerequisiteDepth + 1000} {
		config := mustParse(t, askingChain(length, ""))
		for _, trace := range []*evaluate.Trace{nil, {}} {
			user := new(countingUser)
			values, errs := config.AllValues(user, trace)
			if user.reads > 2*length {
				t.Errorf("chain of %d: %d attributes read", length, user.reads)
			}
			if len(values) != length+1 || len(errs) != max(0, length-evaluate.MaxPrerequisiteDepth) {
				t.Errorf("chain of %d: %d values, %d errors", length, len(values), len(errs))
			}
			user = new(countingUser)
			results := config.AllResults(user, trace)
			if user.reads > 2*length {
				t.Errorf("chain of %d: %d attributes read for the results", length, user.reads)
			}
			if len(results) != length+1 {
				t.Errorf("chain of %d: %d results", length, len(results))
			}
		}
	}
}

// All flags of the chain fail because of the last one.
func TestFailingPrerequisiteIsEvaluatedOnce(t *testing.T) {
	const length = evaluate.MaxPrerequisiteDepth
	config := mustParse(t, strings.Replace(askingChain(length, ""), fmt.Sprintf(`"f%d":{"t":0,"v":{"b":true}}`, length),
		fmt.Sprintf(`"f%d":{"t":0,"v":{}}`, length), 1))
	user := new(countingUser)
	values, errs := config.AllValues(user, nil)
	if len(values) != length+1 || len(errs) != length+1 || user.reads > 2*length {
		t.Errorf("%d values, %d errors, %d attributes read", len(values), len(errs), user.reads)
	}
}

// The flags of such a chain are also broken.
func TestTooLongChainFailsBeforeItIsWalked(t *testing.T) {
	const beyond = 100
	config := mustParse(t, askingChain(evaluate.MaxPrerequisiteDepth+beyond, ""))
	user := new(countingUser)
	if got := config.Evaluate("f0", user, evaluate.Value{}, nil); got.Err == nil || user.reads != 1 {
		t.Errorf("%v after %d reads", got.Err, user.reads)
	}
	if broken := config.BrokenFlags(); len(broken) != beyond || broken[beyond-1].Key != fmt.Sprintf("f%d", beyond-1) {
		t.Errorf("%d broken flags", len(broken))
	}
	if huge := mustParse(t, askingChain(evaluate.MaxPrerequisiteDepth+beyond, "f0")); len(huge.BrokenFlags()) != evaluate.MaxPrerequisiteDepth+beyond {
		t.Errorf("%d broken flags on a cycle that is too long", len(huge.BrokenFlags()))
	}
}

// Each of the flags also depends on the first one.
func TestErrorsOfCyclesAreNotLargerThanTheConfig(t *testing.T) {
	const length = 2000
	ask := func(key string) string {
		return `{"c":[{"p":{"f":"` + key + `","c":0,"v":{"b":true}}}],"s":{"v":{"b":true}}}`
	}
	for _, nextFirst := range []bool{true, false} {
		var b strings.Builder
		b.WriteString(`{"f":{`)
		for i := range length {
			rules := []string{ask(fmt.Sprintf("f%d", i+1)), ask("f0")}
			if !nextFirst {
				slices.Reverse(rules)
			}
			fmt.Fprintf(&b, `"f%d":{"t":0,"r":[%s],"v":{"b":false}},`, i, strings.Join(rules, ","))
		}
		fmt.Fprintf(&b, `"f%d":{"t":0,"v":{"b":true}}}}`, length)
		texts := map[string]bool{}
		broken := mustParse(t, b.String()).BrokenFlags()
		for _, flag := range broken {
			texts[flag.Err.Error()] = true
		}
		size := 0
		for text := range texts {
			size += len(text)
		}
		if len(broken) != length || size > b.Len() {
			t.Errorf("%d broken flags, with texts of %d bytes", len(broken), size)
		}
	}
}

// byAddress compares parts of a config by address.
var byAddress = cmp.Options{
	cmp.Comparer(func(a, b *evaluate.TargetingRule) bool { return a == b }),
	cmp.Comparer(func(a, b *evaluate.PercentageOption) bool { return a == b }),
	cmp.Comparer(func(a, b evaluate.Value) bool { return a == b }),
}

// Evaluating all flags at once returns the same results as evaluating each flag, over random
// configs with and without cycles.
func TestAllValuesEqualSingleEvaluations(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	cycles := 0
	for range 500 {
		count := 2 + random.IntN(9)
		var flags []string
		for i := range count {
			var rules []string
			for range random.IntN(3) {
				target := random.IntN(count)
				if random.IntN(4) > 0 {
					target = min(i+1+random.IntN(count), count-1)
				}
				condition := fmt.Sprintf(`{"p":{"f":"f%d","c":%d,"v":{"b":true}}}`, target, random.IntN(2))
				if random.IntN(3) == 0 {
					condition = `{"u":{"a":"None","c":28,"s":"x"}},` + condition
				} else if random.IntN(3) == 0 {
					condition += `,{"u":{"a":"Number","c":28,"s":"5"}}`
				}
				rules = append(rules, fmt.Sprintf(`{"c":[%s],"s":{"v":{"b":%v}}}`, condition, random.IntN(2) == 0))
			}
			flags = append(flags, fmt.Sprintf(`"f%d":{"t":0,"r":[%s],"v":{"b":%v}}`, i, strings.Join(rules, ","), random.IntN(2) == 0))
		}
		config := mustParse(t, `{"f":{`+strings.Join(flags, ",")+`}}`)
		broken := map[string]bool{}
		for _, flag := range config.BrokenFlags() {
			broken[flag.Key] = true
		}
		for _, user := range []any{nil, map[string]any{"Number": 5}} {
			var together, alone evaluate.Trace
			values, errs := config.AllValues(user, &together)
			var alike evaluate.Trace
			results := config.AllResults(user, &alike)
			if diff := cmp.Diff(together.Events(), alike.Events()); diff != "" || len(results) != len(values) {
				t.Fatalf("%d results: %s", len(results), diff)
			}
			var wantErrs []string
			want := map[string]any{}
			for i, key := range config.Keys() {
				got := config.Evaluate(key, user, evaluate.Value{}, &alone)
				if diff := cmp.Diff(got, results[i], cmpopts.IgnoreFields(evaluate.Result{}, "Err"), cmpopts.IgnoreUnexported(evaluate.Result{}), byAddress); diff != "" ||
					fmt.Sprint(got.Err) != fmt.Sprint(results[i].Err) || got.Any() != results[i].Any() {
					t.Fatalf("%s: %s: %v, %v", key, diff, got.Err, results[i].Err)
				}
				want[key] = got.Value.Any()
				if got.Err != nil {
					wantErrs = append(wantErrs, key+got.Err.Error())
					if cycles++; !broken[key] {
						t.Errorf("%s fails and is not listed: %v", key, got.Err)
					}
				}
			}
			var haveErrs []string
			for _, err := range errs {
				haveErrs = append(haveErrs, err.Key+err.Err.Error())
			}
			if diff := cmp.Diff(want, values) + cmp.Diff(wantErrs, haveErrs) + cmp.Diff(alone.Events(), together.Events()); diff != "" {
				t.Fatalf("%s\n%s", strings.Join(flags, "\n"), diff)
			}
		}
	}
	if cycles == 0 {
		t.Error("no config had a cycle")
	}
}

// BenchmarkPrerequisiteDepth fails if a flag of a long chain or cycle costs several times as much
// as a flag of a short one. It alternates between both, over the same number of flags: a busy
// machine affects both equally.
func BenchmarkPrerequisiteDepth(b *testing.B) {
	const short, long = evaluate.MaxPrerequisiteDepth / 20, evaluate.MaxPrerequisiteDepth
	user := map[string]any{"A": "yes"}
	for name, back := range map[string]string{"chain": "", "cycle": "f0"} {
		b.Run(name, func(b *testing.B) {
			shortOne, longOne := mustParse(b, askingChain(short, back)), mustParse(b, askingChain(long, back))
			var shortTime, longTime time.Duration
			for b.Loop() {
				for range 50 {
					start := time.Now()
					for range long / short {
						shortOne.Evaluate("f0", user, evaluate.Value{}, nil)
					}
					middle := time.Now()
					longOne.Evaluate("f0", user, evaluate.Value{}, nil)
					shortTime, longTime = shortTime+middle.Sub(start), longTime+time.Since(middle)
				}
			}
			ratio := float64(longTime) / float64(shortTime)
			if b.ReportMetric(ratio, "ratio"); ratio > 5 {
				b.Errorf("a flag of a long one takes %.1f times as long", ratio)
			}
		})
	}
}
