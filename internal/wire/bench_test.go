package wire_test

import (
	"testing"

	"github.com/catbridge/catbridge/internal/wire"
)

var sizes = []struct {
	name string
	size int
}{{"1KB", 1 << 10}, {"100KB", 100 << 10}, {"1MB", 1 << 20}}

func BenchmarkEncode(b *testing.B) {
	for _, s := range sizes {
		b.Run(s.name, func(b *testing.B) {
			json := configOf(s.size)
			b.SetBytes(int64(len(json)))
			b.ReportAllocs()
			for b.Loop() {
				_, payload := wire.Encode(json)
				b.ReportMetric(float64(len(payload)), "payload-bytes")
			}
		})
	}
}

func BenchmarkBlobJSON(b *testing.B) {
	for _, s := range sizes {
		b.Run(s.name, func(b *testing.B) {
			blob := blobOf(configOf(s.size))
			b.SetBytes(int64(s.size))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := blob.JSON(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkParseMessage(b *testing.B) {
	data := longest(wire.Heartbeat).Append(nil)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := wire.ParseMessage(data); err != nil {
			b.Fatal(err)
		}
	}
}
