package patch

import (
	"bytes"

	"github.com/klauspost/compress/zstd"

	"github.com/catbridge/catbridge/internal/wire"
)

// maxWindowBytes is the greatest window of a frame: Make reaches back over the middles of two
// contents.
const maxWindowBytes = 4 * wire.MaxConfigBytes

// Apply makes content of length bytes of base and a patch. It uses memory in proportion to length
// and base, regardless of the patch, and none before all lengths agree. It does not compare the
// result with anything. The result shares no memory with the arguments. All errors are [*Error].
func Apply(base, patch []byte, length int) ([]byte, error) {
	if length < 0 || length > wire.MaxConfigBytes || len(base) > wire.MaxConfigBytes {
		return nil, invalid("content over the size limit")
	}
	line, _, ok := bytes.Cut(patch[:min(len(patch), maxHeadBytes)], []byte{'\n'})
	if !ok {
		return nil, invalid("no head")
	}
	middle := patch[len(line)+1:]
	h, err := parseHead(line)
	if err != nil {
		return nil, err
	}
	if h.prefix+h.suffix > min(len(base), length) {
		return nil, invalid("longer than the base or the content: %s", wire.Excerpt(line))
	}
	from, size := base[h.prefix:len(base)-h.suffix], length-h.prefix-h.suffix
	if h.codec == wire.Zstd {
		return h.unpack(base, from, middle, length)
	}
	if len(middle) != size {
		return nil, invalid("a middle of %d bytes, want %d", len(middle), size)
	}
	content := append(make([]byte, 0, length), base[:h.prefix]...)
	content = append(content, middle...)
	return append(content, base[len(base)-h.suffix:]...), nil
}

// unpack is the rest of Apply for a middle that is a Zstandard frame.
func (h head) unpack(base, from, frame []byte, length int) ([]byte, error) {
	size := length - h.prefix - h.suffix
	var top zstd.Header
	if err := top.Decode(frame); err != nil {
		return nil, invalid("zstd head: %v", err)
	}
	if !top.HasFCS || top.FrameContentSize != uint64(size) || top.Skippable {
		return nil, invalid("the frame does not state %d bytes", size)
	}
	options := []zstd.DOption{
		zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecodeAllCapLimit(true),
		zstd.WithDecoderMaxMemory(maxWindowBytes), zstd.WithDecoderMaxWindow(maxWindowBytes),
	}
	if dict := dictionary(from); dict != nil {
		options = append(options, zstd.WithDecoderDictRaw(0, dict))
	}
	dec, err := zstd.NewReader(nil, options...)
	if err != nil {
		return nil, invalid("zstd: %v", err)
	}
	defer dec.Close()
	content := append(make([]byte, 0, length), base[:h.prefix]...)
	// The decoder sees a buffer that ends with the middle: it cannot write more.
	unpacked, err := dec.DecodeAll(frame, content[h.prefix:h.prefix:h.prefix+size])
	if err != nil {
		return nil, invalid("zstd: %v", err)
	}
	if len(unpacked) != size {
		return nil, invalid("a middle of %d bytes, want %d", len(unpacked), size)
	}
	content = append(content, unpacked...)
	return append(content, base[len(base)-h.suffix:]...), nil
}
