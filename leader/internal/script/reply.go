package script

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/catbridge/catbridge/internal/wire"
)

var errReply = errors.New("leader: unexpected reply from a script")

func parseWriteReply(reply []any) (WriteReply, error) {
	r := replyReader{reply: reply}
	w := WriteReply{Outcome: Outcome(r.text())}
	switch w.Outcome {
	case OK:
		w.Rev, w.CDN, w.Now, w.Receivers, w.Refresh, w.Control = r.number(), r.number(), r.number(), r.number(), r.number(), r.number()
		if len(r.reply) > 0 {
			w.History = r.text()
		}
	case Fenced:
	case Stale, Regressed, Overwritten:
		w.Found, w.Now = r.number(), r.number()
		w.Meta = r.meta()
	case Control:
		w.Control, w.Now = r.number(), r.number()
		w.Meta = r.meta()
	default:
		return WriteReply{}, errReply
	}
	return w, r.err
}

// replyReader reads the elements of a script's reply. After an error its methods return zero
// values.
type replyReader struct {
	reply []any
	err   error
}

func (r *replyReader) next() any {
	if len(r.reply) == 0 {
		r.err = errReply
		return nil
	}
	value := r.reply[0]
	r.reply = r.reply[1:]
	return value
}

func (r *replyReader) text() string {
	value, ok := r.next().(string)
	if !ok {
		r.err = errReply
	}
	return value
}

func (r *replyReader) number() int64 {
	switch value := r.next().(type) {
	case int64:
		return value
	case string:
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			r.err = errReply
		}
		return n
	}
	r.err = errReply
	return 0
}

// meta reads the fields of meta, which end a reply. If one is malformed, meta reads only rev,
// as the scripts do: rev is the base of the next write.
func (r *replyReader) meta() wire.Meta {
	fields := wire.MetaFields()
	if len(r.reply) != len(fields) {
		r.err = errReply
		return wire.Meta{}
	}
	meta, err := wire.ParseMeta(r.reply)
	if err != nil {
		rev, _ := r.reply[slices.Index(fields, "rev")].(string)
		return wire.Meta{Rev: scriptNumber(rev)}
	}
	return meta
}

// scriptNumber is like the function number of prelude.lua.
func scriptNumber(s string) int64 {
	if len(s) > 13 || strings.ContainsAny(s, "+-_") {
		return 0
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0
	}
	return n
}
