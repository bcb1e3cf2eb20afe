package inspect_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/internal/control"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/internal/wire"
)

// What is in force is shown, and not what an earlier leader ignores.
func TestWhatIsInForceIsShown(t *testing.T) {
	t.Parallel()
	client := redistest.Start(t).Client(t, nil)
	json := []byte("{}")
	now := time.Now().UnixMilli()
	order := control.Order{By: "me", Reason: "why", Since: now - 1000, Until: now + 3600_000}
	ended := order
	ended.Until = now - 1
	c := &control.Control{Seq: now, Pin: &control.Pin{Hash: wire.ContentHash(json), Order: order}}
	c = c.With(control.Force{Flag: "a", Value: evaluate.IntValue(3), Order: order}).With(control.Force{Flag: "b", Value: evaluate.BoolValue(true), Order: ended})
	blob := wire.Blob{Rev: now, Hash: wire.ContentHash(json), Codec: wire.Raw, Payload: json}.Append(nil)
	meta := func(epoch, proto, seq int64) {
		client.HSet(t.Context(), keys.Meta, "epoch", epoch, "proto", fmt.Sprintf("1 %d", proto), "control", seq, "rev", now, "hash", wire.ContentHash(json), "len", 2, "etag", "e")
	}
	client.Set(t.Context(), keys.Control, c.Append(nil), 0)
	client.Set(t.Context(), keys.Pinned, blob, 0)
	meta(now, now, now)
	in := look(t, client).Control
	if in == nil || !in.Applied || in.Pin == nil || in.Pin.By != "me" || in.Pin.Hash != wire.ContentHash(json) || len(in.Forced) != 1 || in.Forced[0].Flag != "a" ||
		fmt.Sprint(in.Forced[0].Value) != "3" || in.Forced[0].Until.UnixMilli() != order.Until {
		t.Errorf("in force: %+v", in)
	}
	says := func(list []string, text string) {
		t.Helper()
		if !strings.Contains(strings.Join(list, "\n"), text) {
			t.Errorf("%q does not say %q", list, text)
		}
	}
	meta(now, now, now-1)
	if key := look(t, client); key.Control == nil || key.Control.Applied {
		t.Errorf("not applied: %+v", key.Control)
	} else {
		says(key.Remarks, "the leader has not acted yet")
	}
	client.Set(t.Context(), keys.Pinned, "1", 0)
	says(look(t, client).Faults, "Redis has lost the pinned config")
	meta(now, now-1, now)
	if key := look(t, client); key.Control != nil {
		t.Errorf("with an earlier leader: %+v", key.Control)
	} else {
		says(key.Remarks, "is not in force: the latest leader process has an earlier version")
	}
	meta(now, now, now)
	for lost, what := range map[string]string{"": "Redis has lost what operators", "1000000000000\n{}": "Redis has lost what operators", "x": "is corrupt in Redis; a leader"} {
		client.Set(t.Context(), keys.Control, lost, 0)
		if key := look(t, client); key.Control != nil {
			t.Errorf("lost: %+v", key.Control)
		} else {
			says(key.Faults, what)
		}
	}
	redistest.SetWrongType(t, client, keys.Control)
	says(look(t, client).Faults, "not a string")
	meta(now, now, now)
	client.HDel(t.Context(), keys.Meta, "control")
	says(look(t, client).Remarks, "nothing is in force")
}
