package wire_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/internal/testenv/memory"
	"github.com/catbridge/catbridge/internal/wire"
)

func blobOf(json []byte) wire.Blob {
	codec, payload := wire.Encode(json)
	return wire.Blob{Rev: rev, Hash: wire.ContentHash(json), Codec: codec, Payload: payload}
}

func TestInvalidBlobsAreRejected(t *testing.T) {
	hash := wire.ContentHash([]byte("{}"))
	for name, data := range map[string]string{
		"empty":             "",
		"three lines":       "1767225600000\n" + hash + "\nraw",
		"rev of 12 digits":  "999999999999\n" + hash + "\nraw\n{}",
		"rev of 14 digits":  "17672256000000\n" + hash + "\nraw\n{}",
		"signed rev":        "+176722560000\n" + hash + "\nraw\n{}",
		"rev with zeros":    "0176722560000\n" + hash + "\nraw\n{}",
		"short hash":        "1767225600000\n" + hash[1:] + "\nraw\n{}",
		"upper-case hash":   "1767225600000\n" + strings.ToUpper(hash) + "\nraw\n{}",
		"hash with letters": "1767225600000\ng" + hash[1:] + "\nraw\n{}",
		"no codec":          "1767225600000\n" + hash + "\n\n{}",
		"unknown codec":     "1767225600000\n" + hash + "\nlz4\n{}",
		"spaced codec":      "1767225600000\n" + hash + "\nraw \n{}",
		"endless codec":     "1767225600000\n" + hash + "\n" + strings.Repeat("z", 1<<20) + "\n{}",
		"too large":         "1767225600000\n" + hash + "\nraw\n" + strings.Repeat(" ", wire.MaxBlobBytes),
	} {
		t.Run(name, func(t *testing.T) {
			var err error
			raw := []byte(data)
			if took := memory.Allocated(func() { _, err = wire.ParseBlob(raw) }); took > 16<<10 {
				t.Errorf("took %d bytes of memory", took)
			}
			requireParseError(t, err, "blob")
		})
	}
}

func TestBlobAtItsLimits(t *testing.T) {
	for _, size := range []int{200, 511, 512, 513, 64 << 10, wire.MaxConfigBytes} {
		json := configOf(size)
		blob := blobOf(json)
		stored := blob.Append(nil)
		if len(stored) > wire.MaxBlobBytes {
			t.Errorf("%d bytes: blob of %d", size, len(stored))
		}
		back, err := wire.ParseBlob(stored)
		if err != nil {
			t.Fatalf("%d bytes: %v", size, err)
		}
		have, err := back.JSON()
		if err != nil {
			t.Fatalf("%d bytes: %v", size, err)
		}
		if !bytes.Equal(have, json) || back.Rev != rev {
			t.Errorf("%d bytes: came back changed", size)
		}
	}
	over := configOf(wire.MaxConfigBytes + 1)
	_, err := blobOf(over).JSON()
	requireParseError(t, err, "content")
	_, err = wire.Blob{Rev: rev, Hash: wire.ContentHash(over), Codec: wire.Raw, Payload: over}.JSON()
	requireParseError(t, err, "content")
}

// The largest blob with an incompressible config is not over the parser's limit.
func TestLargestRawBlobIsAccepted(t *testing.T) {
	json := bytes.Repeat([]byte{'x'}, wire.MaxConfigBytes)
	blob := wire.Blob{Rev: wire.MaxRev, Hash: wire.ContentHash(json), Codec: wire.Raw, Payload: json}
	back, err := wire.ParseBlob(blob.Append(nil))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := back.JSON(); err != nil {
		t.Fatal(err)
	}
}

// Neither a flipped bit nor a truncation reaches a follower (I4).
func TestDamagedContentIsRejected(t *testing.T) {
	json := configOf(700)
	blob := blobOf(json)
	if blob.Codec != wire.Zstd {
		t.Fatalf("codec %s, want it compressed", blob.Codec)
	}
	for i := range blob.Payload {
		damaged := blob
		damaged.Payload = bytes.Clone(blob.Payload)
		damaged.Payload[i] ^= 1 << (i % 8)
		if have, err := damaged.JSON(); err == nil && !bytes.Equal(have, json) {
			t.Fatalf("byte %d changed: other content was accepted", i)
		}
		damaged.Payload = blob.Payload[:i]
		_, err := damaged.JSON()
		requireParseError(t, err, "content")
	}
	blob.Hash = wire.ContentHash([]byte("other"))
	_, err := blob.JSON()
	requireParseError(t, err, "content")
}
