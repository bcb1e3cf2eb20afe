package wire_test

import (
	"bytes"
	"reflect"
	"testing"
	"time"

	"github.com/catbridge/catbridge/internal/wire"
	"pgregory.net/rapid"
)

func TestAnyContentRoundTripsInABlob(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		// Repeated data compresses; a single random piece does not.
		piece := rapid.SliceOfN(rapid.Byte(), 0, 2000).Draw(t, "piece")
		json := bytes.Repeat(piece, rapid.IntRange(1, 200).Draw(t, "times"))
		blob := blobOf(json)
		if len(blob.Payload) > len(json) {
			t.Fatalf("%d bytes became %d", len(json), len(blob.Payload))
		}
		back, err := wire.ParseBlob(blob.Append(nil))
		if err != nil {
			t.Fatal(err)
		}
		have, err := back.JSON()
		if err != nil || !bytes.Equal(have, json) {
			t.Fatalf("%d bytes came back as %d, %v", len(json), len(have), err)
		}
	})
}

func TestAnyMessageRoundTrips(t *testing.T) {
	hashes := rapid.SampledFrom([]string{"", hash, wire.ContentHash(nil)})
	revs := rapid.OneOf(rapid.Just(int64(0)), rapid.Int64Range(wire.MinRev, wire.MaxRev))
	millis := func(limit time.Duration) *rapid.Generator[time.Duration] {
		return rapid.Map(rapid.Int64Range(0, limit.Milliseconds()), func(n int64) time.Duration {
			return time.Duration(n) * time.Millisecond
		})
	}
	rapid.Check(t, func(t *rapid.T) {
		message := wire.Message{
			Type:    rapid.SampledFrom([]wire.MessageType{wire.Change, wire.Heartbeat, wire.Resign, wire.Control, "later"}).Draw(t, "type"),
			Rev:     revs.Draw(t, "rev"),
			CDN:     revs.Draw(t, "cdn"),
			Hash:    hashes.Draw(t, "hash"),
			Len:     rapid.IntRange(0, wire.MaxConfigBytes).Draw(t, "len"),
			Poll:    millis(wire.MaxPoll).Draw(t, "poll"),
			Epoch:   rapid.Int64Range(0, wire.MaxRev).Draw(t, "epoch"),
			Spread:  millis(wire.MaxSpread).Draw(t, "spread"),
			ETag:    wire.MessageETag(rapid.String().Draw(t, "etag")),
			Renew:   millis(wire.MaxRenew).Draw(t, "renew"),
			Control: revs.Draw(t, "control"),
			Now:     revs.Draw(t, "now"),
			Extra:   rapid.SampledFrom([]string{"", "later=1", "later=1 still=2"}).Draw(t, "extra"),
		}
		if rapid.Bool().Draw(t, "inline") {
			message.Codec = rapid.SampledFrom([]wire.Codec{wire.Raw, wire.Zstd, "later"}).Draw(t, "codec")
			message.Content = rapid.SliceOfN(rapid.Byte(), 0, wire.MaxInlineBytes).Draw(t, "content")
		}
		back, err := wire.ParseMessage(message.Append(nil))
		if err != nil {
			t.Fatal(err)
		}
		if len(message.Content) == 0 {
			back.Content = message.Content
		}
		if !reflect.DeepEqual(back, message) {
			t.Fatalf("came back as %+v", back)
		}
	})
}
