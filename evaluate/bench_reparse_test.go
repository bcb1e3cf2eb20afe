package evaluate_test

import (
	"bytes"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/catbridge/catbridge/evaluate"
)

// edited returns the document with the served value of every stride-th flag changed.
func edited(data []byte, count int) []byte {
	was, is := []byte(`{"s":"Default"}`), []byte(`{"s":"default"}`)
	total := bytes.Count(data, was)
	count = min(count, total)
	edited := bytes.Clone(data)
	at := 0
	for i := range total {
		at += bytes.Index(edited[at:], was)
		if i%(total/count) == total/count/2 {
			copy(edited[at:], is)
		}
		at++
	}
	return edited
}

// BenchmarkReparse compiles a changed config with the one before. It reports the time and the
// memory as parts of those of a compilation from scratch in the same run.
func BenchmarkReparse(b *testing.B) {
	changes := []struct {
		name  string
		apply func(data []byte) []byte
	}{
		{"one flag", func(data []byte) []byte { return edited(data, 1) }},
		{"ten flags", func(data []byte) []byte { return edited(data, 10) }},
		{"half the flags", func(data []byte) []byte { return edited(data, bytes.Count(data, []byte(`Default`))/2) }},
		{"a flag more", func(data []byte) []byte {
			return bytes.Replace(data, []byte(`"f":{`), []byte(`"f":{"new":{"t":0,"v":{"b":true}},`), 1)
		}},
		{"a segment", func(data []byte) []byte { return bytes.Replace(data, []byte("Beta"), []byte("Test"), 1) }},
	}
	for _, size := range []int{10 << 10, 1 << 20, 5 << 20} {
		data := document(size)
		scratch, scratchBytes := cost(func() { mustParse(b, string(data)) })
		for _, change := range changes {
			b.Run(fmt.Sprintf("%dKB/%s", size>>10, change.name), func(b *testing.B) {
				documents := [2][]byte{data, change.apply(data)}
				config, i := mustParse(b, string(data)), 0
				next := func() {
					i++
					var err error
					if config, err = evaluate.Reparse(config, documents[i&1]); err != nil {
						b.Fatal(err)
					}
				}
				_, reparsedBytes := cost(next)
				b.ReportAllocs()
				for b.Loop() {
					next()
				}
				b.ReportMetric(float64(b.Elapsed())/float64(b.N)/float64(scratch), "of-scratch")
				b.ReportMetric(float64(reparsedBytes)/float64(scratchBytes), "B-of-scratch")
			})
		}
	}
}

// cost returns the shortest time of several calls and the memory that the last one allocated.
func cost(call func()) (least time.Duration, allocated uint64) {
	least = time.Hour
	for range 10 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		start := time.Now()
		call()
		least = min(least, time.Since(start))
		runtime.ReadMemStats(&after)
		allocated = after.TotalAlloc - before.TotalAlloc
	}
	return least, allocated
}
