package wire_test

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/catbridge/catbridge/internal/testenv/memory"
	"github.com/catbridge/catbridge/internal/wire"
)

// frame builds a Zstandard frame of one block, uncompressed or repeated, without a checksum. The
// frame states size, whatever the block contains.
func frame(size uint64, block []byte) []byte {
	out := []byte{0x28, 0xb5, 0x2f, 0xfd, 0b1110_0000} // single segment, size in 8 bytes
	out = binary.LittleEndian.AppendUint64(out, size)
	return append(out, block...)
}

// raw returns a last block of uncompressed content, repeated a last block of n times b.
func raw(content []byte) []byte {
	n := len(content)<<3 | 1
	return append([]byte{byte(n), byte(n >> 8), byte(n >> 16)}, content...)
}

func repeated(b byte, n int) []byte {
	n = n<<3 | 1<<1 | 1
	return []byte{byte(n), byte(n >> 8), byte(n >> 16), b}
}

// decode checks the size that a frame states before it allocates memory, and rejects content of
// another size.
func TestZstdSizesAreBounded(t *testing.T) {
	json := configOf(20 << 10)
	var streamed bytes.Buffer
	enc, err := zstd.NewWriter(&streamed)
	if err != nil {
		t.Fatal(err)
	}
	for half := range slices.Chunk(json, len(json)/2) {
		_, _ = enc.Write(half)
		_ = enc.Flush()
	}
	_ = enc.Close()
	_, good := wire.Encode(json)
	wideWindow := []byte{0x28, 0xb5, 0x2f, 0xfd, 0b1100_0000, 0xa0} // 1 GB of window
	wideWindow = append(binary.LittleEndian.AppendUint64(wideWindow, 4), raw([]byte("{}{}"))...)
	zeros := bytes.Repeat([]byte{0}, wire.MaxConfigBytes)

	tests := map[string]struct {
		payload []byte
		content []byte // hashed in the blob
		limit   uint64 // of memory
	}{
		"claims 4 GB":                     {frame(4<<30, raw([]byte("{}"))), []byte("{}"), 64 << 10},
		"claims 2^64-1 bytes":             {frame(1<<64-1, raw([]byte("{}"))), []byte("{}"), 64 << 10},
		"claims a byte over the limit":    {frame(wire.MaxConfigBytes+1, raw([]byte("{}"))), []byte("{}"), 64 << 10},
		"claims less than it holds":       {frame(3, raw([]byte("{}{}"))), []byte("{}{}"), 1 << 20},
		"claims nothing, holds a lot":     {frame(0, repeated(' ', 128<<10)), nil, 1 << 20},
		"claims more than it holds":       {frame(5, raw([]byte("{}{}"))), []byte("{}{}"), 1 << 20},
		"states no size":                  {streamed.Bytes(), json, 64 << 10},
		"wants a window of 1 GB":          {wideWindow, []byte("{}{}"), 1 << 20},
		"two frames":                      {append(bytes.Clone(good), good...), append(bytes.Clone(json), json...), 4 << 20},
		"two frames, the first is empty":  {append(frame(0, raw(nil)), good...), json, 4 << 20},
		"a bomb of frames":                {bytes.Repeat(frame(128<<10, repeated(' ', 128<<10)), 1000), zeros, 4 << 20},
		"a frame to skip":                 {append([]byte{0x50, 0x2a, 0x4d, 0x18, 1, 0, 0, 0, 0}, good...), json, 64 << 10},
		"a frame to skip of 4 GB":         {[]byte{0x50, 0x2a, 0x4d, 0x18, 255, 255, 255, 255}, nil, 64 << 10},
		"needs a dictionary":              {append([]byte{0x28, 0xb5, 0x2f, 0xfd, 0b0010_0001, 7, 2}, raw([]byte("{}"))...), []byte("{}"), 1 << 20},
		"empty":                           {nil, nil, 64 << 10},
		"plain JSON":                      {json, json, 64 << 10},
		"only the magic number":           {good[:4], json, 64 << 10},
		"trailing bytes behind the frame": {append(bytes.Clone(good), "tail"...), json, 4 << 20},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			blob := wire.Blob{
				Rev: rev, Hash: wire.ContentHash(test.content), Codec: wire.Zstd, Payload: test.payload,
			}
			var err error
			if took := memory.Allocated(func() { _, err = blob.JSON() }); took > test.limit {
				t.Errorf("took %d bytes of memory, want at most %d", took, test.limit)
			}
			requireParseError(t, err, "content")
		})
	}

	t.Run("as long as claimed", func(t *testing.T) { // apart from their sizes, the frames above are well-formed, too
		content := bytes.Repeat([]byte{' '}, 1000)
		blob := wire.Blob{
			Rev: rev, Hash: wire.ContentHash(content), Codec: wire.Zstd, Payload: frame(1000, repeated(' ', 1000)),
		}
		if _, err := blob.JSON(); err != nil {
			t.Error(err)
		}
	})
}

func TestEncodeStatesTheSize(t *testing.T) {
	for _, size := range []int{512, 1 << 10, 100 << 10, 1 << 20} {
		codec, payload := wire.Encode(configOf(size))
		var head zstd.Header
		if err := head.Decode(payload); codec != wire.Zstd || err != nil || !head.HasFCS || head.FrameContentSize != uint64(size) {
			t.Errorf("%d bytes: codec %s, %v, states %v %d", size, codec, err, head.HasFCS, head.FrameContentSize)
		}
	}
}

func TestEncodeNeverMakesContentLonger(t *testing.T) {
	for _, content := range [][]byte{nil, []byte("{}"), configOf(511), randomBytes(2000), randomBytes(300_000)} {
		codec, payload := wire.Encode(content)
		if codec != wire.Raw || !bytes.Equal(payload, content) {
			t.Errorf("%d bytes: codec %s, %d bytes", len(content), codec, len(payload))
		}
	}
}
