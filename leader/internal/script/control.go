package script

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/catbridge/catbridge/internal/control"
	"github.com/catbridge/catbridge/internal/redisnode"
	"github.com/catbridge/catbridge/internal/wire"
)

// ErrPinned is the error of a pinned content that is missing or invalid, or that is not the content
// of the pin.
var ErrPinned = errors.New("the pinned content is unavailable")

// StoredControl is what Redis has of the operators' control.
type StoredControl struct {
	// Seq is 0 if no control is stored. Of a malformed one it is the number in its first line,
	// or 0 if that is not a seq: the next control must replace it, see [ControlWrite].
	Seq int64
	// Control is nil if none is stored or it is malformed.
	Control *control.Control
	// Malformed is nil if Control is valid, or if none is stored.
	Malformed error
	// Pinned is the content of the pin, without an ETag. It is nil if there is no pin.
	Pinned *Content
	// PinnedErr is nil if there is no pin or Pinned is its content. Otherwise it wraps [ErrPinned].
	PinnedErr error
}

// ControlState is the reply to [Store.Control].
type ControlState struct {
	StoredControl
	Now  int64     // Redis's clock, Unix ms
	Meta wire.Meta // what is current
	// Known reports whether the latest leader knows of controls. It is true if no leader has led yet.
	Known bool
}

// Control reads the control, the pinned content and meta, all of the same moment. Of values that are
// too large it reads only the start. A key of the wrong type counts as missing: the next write
// overwrites it.
func (s *Store) Control(ctx context.Context) (ControlState, error) {
	reply, err := readControlScript.Run(ctx, s.client, s.controlKeys(), control.MaxBytes, wire.MaxBlobBytes).Slice()
	if err != nil {
		return ControlState{}, fmt.Errorf("read the control: %w", err)
	}
	r := replyReader{reply: reply}
	var state ControlState
	state.Now = r.number()
	stored, pinned := r.text(), r.text()
	state.Known = r.number() == 1
	state.Meta = r.meta()
	if r.err != nil {
		return ControlState{}, fmt.Errorf("read the control: %w", r.err)
	}
	state.StoredControl = ParseControl([]byte(stored), []byte(pinned))
	return state, nil
}

func (s *Store) controlKeys() []string { return []string{s.keys.Control, s.keys.Pinned, s.keys.Meta} }

// ParseControl reads the values of the keys of a control and of the pinned content. A missing one is
// empty.
func ParseControl(stored, pinned []byte) StoredControl {
	c := StoredControl{Seq: storedSeq(stored)}
	if len(stored) == 0 {
		return c
	}
	if c.Control, c.Malformed = control.Parse(stored); c.Control != nil && c.Control.Pin != nil {
		c.Pinned, c.PinnedErr = parsePinned(pinned, c.Control.Pin.Hash)
	}
	return c
}

// storedSeq is like the function stored_seq of prelude.lua.
func storedSeq(stored []byte) int64 {
	line, _, ended := bytes.Cut(stored, []byte{'\n'})
	if seq, ok := wire.ParseNumber(line); ok && ended && wire.ValidRev(seq) && seq <= control.MaxSeq {
		return seq
	}
	return 0
}

// parsePinned reads the pinned content, which must have that hash.
func parsePinned(data []byte, hash string) (*Content, error) {
	if len(data) == 0 {
		return nil, fmt.Errorf("%w: it is missing", ErrPinned)
	}
	blob, err := wire.ParseBlob(data)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPinned, err)
	}
	if blob.Hash != hash {
		return nil, fmt.Errorf("%w: its hash is %.8s…, the pin's is %.8s…", ErrPinned, blob.Hash, hash)
	}
	json, err := blob.JSON()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPinned, err)
	}
	return &Content{JSON: json, Hash: blob.Hash, Codec: blob.Codec, Payload: blob.Payload}, nil
}

// ControlWrite replaces the stored control.
type ControlWrite struct {
	Expected int64 // the [StoredControl.Seq] that it replaces
	Above    int64 // the new seq must be above this one; 0: no further bound
	// Repaired is the seq of a control that Redis lost, and that is written again as it was; 0: it is new.
	Repaired int64
	Control  *control.Control // its seq is ignored, and After unless it is repaired
	// Pinned is the content of the pin. If it is nil and there is a pin, the stored content stays.
	// If there is no pin, the stored content is deleted.
	Pinned *Content
	Lock   string // the lock's value as this leader wrote it; empty: an operator writes, and needs no lock
}

// ControlReply is the reply to [Store.WriteControl].
type ControlReply struct {
	Outcome Outcome       // OK, Stale, Proto or Fenced; nothing was written unless it is OK
	Seq     int64         // OK: the new seq
	Now     int64         // OK, Stale: Redis's clock, Unix ms
	Stored  StoredControl // Stale: the stored control, without the pinned content
}

// WriteControl writes a control and publishes a message. Nothing is written if the stored control
// has another seq than expected, if the latest leader does not know of controls, or if a leader
// writes that has lost its lock. The new seq is at least Redis's clock. WriteControl tries twice: a
// connection may have died unnoticed. If the first try succeeded after all, the second finds that.
func (s *Store) WriteControl(ctx context.Context, w ControlWrite) (ControlReply, error) {
	c := *w.Control
	c.Seq = max(c.Seq, wire.MinRev)
	if w.Repaired == 0 {
		if c.After = max(w.Expected, w.Above); !wire.ValidRev(c.After) {
			c.After = 0
		}
	}
	if err := c.Validate(); err != nil {
		return ControlReply{}, fmt.Errorf("write the control: %w", err)
	}
	pin, tail, payload := "DEL", "", []byte(nil)
	switch {
	case c.Pin == nil && w.Pinned != nil:
		return ControlReply{}, errors.New("write the control: a pinned content without a pin")
	case c.Pin != nil && w.Pinned == nil:
		pin = "KEEP"
	case c.Pin != nil:
		if w.Pinned.Hash != c.Pin.Hash {
			return ControlReply{}, fmt.Errorf("write the control: %w: its hash is %.8s…, the pin's is %.8s…", ErrPinned, w.Pinned.Hash, c.Pin.Hash)
		}
		pin, payload = "SET", w.Pinned.Payload
		tail = wire.Blob{Hash: w.Pinned.Hash, Codec: w.Pinned.Codec}.Tail()
	}
	keys := s.controlKeys()
	if w.Lock != "" {
		keys = append(keys, s.keys.Lock)
	}
	message, body := wire.Message{Type: wire.Control}, c.Body()
	var err error
	for range 2 {
		var reply []any
		reply, err = controlScript.Run(ctx, s.client, keys, w.Expected, w.Above, body, pin, tail, payload,
			s.keys.Events, message.Head(), message.Tail(), control.MaxBytes, w.Lock, w.Repaired).Slice()
		if err == nil {
			var answer ControlReply
			if answer, err = parseControlReply(reply); err != nil {
				break
			}
			if answer.Outcome == Stale && answer.Seq > w.Expected && answer.Stored.is(body) {
				answer.Outcome = OK // an earlier try succeeded
			}
			return answer, nil
		}
		if ctx.Err() != nil {
			break
		}
		redisnode.Reload(ctx, s.client)
	}
	return ControlReply{}, fmt.Errorf("write the control: %w", err)
}

// is reports whether the stored control has that body.
func (s StoredControl) is(body string) bool { return s.Control != nil && s.Control.Body() == body }

func parseControlReply(reply []any) (ControlReply, error) {
	r := replyReader{reply: reply}
	c := ControlReply{Outcome: Outcome(r.text())}
	switch c.Outcome {
	case OK:
		c.Seq, c.Now = r.number(), r.number()
	case Stale:
		c.Seq, c.Now = r.number(), r.number()
		stored := []byte(r.text())
		c.Stored = StoredControl{Seq: c.Seq}
		if len(stored) > 0 {
			c.Stored.Control, c.Stored.Malformed = control.Parse(stored)
		}
	case Proto, Fenced:
	default:
		return ControlReply{}, fmt.Errorf("%w: %.40q", errReply, strings.ToValidUTF8(string(c.Outcome), "?"))
	}
	return c, r.err
}
