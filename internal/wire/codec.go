package wire

import (
	"math/bits"

	"github.com/klauspost/compress/zstd"
)

// Codec names how the content of a blob or a message is compressed.
type Codec string

const (
	Raw  Codec = "raw"  // uncompressed
	Zstd Codec = "zstd" // one Zstandard frame that states its content's size
	// Patch is how the content differs from other content, see package patch. Only messages have
	// it: a blob is whole.
	Patch Codec = "patch"
)

// minCompressBytes is the size below which compression saves too little to matter.
const minCompressBytes = 512

// MaxCodecBytes is the greatest length of a codec's name.
const MaxCodecBytes = 32

// parseCodec reads a codec's name and reports whether it is valid: 1 to [MaxCodecBytes]
// lower-case letters, digits, hyphens, periods and underscores. Names that this version does not
// know are valid, too.
func parseCodec(s []byte) (Codec, bool) {
	switch string(s) { // no allocation for the codecs of most messages
	case string(Raw):
		return Raw, true
	case string(Zstd):
		return Zstd, true
	case string(Patch):
		return Patch, true
	}
	if len(s) == 0 || len(s) > MaxCodecBytes {
		return "", false
	}
	for _, c := range s {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '.' && c != '_' {
			return "", false
		}
	}
	return Codec(s), true
}

// known reports whether this version can decode content in the codec alone.
func (c Codec) known() bool { return c == Raw || c == Zstd }

// Encode compresses a config JSON. If that does not make it shorter, Encode returns it unchanged
// as [Raw]. The payload may share memory with json.
func Encode(json []byte) (codec Codec, payload []byte) {
	if len(json) < minCompressBytes {
		return Raw, json
	}
	// The default level takes twice as long, and makes configs no shorter. Each call makes its own encoder: calls are rare, and a kept encoder would retain its window
	// forever. The window is no larger than the content needs: allocating a larger one takes
	// longer than compressing.
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithSingleSegment(true), zstd.WithEncoderLevel(zstd.SpeedFastest),
		zstd.WithWindowSize(1<<bits.Len(uint(len(json)))), zstd.WithLowerEncoderMem(true))
	if err != nil {
		return Raw, json
	}
	payload = enc.EncodeAll(json, make([]byte, 0, len(json)/4))
	_ = enc.Close()
	if len(payload) >= len(json) {
		return Raw, json
	}
	return Zstd, payload
}

// decode reverses Encode.
func (c Codec) decode(payload []byte) ([]byte, error) {
	if c == Raw {
		if len(payload) > MaxConfigBytes {
			return nil, malformed("content", "", "over the size limit")
		}
		return payload, nil
	}
	if c != Zstd {
		return nil, malformed("content", "", "unknown codec "+Excerpt(string(c)))
	}
	var head zstd.Header
	if err := head.Decode(payload); err != nil {
		return nil, malformed("content", "zstd head", err.Error())
	}
	if !head.HasFCS {
		return nil, malformed("content", "zstd head", "does not state the content's size")
	}
	if head.FrameContentSize > MaxConfigBytes {
		return nil, malformed("content", "zstd head", "content over the size limit")
	}
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxMemory(MaxConfigBytes), zstd.WithDecodeAllCapLimit(true))
	if err != nil {
		return nil, malformed("content", "zstd", err.Error())
	}
	defer dec.Close()
	json, err := dec.DecodeAll(payload, make([]byte, 0, head.FrameContentSize))
	if err != nil {
		return nil, malformed("content", "zstd", err.Error())
	}
	return json, nil
}
