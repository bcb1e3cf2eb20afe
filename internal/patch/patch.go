package patch

import (
	"bytes"
	"fmt"

	"github.com/catbridge/catbridge/internal/wire"
)

// An Error says why a patch is invalid. It contains at most a short excerpt of the patch.
type Error struct{ Reason string }

func (e *Error) Error() string { return "malformed patch: " + e.Reason }

func invalid(format string, args ...any) error { return &Error{fmt.Sprintf(format, args...)} }

// head is the first line of a patch.
type head struct {
	prefix, suffix int
	codec          wire.Codec
}

func (h head) append(dst []byte) []byte {
	dst = wire.AppendNumber(dst, int64(h.prefix))
	dst = append(dst, ' ')
	dst = wire.AppendNumber(dst, int64(h.suffix))
	dst = append(dst, ' ')
	dst = append(dst, h.codec...)
	return append(dst, '\n')
}

func parseHead(line []byte) (head, error) {
	fields := bytes.Split(line, []byte{' '})
	if len(fields) != 3 {
		return head{}, invalid("want prefix, suffix and codec, have %s", wire.Excerpt(line))
	}
	prefix, ok := wire.ParseNumber(fields[0])
	suffix, also := wire.ParseNumber(fields[1])
	if !ok || !also || prefix > wire.MaxConfigBytes || suffix > wire.MaxConfigBytes {
		return head{}, invalid("bad lengths %s", wire.Excerpt(line))
	}
	switch codec := wire.Codec(fields[2]); codec {
	case wire.Raw, wire.Zstd:
		return head{int(prefix), int(suffix), codec}, nil
	}
	return head{}, invalid("unknown codec %s", wire.Excerpt(fields[2]))
}

// maxHeadBytes is the greatest length of the first line, with its line break.
const maxHeadBytes = 2*(wire.MaxDigits+1) + wire.MaxCodecBytes + 1

// minDictionary is the least size of a dictionary that Zstandard allows.
const minDictionary = 8

// dictionary returns the dictionary for a middle of the base; nil: none.
func dictionary(middle []byte) []byte {
	if len(middle) < minDictionary {
		return nil
	}
	return middle
}
