package patch

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math/bits"
	"slices"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/catbridge/catbridge/internal/wire"
)

const (
	// smallMiddle is the size up to which a middle is not compressed.
	smallMiddle = 32
	// quickMiddle is the size up to which the fastest level is used: the tables of the others
	// would cost more than they save.
	quickMiddle = 64 << 10
	// sampleDictionary is the size of the part of a dictionary whose loading shows how long all of
	// it takes: loading cannot be interrupted.
	sampleDictionary = 1 << 20
	// blockBytes is how much is compressed at once: the size of Zstandard's blocks.
	blockBytes = 128 << 10
)

// Make returns a patch that makes next of base, of at most limit bytes. It returns nil if a
// patch would be longer, or when ctx is done. The patch shares no memory with its arguments.
func Make(ctx context.Context, base, next []byte, limit int) []byte {
	if len(base) > wire.MaxConfigBytes || len(next) > wire.MaxConfigBytes {
		return nil
	}
	h := head{prefix: commonPrefix(base, next), codec: wire.Raw}
	h.suffix = commonSuffix(base[h.prefix:], next[h.prefix:])
	from, middle := base[h.prefix:len(base)-h.suffix], next[h.prefix:len(next)-h.suffix]
	if len(middle) > smallMiddle {
		if packed := compress(ctx, from, middle, limit); packed != nil && len(packed) < len(middle) {
			h.codec, middle = wire.Zstd, packed
		}
	}
	if len(middle) > limit || ctx.Err() != nil {
		return nil
	}
	patch := append(h.append(make([]byte, 0, maxHeadBytes+len(middle))), middle...)
	if len(patch) > limit {
		return nil
	}
	return patch
}

// commonPrefix returns how many bytes a and b have in common at their start.
func commonPrefix(a, b []byte) int {
	n, most := 0, min(len(a), len(b))
	for ; n+8 <= most; n += 8 {
		if x := binary.LittleEndian.Uint64(a[n:]) ^ binary.LittleEndian.Uint64(b[n:]); x != 0 {
			return n + bits.TrailingZeros64(x)/8
		}
	}
	for n < most && a[n] == b[n] {
		n++
	}
	return n
}

// commonSuffix returns how many bytes a and b have in common at their end.
func commonSuffix(a, b []byte) int {
	n, most := 0, min(len(a), len(b))
	for ; n+8 <= most; n += 8 {
		if x := binary.BigEndian.Uint64(a[len(a)-n-8:]) ^ binary.BigEndian.Uint64(b[len(b)-n-8:]); x != 0 {
			return n + bits.TrailingZeros64(x)/8
		}
	}
	for n < most && a[len(a)-n-1] == b[len(b)-n-1] {
		n++
	}
	return n
}

// compress returns middle as a Zstandard frame over the middle of the base. It gives up after a
// block if the frame is longer than limit, or if ctx is done, and at the start if the dictionary
// takes longer; it then returns nil.
func compress(ctx context.Context, from, middle []byte, limit int) []byte {
	level := zstd.SpeedBetterCompression // the others find nothing that is several MB back
	if len(from)+len(middle) <= quickMiddle {
		level = zstd.SpeedFastest
	}
	options := []zstd.EOption{
		zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(level), zstd.WithEncoderCRC(false), zstd.WithLowerEncoderMem(true),
		zstd.WithWindowSize(max(zstd.MinWindowSize, 1<<bits.Len(uint(len(from)+len(middle))))), // reaches back over all of both
	}
	dict := dictionary(from)
	if !hasTime(ctx, dict, options) {
		return nil
	}
	if dict != nil {
		options = append(options, zstd.WithEncoderDictRaw(0, dict))
	}
	if len(middle) <= blockBytes {
		// A single segment: otherwise a frame cannot state a size below 256 bytes.
		enc, err := zstd.NewWriter(nil, append(options, zstd.WithSingleSegment(true))...)
		if err != nil {
			return nil
		}
		defer enc.Close()
		return enc.EncodeAll(middle, nil)
	}
	frame := &limitedBuffer{limit: limit}
	enc, err := zstd.NewWriter(frame, options...)
	if err != nil {
		return nil
	}
	defer enc.Close()
	enc.ResetContentSize(frame, int64(len(middle)))
	for rest := middle; len(rest) > 0 && err == nil; {
		n := min(blockBytes, len(rest))
		_, err = enc.Write(rest[:n])
		rest = rest[n:]
		err = errors.Join(err, ctx.Err())
	}
	if err != nil || enc.Close() != nil {
		return nil
	}
	return frame.Bytes()
}

// hasTime reports whether a dictionary is likely to be loaded before ctx is done. That depends on
// the machine, and on what else runs.
func hasTime(ctx context.Context, dict []byte, options []zstd.EOption) bool {
	end, limited := ctx.Deadline()
	if !limited || len(dict) < 4*sampleDictionary {
		return ctx.Err() == nil
	}
	began := time.Now()
	enc, err := zstd.NewWriter(io.Discard, append(slices.Clip(options), zstd.WithEncoderDictRaw(0, dict[:sampleDictionary]))...)
	if err != nil {
		return false
	}
	took := time.Since(began)
	_ = enc.Close()
	return time.Now().Add(took * time.Duration(len(dict)/sampleDictionary)).Before(end)
}

// limitedBuffer is a buffer that refuses more than limit bytes.
type limitedBuffer struct {
	bytes.Buffer
	limit int
}

var errLimit = errors.New("over the limit")

func (b *limitedBuffer) Write(p []byte) (int, error) {
	if b.Len()+len(p) > b.limit {
		return 0, errLimit
	}
	return b.Buffer.Write(p)
}
