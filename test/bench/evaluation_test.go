package bench_test

import (
	"math"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/follower"
	"github.com/catbridge/catbridge/internal/testenv/conformance"
	"github.com/catbridge/catbridge/internal/wire"
	"github.com/catbridge/catbridge/test/bench"
)

// Evaluation with the calls of a service, on the config of the text matrix, which is
// outside of this repository.
func BenchmarkEvaluation(b *testing.B) {
	measure(b, "evaluation", func(m *measurement) { evaluation(m, pick(200*time.Millisecond, time.Second)) })
}

// best returns the time of a call in ns, on one core: the best of many short runs, since
// other work of the machine can only add to it.
func best(watch time.Duration, call func()) float64 {
	const runs = 20
	least := math.Inf(1)
	for range runs {
		least = min(least, onCores(1, watch/runs, call))
	}
	return least
}

// fillMap is the floor for a map with the values of 16 settings.
func fillMap(keys []string) map[string]any {
	values := make(map[string]any, len(keys))
	for _, key := range keys {
		values[key] = true
	}
	return values
}

func evaluation(m *measurement, watch time.Duration) {
	json, err := os.ReadFile(filepath.Join(conformance.Dir(m), "matrix", "testmatrix.config.json"))
	if err != nil {
		m.Fatal(err)
	}
	c := holding(m, json)
	user := newUser()
	typed, held := follower.Bool("bool30TrueAdvancedRules", false), c.Snapshot(user)
	keys := c.GetAllKeys()
	m.put("floor", "ns", best(watch, load()))
	m.put("floor-all-values", "ns", best(watch, func() { fillMap(keys) }))
	for name, call := range map[string]func(){
		"text-user-built": func() { c.GetStringValue("stringIsInDogDefaultCat", "", newUser()) },
		"text":            func() { c.GetStringValue("stringIsInDogDefaultCat", "", user) },
		"bool":            func() { c.GetBoolValue("bool30TrueAdvancedRules", false, user) },
		"bool-details":    func() { c.GetBoolValueDetails("bool30TrueAdvancedRules", false, user) },
		"text-no-user":    func() { c.GetStringValue("stringDefaultCat", "", nil) },
		"all-values":      func() { c.GetAllValues(user) },
		"typed-again":     func() { typed.Get(held) },
	} {
		m.put(name, "ns", best(watch, call))
		m.put(name+"-allocs", "1", testing.AllocsPerRun(1000, call))
	}
}

// newUser is not inlined, so that the user is allocated as in a service.
//
//go:noinline
func newUser() *follower.UserData {
	return &follower.UserData{Identifier: "12345", Email: "a@configcat.com", Country: "Hungary"}
}

// holding returns a follower that has the given config.
func holding(m *measurement, json []byte) *follower.Client {
	s := startRedis(m, nil)
	entry := cachekeys.Entry{FetchTime: time.Now().UnixMilli(), ETag: `"e"`, JSON: json}
	if err := s.admin.Set(m.Context(), cachekeys.For(sdkKey, "", 0).Entry, entry.Append(nil), 0).Err(); err != nil {
		m.Fatal(err)
	}
	c := follow(m, s.client(m))
	awaitReady(m, c)
	if c.CacheState() == follower.NoFlagData {
		m.Fatal("the follower has no config")
	}
	return c
}

// Compiling a config, and encoding and decoding its blob.
func BenchmarkCompile(b *testing.B) {
	for _, bytes := range pick([]int{10 << 10, 1 << 20}, []int{1 << 10, 10 << 10, 100 << 10, 1 << 20, 5 << 20}) {
		measure(b, "compile", func(m *measurement) { compiling(m, bytes, pick(5, 30)) }, "bytes", bytes)
	}
}

func compiling(m *measurement, bytes, rounds int) {
	content := bench.NewContent(bytes)
	json := content.JSON(1)
	held, err := evaluate.Parse(json)
	if err != nil {
		m.Fatal(err)
	}
	blob := wire.Blob{Rev: wire.MinRev, Hash: wire.ContentHash(json)}
	var encode, decode, compile, again []time.Duration
	for round := range rounds {
		start := time.Now()
		blob.Codec, blob.Payload = wire.Encode(json)
		encode = append(encode, time.Since(start))
		start = time.Now()
		if _, err := blob.JSON(); err != nil {
			m.Fatal(err)
		}
		decode = append(decode, time.Since(start))
		runtime.GC() // the garbage of the steps above
		start = time.Now()
		if _, err := evaluate.Parse(json); err != nil {
			m.Fatal(err)
		}
		compile = append(compile, time.Since(start))
		changed := content.JSON(int64(2 + round))
		runtime.GC()
		start = time.Now()
		if held, err = evaluate.Reparse(held, changed); err != nil {
			m.Fatal(err)
		}
		again = append(again, time.Since(start))
	}
	rate := func(times []time.Duration) float64 {
		return float64(len(json)) / bench.Median(bench.Milliseconds(times)) / 1000
	}
	m.put("encode", "MB/s", rate(encode))
	m.put("decode", "MB/s", rate(decode))
	m.put("compile", "MB/s", rate(compile))
	// After a change of one flag, as a part of compiling from scratch.
	m.put("compile-change", "x", bench.Median(bench.Milliseconds(again))/bench.Median(bench.Milliseconds(compile)))
	m.put("stored", "B", float64(len(blob.Payload)))
}
