package feed

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/catbridge/catbridge/follower/internal/snapshot"
	"github.com/catbridge/catbridge/internal/patch"
	"github.com/catbridge/catbridge/internal/wire"
)

// switchable returns a config of about size bytes, in which a flag in the middle has that number.
func switchable(size, number int) []byte {
	out := bytes.NewBufferString(`{"p":{"s":"salt"},"f":{`)
	for i := 0; out.Len() < size; i++ {
		if i == size/400 {
			fmt.Fprintf(out, `"switched":{"t":2,"v":{"i":%d}},`, number)
		}
		fmt.Fprintf(out, `"flag%d":{"t":0,"r":[{"c":[{"u":{"a":"Email","c":2,"l":["@example%d.com"]}}],"s":{"v":{"b":true},"i":"%s"}}],"v":{"b":false}},`,
			i, i%50, wire.ContentHash([]byte{byte(i), byte(i >> 8)})[:16])
	}
	out.WriteString(`"last":{"t":0,"v":{"b":true}}}}`)
	return out.Bytes()
}

// BenchmarkOneFlagSwitched is what a follower does, and what Redis sends to it, once one flag of
// a config was switched: with the patch in the message, and with the blob.
func BenchmarkOneFlagSwitched(b *testing.B) {
	for _, size := range []int{10 << 10, 1 << 20, 5 << 20} {
		for _, with := range []string{"patch", "blob"} {
			b.Run(fmt.Sprintf("%dKB/%s", size>>10, with), func(b *testing.B) {
				held := compiled(b, switchable(size, 0))
				sent, took := 0, time.Duration(0)
				for i := 1; b.Loop(); i++ {
					b.StopTimer()
					json := switchable(size, i)
					c := snapshot.Candidate{Rev: held.Rev + 1, Hash: wire.ContentHash(json), Stored: wire.Blob{Hash: wire.ContentHash(json)}}
					if with == "patch" {
						steps := wire.Patches{{
							From: wire.ShortHash(held.Hash), To: c.Hash, Rev: c.Rev, Len: len(json),
							Patch: patch.Make(b.Context(), held.JSON, json, wire.MaxPatchesBytes),
						}}
						c.Stored.Codec, c.Stored.Payload = wire.Patch, steps.Append(nil)
						base := held.JSON
						c.JSON = func() ([]byte, error) { return applySteps(base, steps, steps.To()) }
						sent += len(steps[0].Patch)
					} else {
						c.Stored.Codec, c.Stored.Payload = wire.Encode(json)
						c.JSON = c.Stored.JSON
						sent += len(c.Stored.Payload)
					}
					content := c.JSON
					c.JSON = func() ([]byte, error) {
						defer func(began time.Time) { took += time.Since(began) }(time.Now())
						return content()
					}
					b.StartTimer()
					next, err := snapshot.Compile(c, held)
					if err != nil {
						b.Fatal(err)
					}
					held = next
				}
				b.ReportMetric(float64(sent)/float64(b.N), "content-bytes/op")
				b.ReportMetric(float64(took)/float64(b.N), "content-ns/op") // until the bytes are verified
			})
		}
	}
}

func compiled(b *testing.B, json []byte) *snapshot.Snapshot {
	b.Helper()
	next, err := snapshot.Compile(snapshot.Candidate{
		Rev: wire.MinRev, Hash: wire.ContentHash(json), Stored: wire.Blob{Codec: wire.Raw, Payload: json},
		JSON: func() ([]byte, error) { return json, nil },
	}, nil)
	if err != nil {
		b.Fatal(err)
	}
	return next
}
