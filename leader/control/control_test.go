package control_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"go.uber.org/goleak"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/evaluate"
	state "github.com/catbridge/catbridge/internal/control"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/internal/wire"
	"github.com/catbridge/catbridge/leader/control"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const sdkKey = "configcat-sdk-1/TEST_KEY-0123456789012/1234567890123456789012"

var keys = cachekeys.For(sdkKey, "", 0)

func config(a bool, b int) []byte {
	return fmt.Appendf(nil, `{"f":{"a":{"t":0,"v":{"b":%v},"r":[{"s":{"v":{"b":%v}}}]},"b":{"t":2,"v":{"i":%d}}}}`, a, !a, b)
}

var order = control.Order{By: "me@host", Reason: "checkout is broken", For: time.Hour}

// bridge is a leader that a test runs by hand.
type bridge struct {
	*testing.T
	client *redis.Client
	rev    int64
}

func newBridge(t *testing.T) *bridge {
	return &bridge{T: t, client: redistest.Start(t).Client(t, nil), rev: wire.MinRev}
}

// publish makes a config current, as a leader that acted on the control with that seq.
func (b *bridge) publish(json []byte, seq int64) {
	b.Helper()
	b.rev++
	blob := wire.Blob{Rev: b.rev, Hash: wire.ContentHash(json), Codec: wire.Raw, Payload: json}
	b.client.Set(b.Context(), keys.Blob, blob.Append(nil), 0)
	b.client.HSet(b.Context(), keys.Meta, "epoch", b.rev, "proto", fmt.Sprintf("1 %d", b.rev), "rev", b.rev, "hash", blob.Hash,
		"len", len(json), "etag", "e", "control", seqText(seq))
}

// publishSource stores the CDN's config, of the current rev.
func (b *bridge) publishSource(json []byte) {
	b.Helper()
	source := wire.Source{Rev: b.rev, Hash: wire.ContentHash(json), ETag: "e", Codec: wire.Raw, Payload: json}
	b.client.Set(b.Context(), keys.Source, source.Append(nil), 0)
}

func seqText(seq int64) string {
	if seq == 0 {
		return ""
	}
	return fmt.Sprint(seq)
}

func (b *bridge) lead() {
	b.Helper()
	b.client.Set(b.Context(), keys.Lock, "host/1:"+fmt.Sprint(b.rev), time.Minute)
}

func (b *bridge) read() *control.Controls {
	b.Helper()
	c, err := control.Read(b.Context(), b.client, sdkKey, "")
	if err != nil {
		b.Fatal(err)
	}
	return c
}

// stored returns what the leader reads.
func (b *bridge) stored() *state.Control {
	b.Helper()
	c, err := state.Parse([]byte(b.client.Get(b.Context(), keys.Control).Val()))
	if err != nil {
		b.Fatal(err)
	}
	return c
}

func (b *bridge) apply(change *control.Change, err error) *control.Change {
	b.Helper()
	if err == nil {
		err = change.Apply(b.Context())
	}
	if err != nil {
		b.Fatal(err)
	}
	return change
}

func TestPinsAndForcesAreComputedWrittenAndWithdrawn(t *testing.T) {
	b := newBridge(t)
	b.publish(config(true, 1), 0)
	c := b.read()
	if c.Pinned != nil || c.Forced != nil || !c.Applied || c.Earlier || c.Lost != nil || !bytes.Equal(c.Current(), config(true, 1)) || !bytes.Equal(c.Source(), c.Current()) {
		t.Fatalf("at first %+v", c)
	}
	force, err := c.Force("a", evaluate.BoolValue(false), order)
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"f":{"a":{"t":0,"v":{"b":false}},"b":{"t":2,"v":{"i":1}}}}`; string(force.After) != want || !bytes.Equal(force.Before, config(true, 1)) {
		t.Errorf("the force makes %s of %s", force.After, force.Before)
	}
	if n := b.client.Exists(t.Context(), keys.Control).Val(); n != 0 {
		t.Error("a change was written before it was applied")
	}
	b.apply(force, nil)
	c = b.read()
	if len(c.Forced) != 1 || c.Applied || c.Pinned != nil {
		t.Fatalf("after the force %+v", c)
	}
	f := c.Forced[0]
	if f.Flag != "a" || f.Value != evaluate.BoolValue(false) || f.By != order.By || f.Reason != order.Reason || f.Until.Sub(f.Since) != time.Hour ||
		c.Now.Sub(f.Since).Abs() > time.Minute || f.Suspended != "" {
		t.Errorf("forced %+v", f)
	}

	// The leader acts on it. What ends is compared with the CDN's config, which has changed.
	seq := b.stored().Seq
	b.publish(force.After, seq)
	b.publishSource(config(true, 2))
	if c = b.read(); !c.Applied || string(c.Source()) != string(config(true, 2)) {
		t.Errorf("after the leader has acted: %+v", c)
	}
	pin, err := c.Pin(config(true, 7), wire.MinRev, order)
	if err != nil {
		t.Fatal(err)
	}
	if want := `{"f":{"a":{"t":0,"v":{"b":false}},"b":{"t":2,"v":{"i":7}}}}`; string(pin.After) != want {
		t.Errorf("the pin makes %s", pin.After)
	}
	b.apply(pin, nil)
	if c = b.read(); c.Pinned == nil || c.Pinned.Rev != wire.MinRev || c.Pinned.Hash != wire.ContentHash(config(true, 7)) || len(c.Forced) != 1 || c.PinnedLost != nil {
		t.Fatalf("after the pin %+v", c)
	}
	unforce := b.apply(c.Unforce("a"))
	if string(unforce.After) != string(config(true, 7)) {
		t.Errorf("without the force: %s", unforce.After)
	}
	c = b.read()
	unpin := b.apply(c.Unpin())
	if string(unpin.After) != string(config(true, 2)) {
		t.Errorf("without the pin: %s", unpin.After)
	}
	if c = b.read(); c.Pinned != nil || len(c.Forced) != 0 || c.Applied {
		t.Errorf("at last %+v", c)
	}
	if stored := b.stored(); !stored.Empty() || stored.Seq <= seq {
		t.Errorf("stored %+v", stored)
	}
}

func TestTwoOperatorsAtOnce(t *testing.T) {
	b := newBridge(t)
	b.publish(config(true, 1), 0)
	one, two := b.read(), b.read()
	b.apply(one.Force("a", evaluate.BoolValue(false), order))
	change, err := two.Force("b", evaluate.IntValue(2), order)
	if err != nil {
		t.Fatal(err)
	}
	if err := change.Apply(t.Context()); !errors.Is(err, control.ErrConflict) {
		t.Errorf("got %v", err)
	}
	if c := b.read(); len(c.Forced) != 1 || c.Forced[0].Flag != "a" {
		t.Errorf("in force: %+v", c.Forced)
	}
}

func TestWhatHasEndedIsNotInForce(t *testing.T) {
	b := newBridge(t)
	b.publish(config(true, 1), 0)
	short := order
	short.For = time.Millisecond
	b.apply(b.read().Force("a", evaluate.BoolValue(false), short))
	until := b.stored().Forced[0].Until
	c := b.read()
	for c.Now.UnixMilli() < until {
		c = b.read()
	}
	if c.Forced != nil {
		t.Errorf("in force: %+v", c.Forced)
	}
	if _, err := b.read().Unforce("a"); !errors.Is(err, control.ErrNotInForce) {
		t.Errorf("unforce: %v", err)
	}
	if _, err := b.read().Unpin(); !errors.Is(err, control.ErrNotInForce) {
		t.Errorf("unpin: %v", err)
	}
	b.apply(b.read().Force("b", evaluate.IntValue(2), order))
	if stored := b.stored(); len(stored.Forced) != 1 {
		t.Errorf("stored %+v", stored)
	}
}

func TestImpossibleChangesAreRefused(t *testing.T) {
	b := newBridge(t)
	if _, err := b.read().Force("a", evaluate.BoolValue(true), order); !errors.Is(err, control.ErrNoConfig) {
		t.Errorf("without a config: %v", err)
	}
	b.publish(config(true, 1), 0)
	c := b.read()
	for name, change := range map[string]func(o control.Order) (*control.Change, error){
		"the config has no such flag": func(o control.Order) (*control.Change, error) { return c.Force("c", evaluate.BoolValue(true), o) },
		"of the type Boolean":         func(o control.Order) (*control.Change, error) { return c.Force("a", evaluate.IntValue(1), o) },
		"value: missing":              func(o control.Order) (*control.Change, error) { return c.Force("a", evaluate.Value{}, o) },
		"flag: missing":               func(o control.Order) (*control.Change, error) { return c.Force("", evaluate.BoolValue(true), o) },
		"rev: not a rev":              func(o control.Order) (*control.Change, error) { return c.Pin(config(true, 1), 7, o) },
		"config JSON":                 func(o control.Order) (*control.Change, error) { return c.Pin([]byte("x"), 0, o) },
		"reason: missing": func(o control.Order) (*control.Change, error) {
			o.Reason = ""
			return c.Pin(config(true, 1), 0, o)
		},
		"by: over the size limit": func(o control.Order) (*control.Change, error) {
			o.By = strings.Repeat("x", control.MaxByBytes+1)
			return c.Pin(config(true, 1), 0, o)
		},
		"until: not after since": func(o control.Order) (*control.Change, error) {
			o.For = 0
			return c.Pin(config(true, 1), 0, o)
		},
		"until: more than 7 days": func(o control.Order) (*control.Change, error) {
			o.For = control.MaxDuration + time.Millisecond
			return c.Force("a", evaluate.BoolValue(true), o)
		},
	} {
		if _, err := change(order); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestAtMost32FlagsAreForced(t *testing.T) {
	b := newBridge(t)
	var flags []string
	for i := range control.MaxForced + 1 {
		flags = append(flags, fmt.Sprintf(`"f%02d":{"t":0,"v":{"b":true}}`, i))
	}
	b.publish([]byte(`{"f":{`+strings.Join(flags, ",")+`}}`), 0)
	for i := range control.MaxForced {
		b.apply(b.read().Force(fmt.Sprintf("f%02d", i), evaluate.BoolValue(false), order))
	}
	if _, err := b.read().Force("f32", evaluate.BoolValue(false), order); err == nil || !strings.Contains(err.Error(), "at most 32 flags") {
		t.Errorf("got %v", err)
	}
	b.apply(b.read().Force("f31", evaluate.BoolValue(true), order)) // a change of one
}

func TestAnEarlierLeaderActsOnNothing(t *testing.T) {
	b := newBridge(t)
	b.publish(config(true, 1), 0)
	change, err := b.read().Pin(config(true, 2), 0, order)
	if err != nil {
		t.Fatal(err)
	}
	b.client.HSet(t.Context(), keys.Meta, "epoch", b.rev+1) // it takes over
	if err := change.Apply(t.Context()); !errors.Is(err, control.ErrEarlierLeader) {
		t.Errorf("apply: %v", err)
	}
	c := b.read()
	if !c.Earlier {
		t.Errorf("read %+v", c)
	}
	for name, change := range map[string]func() (*control.Change, error){
		"pin": func() (*control.Change, error) { return c.Pin(config(true, 2), 0, order) }, "unpin": c.Unpin,
		"force":   func() (*control.Change, error) { return c.Force("a", evaluate.BoolValue(true), order) },
		"unforce": func() (*control.Change, error) { return c.Unforce("a") },
	} {
		if _, err := change(); !errors.Is(err, control.ErrEarlierLeader) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A change that is computed from nothing would end what the leader is about to write again.
func TestNothingIsChangedWhileRedisHasLostWhatIsInForce(t *testing.T) {
	b := newBridge(t)
	b.publish(config(true, 1), 0)
	b.apply(b.read().Pin(config(true, 2), 0, order))
	good, pinned := b.client.Get(t.Context(), keys.Control).Val(), b.client.Get(t.Context(), keys.Pinned).Val()
	b.publish(config(true, 2), b.stored().Seq)
	b.publishSource(config(true, 1))
	for name, lost := range map[string]string{"missing": "", "malformed": good + "x", "older": "1000000000000\n{}"} {
		b.client.Set(t.Context(), keys.Control, lost, 0)
		c := b.read()
		if _, err := c.Force("a", evaluate.BoolValue(true), order); !errors.Is(err, control.ErrLost) || c.Lost == nil {
			t.Errorf("%s: %v, %+v", name, err, c)
		}
	}
	b.client.Set(t.Context(), keys.Control, good, 0)
	b.client.Del(t.Context(), keys.Pinned)
	c := b.read()
	if _, err := c.Force("a", evaluate.BoolValue(true), order); !errors.Is(err, control.ErrPinnedLost) || c.PinnedLost == nil {
		t.Errorf("without the pinned config: %v, %+v", err, c)
	}
	b.client.Set(t.Context(), keys.Pinned, pinned, 0)
	b.apply(b.read().Force("a", evaluate.BoolValue(false), order))

	// With nothing in force, what is malformed is replaced.
	b.publish(config(true, 1), 0)
	b.client.Set(t.Context(), keys.Control, "garbage", 0)
	b.apply(b.read().Force("a", evaluate.BoolValue(false), order))
}

// Without the CDN's config the result of a withdrawal is unknown, but flags can be forced.
func TestWithoutTheCDNsConfig(t *testing.T) {
	b := newBridge(t)
	b.publish(config(true, 1), 0)
	force := b.apply(b.read().Force("a", evaluate.BoolValue(false), order))
	b.publish(force.After, b.stored().Seq) // and no source
	c := b.read()
	if c.Source() != nil {
		t.Errorf("source %s", c.Source())
	}
	if unforce, err := c.Unforce("a"); err != nil || unforce.After != nil || unforce.Before == nil {
		t.Errorf("unforce: %+v, %v", unforce, err)
	}
	more, err := c.Force("b", evaluate.IntValue(5), order)
	if want := `{"f":{"a":{"t":0,"v":{"b":false}},"b":{"t":2,"v":{"i":5}}}}`; err != nil || string(more.After) != want {
		t.Errorf("force: %+v, %v", more, err)
	}
	b.apply(more, nil)
}

func TestASuspendedForceIsShown(t *testing.T) {
	b := newBridge(t)
	b.publish(config(true, 1), 0)
	b.apply(b.read().Force("a", evaluate.BoolValue(false), order))
	b.publish([]byte(`{"f":{"a":{"t":1,"v":{"s":"x"}}}}`), b.stored().Seq)
	if c := b.read(); len(c.Forced) != 1 || c.Forced[0].Suspended == "" {
		t.Errorf("read %+v", c)
	}
}

func TestAwaitWaitsForTheLeader(t *testing.T) {
	b := newBridge(t)
	b.publish(config(true, 1), 0)
	change := b.apply(b.read().Force("a", evaluate.BoolValue(false), order))
	if err := change.Await(t.Context()); !errors.Is(err, control.ErrNoLeader) {
		t.Errorf("without a leader: %v", err)
	}
	b.lead()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Millisecond)
	defer cancel()
	if err := change.Await(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a leader that does nothing: %v", err)
	}
	result := make(chan error)
	go func() { result <- change.Await(t.Context()) }()
	b.publish(change.After, b.stored().Seq)
	if err := <-result; err != nil {
		t.Errorf("a leader that acts: %v", err)
	}
	end := b.apply(b.read().Unforce("a"))
	go func() { result <- end.Await(t.Context()) }()
	b.publish(config(true, 1), 0)
	if err := <-result; err != nil {
		t.Errorf("the end: %v", err)
	}
	b.client.HSet(t.Context(), keys.Meta, "epoch", b.rev+7)
	if err := change.Await(t.Context()); !errors.Is(err, control.ErrEarlierLeader) {
		t.Errorf("an earlier leader: %v", err)
	}
}

// Values of any kind cause no panic and no change.
func TestHostileValuesAreReadWithoutAFault(t *testing.T) {
	b := newBridge(t)
	for _, key := range []string{keys.Control, keys.Pinned, keys.Source, keys.Blob, keys.Meta} {
		for _, value := range []string{"", "\xff", "1000000000000\n{\"pin\":", strings.Repeat("1000000000000\n", 100)} {
			b.client.Del(t.Context(), key)
			if key == keys.Meta {
				b.client.HSet(t.Context(), key, "rev", value, "hash", value, "control", value, "proto", value, "epoch", value)
			} else {
				b.client.Set(t.Context(), key, value, 0)
			}
			b.read()
		}
		redistest.SetWrongType(t, b.client, key)
		b.read()
	}
}
