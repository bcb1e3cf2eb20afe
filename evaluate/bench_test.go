package evaluate_test

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/internal/testenv/conformance"
)

// workload is an evaluation to measure.
type workload struct {
	name   string
	config *evaluate.Config
	key    string
	user   any
	def    evaluate.Value
	allocs float64 // allowed allocations
}

// workloads returns the workloads of the benchmarks. It omits those on the config of the test
// matrix if the conformance data is missing.
func workloads(t testing.TB, matrix *evaluate.Config) []workload {
	user := &evaluate.UserData{Identifier: "12345", Email: "a@configcat.com", Country: "Hungary"}
	var all []workload
	if matrix != nil {
		all = append(all,
			workload{"TextOfRule", matrix, "stringIsInDogDefaultCat", user, evaluate.StringValue(""), 0},
			workload{"BoolOfRule", matrix, "bool30TrueAdvancedRules", user, evaluate.BoolValue(false), 0},
			workload{"TextWithoutUser", matrix, "stringDefaultCat", nil, evaluate.StringValue(""), 0},
			workload{"PercentageOption", matrix, "string25Cat25Dog25Falcon25Horse", user, evaluate.StringValue(""), 0},
			workload{"DefaultOfAnotherType", matrix, "stringDefaultCat", user, evaluate.IntValue(1), 0},
		)
	}
	fifty, item := manyRules(50), hashedItems(1000)
	return append(all,
		workload{"HashedOneOf1000", mustParse(t, comparisonFlag(16, item)), "flag", map[string]any{"A": "item 999"}, evaluate.BoolValue(false), 0},
		workload{"FiftyRulesLastMatches", mustParse(t, fifty), "flag", user, evaluate.StringValue(""), 0},
		workload{"FourVersions", mustParse(t, fourVersions), "flag", map[string]any{"A": "1.2.3"}, evaluate.BoolValue(false), 8},
		workload{"Segment", mustParse(t, segmentConfig), "flag", user, evaluate.BoolValue(false), 0},
		workload{"TenPrerequisites", mustParse(t, chainConfig(10, "")), "f0", user, evaluate.BoolValue(false), 0},
		workload{"MissingAttribute", mustParse(t, comparisonFlag(0, `"l":["x"]`)), "flag", user, evaluate.BoolValue(false), 0},
	)
}

const segmentConfig = `{"p":{"s":"salt"},"s":[{"n":"Beta users","r":[{"a":"Email","c":2,"l":["@configcat.com"]},{"a":"Country","c":0,"l":["Austria","Hungary"]}]}],
	"f":{"flag":{"t":0,"r":[{"c":[{"s":{"s":0,"c":0}}],"s":{"v":{"b":true}}}],"v":{"b":false}}}}`

const fourVersions = `{"f":{"flag":{"t":0,"r":[{"c":[{"u":{"a":"A","c":9,"s":"1.0.0"}},{"u":{"a":"A","c":6,"s":"2.0.0"}},
	{"u":{"a":"A","c":4,"l":["1.2.2","1.2.3"]}},{"u":{"a":"A","c":5,"l":["1.2.4","1.2.5"]}}],"s":{"v":{"b":true}}}],"v":{"b":false}}}}`

func manyRules(count int) string {
	rules := make([]string, count)
	for i := range rules {
		country := fmt.Sprintf("Country %d", i)
		if i == count-1 {
			country = "Hungary"
		}
		rules[i] = fmt.Sprintf(`{"c":[{"u":{"a":"Country","c":28,"s":"%s"}}],"s":{"v":{"s":"%d"},"i":"v%d"}}`, country, i, i)
	}
	return `{"f":{"flag":{"t":1,"r":[` + strings.Join(rules, ",") + `],"v":{"s":""}}}}`
}

func hashedItems(count int) string {
	items := make([]string, count)
	for i := range items {
		items[i] = `"` + evaluate.SaltedHashHex(fmt.Sprintf("item %d", i), "saltflag") + `"`
	}
	return `"l":[` + strings.Join(items, ",") + `]`
}

func TestWorkloadsDoNotAllocate(t *testing.T) {
	matrix := parseFile(t, conformance.Dir(t), "matrix", "testmatrix.config.json")
	for _, w := range workloads(t, matrix) {
		t.Run(w.name, func(t *testing.T) {
			if got := w.config.Evaluate(w.key, w.user, w.def, nil); got.Err != nil && got.Code != evaluate.CodeTypeMismatch {
				t.Fatal(got.Err)
			}
			checkAllocs(t, w.name, w.allocs, func() { w.config.Evaluate(w.key, w.user, w.def, nil) })
			checkAllocs(t, w.name+", value only", w.allocs, func() { _, _ = w.config.EvaluateValue(w.key, w.user, w.def, nil) })
		})
	}
}

// BenchmarkMapLookup is the unit for the ratios of the other benchmarks.
func BenchmarkMapLookup(b *testing.B) {
	m, keys := lookupMap()
	i, sum := 0, int64(0)
	for b.Loop() {
		sum += m[keys[i&15]].Int()
		i++
	}
	_ = sum
}

func lookupMap() (map[string]evaluate.Value, []string) {
	m := make(map[string]evaluate.Value)
	keys := make([]string, 16)
	for i := range keys {
		keys[i] = fmt.Sprintf("aSettingWithSomeName%d", i)
		m[keys[i]] = evaluate.IntValue(int64(i))
	}
	return m, keys
}

// mapLookup returns the time of one look-up in a plain map in this run, in nanoseconds: the
// shortest of several tries.
var mapLookup = sync.OnceValue(func() float64 {
	m, keys := lookupMap()
	const tries, rounds = 20, 200_000
	least, sum := time.Hour, int64(0)
	for range tries {
		start := time.Now()
		for i := range rounds {
			sum += m[keys[i&15]].Int()
		}
		least = min(least, time.Since(start))
	}
	if sum == 0 {
		panic("the map is empty")
	}
	return float64(least.Nanoseconds()) / rounds
})

func reportRatio(b *testing.B) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/mapLookup(), "x-map-lookup")
}

func BenchmarkEvaluateNoAlloc(b *testing.B) {
	matrix := parseFile(b, conformance.Dir(b), "matrix", "testmatrix.config.json")
	for _, w := range workloads(b, matrix) {
		b.Run(w.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				w.config.Evaluate(w.key, w.user, w.def, nil)
			}
			reportRatio(b)
		})
	}
}

func BenchmarkEvaluateValueNoAlloc(b *testing.B) {
	matrix := parseFile(b, conformance.Dir(b), "matrix", "testmatrix.config.json")
	for _, w := range workloads(b, matrix) {
		b.Run(w.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = w.config.EvaluateValue(w.key, w.user, w.def, nil)
			}
			reportRatio(b)
		})
	}
}

func BenchmarkUserBuiltInTheCall(b *testing.B) {
	matrix := parseFile(b, conformance.Dir(b), "matrix", "testmatrix.config.json")
	b.ReportAllocs()
	for b.Loop() {
		user := &evaluate.UserData{Identifier: "12345", Email: "a@configcat.com", Country: "Hungary"}
		matrix.Evaluate("stringIsInDogDefaultCat", user, evaluate.StringValue(""), nil)
	}
	reportRatio(b)
}

func BenchmarkWarningsCollectedNoAlloc(b *testing.B) {
	matrix := parseFile(b, conformance.Dir(b), "matrix", "testmatrix.config.json")
	user := &evaluate.UserData{Identifier: "12345", Email: "a@configcat.com", Country: "Hungary"}
	b.ReportAllocs()
	for b.Loop() {
		var trace evaluate.Trace
		matrix.Evaluate("stringIsInDogDefaultCat", user, evaluate.StringValue(""), &trace)
	}
	reportRatio(b)
}

func BenchmarkEvaluationLog(b *testing.B) {
	matrix := parseFile(b, conformance.Dir(b), "matrix", "testmatrix.config.json")
	user := &evaluate.UserData{Identifier: "12345", Email: "a@configcat.com", Country: "Hungary"}
	trace := evaluate.Trace{Log: true}
	b.ReportAllocs()
	for b.Loop() {
		trace.Reset()
		matrix.Evaluate("stringIsInDogDefaultCat", user, evaluate.StringValue(""), &trace)
	}
	reportRatio(b)
}

func BenchmarkAllValues(b *testing.B) {
	matrix := parseFile(b, conformance.Dir(b), "matrix", "testmatrix.config.json")
	user := &evaluate.UserData{Identifier: "12345", Email: "a@configcat.com", Country: "Hungary"}
	b.ReportAllocs()
	for b.Loop() {
		_, _ = matrix.AllValues(user, nil)
	}
	reportRatio(b)
}

func BenchmarkFillingAMap(b *testing.B) {
	matrix := parseFile(b, conformance.Dir(b), "matrix", "testmatrix.config.json")
	b.ReportAllocs()
	for b.Loop() {
		values := make(map[string]any, len(matrix.Keys()))
		for _, key := range matrix.Keys() {
			values[key] = true
		}
	}
}

func BenchmarkComparator(b *testing.B) {
	config, users := everyComparator(b)
	for id, name := range evaluate.ComparatorNames {
		key := fmt.Sprint(id)
		user := users[key]
		b.Run(fmt.Sprintf("%s/%s", key, strings.ReplaceAll(name, " ", "_")), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				config.Evaluate(key, user, evaluate.BoolValue(false), nil)
			}
		})
	}
}

// Eight goroutines evaluate while the config is replaced repeatedly.
func BenchmarkReadersWhileConfigsSwapNoAlloc(b *testing.B) {
	data := readFile(b, conformance.Dir(b), "matrix", "testmatrix.config.json")
	user := &evaluate.UserData{Identifier: "12345", Email: "a@configcat.com", Country: "Hungary"}
	configs := make([]*evaluate.Config, 4)
	for i := range configs {
		configs[i] = mustParse(b, string(data))
	}
	var current atomic.Pointer[evaluate.Config]
	current.Store(configs[0])
	var stop atomic.Bool
	var swapping sync.WaitGroup
	swapping.Go(func() {
		for i := 0; !stop.Load(); i++ {
			current.Store(configs[i%len(configs)])
			time.Sleep(100 * time.Microsecond)
		}
	})
	b.SetParallelism(8)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			current.Load().Evaluate("stringIsInDogDefaultCat", user, evaluate.StringValue(""), nil)
		}
	})
	stop.Store(true)
	swapping.Wait()
}
