package evaluate_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/evaluate"
)

// document returns a config of about that size with typical flags: rules on strings, hashes,
// versions, numbers and segments, percentage options, prerequisites.
func document(size int) []byte {
	hash := strings.Repeat("0123456789abcdef", 4)
	var b strings.Builder
	b.WriteString(`{"p":{"u":"https://cdn-global.configcat.com","r":0,"s":"4qHXtDMqAd1NjlgvhyYEcdrfxfkmwgfsVKQyWGkCSDM="},` +
		`"s":[{"n":"Beta users","r":[{"a":"Email","c":16,"l":["` + hash + `","` + hash + `"]}]}],"f":{"flag0":{"t":0,"v":{"b":true},"i":"11111111"}`)
	for i := 1; b.Len() < size-1200; i++ {
		fmt.Fprintf(&b, `,"flag%d":{"t":1,"r":[`+
			`{"c":[{"u":{"a":"Email","c":2,"l":["@configcat.com","@example.com"]}}],"s":{"v":{"s":"Dog"},"i":"d0cd8f06"}},`+
			`{"c":[{"u":{"a":"Email","c":16,"l":["%s","%s"]}},{"s":{"s":0,"c":0}}],"s":{"v":{"s":"Cat"},"i":"cd0c8f06"}},`+
			`{"c":[{"u":{"a":"Version","c":9,"s":"1.2.3"}},{"u":{"a":"Age","c":14,"d":21.5}}],"p":[{"p":50,"v":{"s":"A"},"i":"a"},{"p":50,"v":{"s":"B"},"i":"b"}]},`+
			`{"c":[{"p":{"f":"flag0","c":0,"v":{"b":true}}},{"u":{"a":"Country","c":0,"l":["HU","US","DE"]}}],"s":{"v":{"s":"Chicken"},"i":"2a84a0ce"}}],`+
			`"v":{"s":"Default"},"i":"7a0be518"}`, i, hash, hash)
	}
	b.WriteString(`}}`)
	return []byte(b.String())
}

var documentSizes = []struct {
	name string
	size int
}{{"10KB", 10 << 10}, {"1MB", 1 << 20}, {"8MB", 8 << 20}}

func BenchmarkCompile(b *testing.B) {
	for _, s := range documentSizes {
		b.Run(s.name, func(b *testing.B) {
			data := document(s.size)
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := evaluate.Parse(data); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(heapOf(b, data)/float64(len(data)), "heap-B/config-B")
		})
	}
}

// heapOf returns the size of a compiled config in memory, in bytes.
func heapOf(b *testing.B, data []byte) float64 {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	config, err := evaluate.Parse(data)
	if err != nil {
		b.Fatal(err)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	runtime.KeepAlive(config)
	return float64(after.HeapAlloc) - float64(before.HeapAlloc)
}

// Hashed lists of many items make real configs large.
func BenchmarkCompileHashedList(b *testing.B) {
	data := []byte(comparisonFlag(16, hashedItems(15_000)))
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := evaluate.Parse(data); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(heapOf(b, data)/float64(len(data)), "heap-B/config-B")
}
