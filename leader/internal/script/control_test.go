package script

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/internal/control"
	"github.com/catbridge/catbridge/internal/testenv/memory"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/internal/wire"
)

func testOrder(now int64) control.Order {
	return control.Order{By: "me@host", Reason: "wrong flag", Since: now, Until: now + 3600_000}
}

// forcing returns a control that forces the flag version.
func forcing(value int64, now int64) *control.Control {
	return (&control.Control{}).With(control.Force{Flag: "version", Value: evaluate.IntValue(value), Order: testOrder(now)})
}

func pinning(c *Content, now int64) *control.Control {
	return &control.Control{Pin: &control.Pin{Rev: wire.MinRev, Hash: c.Hash, Order: testOrder(now)}}
}

func (a *author) controlState() ControlState {
	a.t.Helper()
	state, err := a.Control(a.t.Context())
	if err != nil {
		a.t.Fatal(err)
	}
	return state
}

// write writes a control over the one with the seq expected.
func (a *author) write(expected int64, c *control.Control, pinned *Content) ControlReply {
	a.t.Helper()
	return a.writeAs(ControlWrite{Expected: expected, Control: c, Pinned: pinned})
}

func (a *author) writeAs(w ControlWrite) ControlReply {
	a.t.Helper()
	reply, err := a.WriteControl(a.t.Context(), w)
	if err != nil {
		a.t.Fatal(err)
	}
	return reply
}

func TestAControlIsReadAsItWasWritten(t *testing.T) {
	onBoth(t, func(t *testing.T, client *redis.Client) {
		a := newAuthor(t, client, "ONE")
		before := a.controlState()
		if before.Seq != 0 || before.Control != nil || before.Malformed != nil || before.Pinned != nil || before.PinnedErr != nil || !before.Known || !wire.ValidRev(before.Now) {
			t.Fatalf("before anything was written: %+v", before)
		}
		a.mustAcquire()
		a.mustCommit(testContent(1))
		pinned := testContent(7)
		c := pinning(pinned, before.Now).With(forcing(3, before.Now).Forced[0])
		first := a.write(0, c, pinned)
		if first.Outcome != OK || first.Seq < before.Now || first.Now < before.Now {
			t.Fatalf("got %+v", first)
		}
		state := a.controlState()
		if state.Control == nil || state.Seq != first.Seq || state.Control.Seq != first.Seq || state.Control.Body() != c.Body() {
			t.Fatalf("read %+v, want %+v", state, c)
		}
		if state.Pinned == nil || !bytes.Equal(state.Pinned.JSON, pinned.JSON) || state.PinnedErr != nil {
			t.Errorf("pinned is %+v, %v", state.Pinned, state.PinnedErr)
		}
		if state.Meta.Rev != a.rev || state.Meta.Hash != testContent(1).Hash || !state.Known {
			t.Errorf("meta is %+v, known %v", state.Meta, state.Known)
		}
		// The pin stays with its content if there is no new content, and takes it with it at its end.
		second := a.write(first.Seq, pinning(pinned, before.Now), nil)
		if state = a.controlState(); second.Outcome != OK || state.Pinned == nil || len(state.Control.Forced) != 0 {
			t.Errorf("without the force: %+v, %+v", second, state)
		}
		third := a.write(second.Seq, &control.Control{}, nil)
		state = a.controlState()
		if third.Seq <= second.Seq || second.Seq <= first.Seq || state.Control == nil || !state.Control.Empty() || client.Exists(t.Context(), a.keys.Pinned).Val() != 0 {
			t.Errorf("after the end of all: %+v, %+v", third, state)
		}
	})
}

func TestAControlIsPublished(t *testing.T) {
	onBoth(t, func(t *testing.T, client *redis.Client) {
		a := newAuthor(t, client, "ONE")
		sub := client.Subscribe(t.Context(), a.keys.Events)
		defer sub.Close()
		if _, err := sub.Receive(t.Context()); err != nil {
			t.Fatal(err)
		}
		reply := a.write(0, forcing(1, wire.MinRev), nil)
		received, err := sub.ReceiveMessage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		message, err := wire.ParseMessage([]byte(received.Payload))
		if want := (wire.Message{Type: wire.Control, Seq: reply.Seq, Now: reply.Now}); err != nil || !cmp.Equal(message, want) {
			t.Errorf("published %+v, %v, want %+v", message, err, want)
		}
	})
}

// Two operators at once: the second learns what the first did, and nothing is lost.
func TestAControlReplacesOnlyTheExpectedOne(t *testing.T) {
	onBoth(t, func(t *testing.T, client *redis.Client) {
		a := newAuthor(t, client, "ONE")
		first := a.write(0, forcing(1, wire.MinRev), nil)
		for _, expected := range []int64{0, first.Seq - 1, first.Seq + 1} {
			reply := a.write(expected, pinning(testContent(2), wire.MinRev), testContent(2))
			if reply.Outcome != Stale || reply.Seq != first.Seq || reply.Stored.Control == nil || reply.Stored.Control.Body() != forcing(1, wire.MinRev).Body() {
				t.Errorf("expected %d: %+v", expected, reply)
			}
		}
		if state := a.controlState(); state.Seq != first.Seq || state.Control.Pin != nil || client.Exists(t.Context(), a.keys.Pinned).Val() != 0 {
			t.Errorf("the control became %+v", state)
		}
	})
}

// The seq rises if Redis's clock is set back, and above what the caller has seen.
func TestTheSeqOfAControlOnlyRises(t *testing.T) {
	onBoth(t, func(t *testing.T, client *redis.Client) {
		a := newAuthor(t, client, "ONE")
		const future = 5_000_000_000_000
		w := a.writeAs(ControlWrite{Above: future, Control: forcing(1, wire.MinRev)})
		if w.Seq != future+1 {
			t.Errorf("seq %d, want %d", w.Seq, future+1)
		}
		if w = a.write(w.Seq, forcing(2, wire.MinRev), nil); w.Seq != future+2 {
			t.Errorf("seq %d, want %d", w.Seq, future+2)
		}
		client.Set(t.Context(), a.keys.Control, fmt.Sprint(control.MaxSeq, "\n{}"), 0)
		_, err := a.WriteControl(t.Context(), ControlWrite{Expected: control.MaxSeq, Control: forcing(3, wire.MinRev)})
		if err == nil || !strings.Contains(err.Error(), "delete "+a.keys.Control) {
			t.Errorf("above the greatest seq: %v", err)
		}
	})
}

// An older leader leaves the field proto alone, and acts on no control.
func TestNoControlIsWrittenUnderAnOlderLeader(t *testing.T) {
	onBoth(t, func(t *testing.T, client *redis.Client) {
		for name, fields := range map[string][]any{
			"it leads first":    {"epoch", "1700000000000"},
			"it leads again":    {"epoch", "1700000000001", "proto", "1 1700000000000"},
			"proto is garbage":  {"epoch", "1700000000001", "proto", "1 1700000000001 "},
			"proto is too long": {"epoch", "1700000000001", "proto", strings.Repeat("1", 1000) + " 1700000000001"},
		} {
			a := newAuthor(t, client, "ONE")
			client.FlushDB(t.Context())
			client.HSet(t.Context(), a.keys.Meta, fields...)
			if reply := a.write(0, forcing(1, wire.MinRev), nil); reply.Outcome != Proto || a.controlState().Known {
				t.Errorf("%s: %+v", name, reply)
			}
			if n := client.Exists(t.Context(), a.keys.Control).Val(); n != 0 {
				t.Errorf("%s: a control was written", name)
			}
			a.mustAcquire() // this version leads
			if reply := a.write(0, forcing(1, wire.MinRev), nil); reply.Outcome != OK || !a.controlState().Known {
				t.Errorf("%s: then %+v", name, reply)
			}
		}
	})
}

// I2: a leader that has lost its lock writes no control.
func TestALeaderWritesAControlOnlyWithItsLock(t *testing.T) {
	onBoth(t, func(t *testing.T, client *redis.Client) {
		a := newAuthor(t, client, "ONE")
		a.mustAcquire()
		lost := a.lock
		a.mustAcquire()
		if reply := a.writeAs(ControlWrite{Control: forcing(1, wire.MinRev), Lock: lost}); reply.Outcome != Fenced || a.controlState().Control != nil {
			t.Errorf("with the earlier epoch: %+v", reply)
		}
		if reply := a.writeAs(ControlWrite{Control: forcing(1, wire.MinRev), Lock: a.lock}); reply.Outcome != OK {
			t.Errorf("with the lock: %+v", reply)
		}
	})
}

// What is not a control counts as one that is missing, but for its seq: it is replaced like any other.
func TestAMalformedControlIsReportedAndReplaced(t *testing.T) {
	valid := forcing(1, wire.MinRev)
	valid.Seq = 1_700_000_000_000
	for name, c := range map[string]struct {
		text string
		seq  int64
	}{
		"garbage":            {"garbage", 0},
		"a line":             {"1700000000000", 0},
		"a short seq":        {"170000000000\n{}", 0},
		"a seq with zero":    {"0170000000000\n{}", 0},
		"a long seq":         {"17000000000000\n{}", 0},
		"a negative seq":     {"-170000000000\n{}", 0},
		"no JSON":            {"1700000000000\n", 1_700_000_000_000},
		"JSON of others":     {"1700000000000\n{\"pin\":{}}", 1_700_000_000_000},
		"a cut control":      {string(valid.Append(nil)[:60]), 1_700_000_000_000},
		"bytes":              {"1700000000000\n\xff\x00", 1_700_000_000_000},
		"over its limit":     {string(valid.Append(nil)) + strings.Repeat(" ", control.MaxBytes), 1_700_000_000_000},
		"another line break": {"1700000000000\r\n{}", 0},
	} {
		t.Run(name, func(t *testing.T) {
			onBoth(t, func(t *testing.T, client *redis.Client) {
				a := newAuthor(t, client, "ONE")
				client.Set(t.Context(), a.keys.Control, c.text, 0)
				state := a.controlState()
				if _, ok := errors.AsType[*wire.ParseError](state.Malformed); !ok || state.Control != nil || state.Seq != c.seq {
					t.Errorf("read %+v", state)
				}
				if reply := a.write(state.Seq+1, forcing(2, wire.MinRev), nil); reply.Outcome != Stale || reply.Seq != c.seq || reply.Stored.Malformed == nil {
					t.Errorf("with another seq: %+v", reply)
				}
				if reply := a.write(state.Seq, forcing(2, wire.MinRev), nil); reply.Outcome != OK || a.controlState().Control == nil {
					t.Errorf("with its seq: %+v", reply)
				}
			})
		})
	}
}

func TestKeysOfTheWrongTypeAreReplaced(t *testing.T) {
	onBoth(t, func(t *testing.T, client *redis.Client) {
		a := newAuthor(t, client, "ONE")
		for _, key := range []string{a.keys.Control, a.keys.Pinned, a.keys.Meta} {
			redistest.SetWrongType(t, client, key)
		}
		state := a.controlState()
		if state.Control != nil || state.Malformed != nil || state.Seq != 0 || !state.Known {
			t.Fatalf("read %+v", state)
		}
		if reply := a.write(0, pinning(testContent(1), wire.MinRev), testContent(1)); reply.Outcome != OK {
			t.Fatalf("got %+v", reply)
		}
		redistest.SetWrongType(t, client, a.keys.Pinned)
		if state = a.controlState(); !errors.Is(state.PinnedErr, ErrPinned) || state.Control == nil {
			t.Errorf("without the pinned content: %+v", state)
		}
	})
}

func TestPinnedContentMustBeThatOfThePin(t *testing.T) {
	onBoth(t, func(t *testing.T, client *redis.Client) {
		a := newAuthor(t, client, "ONE")
		a.write(0, pinning(testContent(1), wire.MinRev), testContent(1))
		good := client.Get(t.Context(), a.keys.Pinned).Val()
		other := testContent(2)
		for name, stored := range map[string]string{
			"missing":       "",
			"garbage":       "garbage",
			"other content": string(wire.Blob{Rev: wire.MinRev, Hash: other.Hash, Codec: other.Codec, Payload: other.Payload}.Append(nil)),
			"flipped bit":   good[:len(good)-1] + "x",
		} {
			client.Set(t.Context(), a.keys.Pinned, stored, 0)
			if state := a.controlState(); !errors.Is(state.PinnedErr, ErrPinned) || state.Pinned != nil || state.Control == nil {
				t.Errorf("%s: %+v", name, state)
			}
		}
		for name, w := range map[string]ControlWrite{
			"other content":     {Control: pinning(testContent(1), wire.MinRev), Pinned: other},
			"no pin":            {Control: forcing(1, wire.MinRev), Pinned: other},
			"an invalid reason": {Control: &control.Control{Pin: &control.Pin{Hash: other.Hash}}, Pinned: other},
		} {
			if reply, err := a.WriteControl(t.Context(), w); err == nil {
				t.Errorf("%s was written: %+v", name, reply)
			}
		}
	})
}

// A value that another client made huge is read only in part.
func TestHugeControlsAreReadOnlyInPart(t *testing.T) {
	client := redistest.Start(t).Client(t, nil)
	a := newAuthor(t, client, "ONE")
	a.write(0, pinning(testContent(1), wire.MinRev), testContent(1))
	const huge = 64 << 20
	client.SetRange(t.Context(), a.keys.Pinned, huge, "x")
	var state ControlState
	if took := memory.Allocated(func() { state = a.controlState() }); took > 6*wire.MaxBlobBytes || !errors.Is(state.PinnedErr, ErrPinned) {
		t.Errorf("pinned: %v, %d bytes allocated", state.PinnedErr, took)
	}
	seq := state.Seq
	client.SetRange(t.Context(), a.keys.Control, huge, "x")
	took := memory.Allocated(func() {
		if state = a.controlState(); state.Malformed == nil || state.Seq != seq {
			t.Errorf("read %+v", state)
		}
		if reply := a.write(0, forcing(1, wire.MinRev), nil); reply.Outcome != Stale || reply.Stored.Malformed == nil {
			t.Errorf("wrote %+v", reply)
		}
	})
	if took > 8*wire.MaxBlobBytes {
		t.Errorf("%d bytes allocated", took)
	}
}

// F32: if the reply is lost, the second try finds what the first wrote.
func TestAWriteWhoseReplyWasLostSucceeds(t *testing.T) {
	server := redistest.Start(t)
	var link redistest.Link
	client := server.Client(t, &link)
	a := newAuthor(t, client, "ONE")
	a.write(0, &control.Control{}, nil) // the server knows the script now
	state := a.controlState()
	lost := false
	link.Drop(func(frame []byte) bool {
		first := !lost && bytes.HasPrefix(frame, []byte("*3\r\n$2\r\nOK"))
		lost = lost || first
		return first
	})
	reply := a.write(state.Seq, forcing(1, wire.MinRev), nil)
	if link.Dropped() != 1 {
		t.Fatal("no reply was lost")
	}
	after := newAuthor(t, server.Client(t, nil), "TWO").controlState()
	want := forcing(1, wire.MinRev)
	want.After = state.Seq
	if reply.Outcome != OK || reply.Seq != after.Seq || after.Control.Body() != want.Body() {
		t.Errorf("got %+v, stored %+v", reply, after)
	}
}

func FuzzControlReply(f *testing.F) {
	f.Add("STALE", "1700000000000", "1700000000000", "1700000000000\n{}")
	f.Add("OK", "1700000000000", "x", "")
	f.Fuzz(func(_ *testing.T, outcome, seq, now, body string) {
		_, _ = parseControlReply([]any{outcome, seq, now, body})
		_, _ = parsePinned([]byte(body), seq)
	})
}

// Operators see that an official SDK follows the CDN and not what is in force.
func TestACommitCountsOverwritesOfTheEntryBySDKs(t *testing.T) {
	onBoth(t, func(t *testing.T, client *redis.Client) {
		a := newAuthor(t, client, "ONE")
		a.mustAcquire()
		client.Set(t.Context(), a.keys.Entry, cachekeys.Entry{FetchTime: wire.MinRev, ETag: "sdk", JSON: []byte("{}")}.Append(nil), 0)
		a.mustCommit(testContent(1)) // before any leader
		overwrites := func() wire.Overwrites {
			return wire.ParseOverwrites(client.HGet(t.Context(), a.keys.Meta, wire.OverwritesField).Val())
		}
		if o := overwrites(); o != (wire.Overwrites{}) {
			t.Errorf("the first entry counts: %+v", o)
		}
		for n := range int64(3) {
			client.Set(t.Context(), a.keys.Entry, cachekeys.Entry{FetchTime: a.rev + 1, ETag: "sdk", JSON: []byte("{}")}.Append(nil), 0)
			w := a.mustCommit(testContent(1))
			if o := overwrites(); o.Count != n+1 || o.Last != w.Now {
				t.Errorf("after %d: %+v", n+1, o)
			}
			a.mustCommit(testContent(2))
			if o := overwrites(); o.Count != n+1 || o.Last != w.Now {
				t.Errorf("a change counts: %+v", o)
			}
		}
		client.HSet(t.Context(), a.keys.Meta, wire.OverwritesField, strings.Repeat("9", 1000))
		client.Set(t.Context(), a.keys.Entry, "1000000000000\nx\n{}", 0)
		a.mustCommit(testContent(1))
		if o := overwrites(); o.Count != 1 {
			t.Errorf("after garbage: %+v", o)
		}
	})
}
