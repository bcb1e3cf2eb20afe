package wire_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/internal/wire"
)

// hashNumber returns a content hash for a number.
func hashNumber(n int) string { return wire.ContentHash([]byte{byte(n), byte(n >> 8)}) }

// stepOf returns the step between two numbered contents.
func stepOf(from, to, bytes int) wire.PatchStep {
	return wire.PatchStep{
		From: wire.ShortHash(hashNumber(from)), To: hashNumber(to), Rev: rev + int64(to), Len: 100 + to, Patch: randomBytes(bytes),
	}
}

func TestPatchesAreReadAsTheyWereWritten(t *testing.T) {
	for _, steps := range []wire.Patches{nil, {stepOf(1, 2, 0)}, {stepOf(1, 2, 30), stepOf(2, 3, 1), stepOf(3, 1, 4000)}} {
		got, err := wire.ParsePatches(steps.Append(nil))
		if err != nil || len(got) != len(steps) {
			t.Fatalf("%d steps, %v; want %d", len(got), err, len(steps))
		}
		for i, step := range got {
			want := steps[i]
			if step.From != want.From || step.To != want.To || step.Rev != want.Rev || step.Len != want.Len || !bytes.Equal(step.Patch, want.Patch) {
				t.Errorf("step %d: %+v, want %+v", i, step, want)
			}
		}
	}
}

// F38: what other writers leave there is refused.
func TestMalformedPatchesAreRefused(t *testing.T) {
	good := string(wire.Patches{stepOf(1, 2, 9)}.Append(nil))
	head, payload, _ := strings.Cut(good, "\n")
	field := func(at int, value string) string {
		fields := strings.Fields(head)
		fields[at] = value
		return strings.Join(fields, " ") + "\n" + payload
	}
	for name, data := range map[string]string{
		"no line break":    head,
		"four fields":      strings.TrimSuffix(head, " 9") + "\n" + payload,
		"six fields":       head + " 1\n" + payload,
		"a long head":      strings.Repeat("a", 1000) + "\n",
		"short from":       field(0, "abc"),
		"from not hex":     field(0, "ABCDEFABCDEFABCD"),
		"short to":         field(1, wire.ShortHash(hash)),
		"rev":              field(2, "12"),
		"length 0":         field(3, "0"),
		"length too large": field(3, "8388609"),
		"bytes missing":    field(4, "10"),
		"bytes negative":   field(4, "-1"),
		"something after":  good + "x",
		"too many steps":   strings.Repeat(good, wire.MaxPatches+1),
		"too large":        string(wire.Patches{stepOf(1, 2, wire.MaxPatchesBytes)}.Append(nil)),
	} {
		t.Run(name, func(t *testing.T) {
			steps, err := wire.ParsePatches([]byte(data))
			requireParseError(t, err, "patches")
			if steps != nil {
				t.Errorf("%d steps", len(steps))
			}
		})
	}
}

func TestPatchesStayWithinTheirLimits(t *testing.T) {
	var steps wire.Patches
	for i := range 100 {
		before := slices.Clone(steps)
		steps = steps.With(stepOf(i, i+1, i*300))
		if stored := steps.Append(nil); len(steps) == 0 || len(steps) > wire.MaxPatches || len(stored) > wire.MaxPatchesBytes {
			t.Fatalf("%d steps of %d bytes", len(steps), len(stored))
		}
		if _, err := wire.ParsePatches(steps.Append(nil)); err != nil {
			t.Fatal(err)
		}
		if last := steps[len(steps)-1]; last.To != hashNumber(i+1) || steps.To() != last.To {
			t.Fatalf("the newest leads to %s", last.To)
		}
		if i > 0 && len(before) == 0 {
			t.Fatal("the steps before were changed")
		}
	}
	if len(steps) != 2 {
		t.Errorf("%d steps, want the two that fit", len(steps))
	}
	if next := steps.With(stepOf(1, 2, wire.MaxPatchesBytes)); len(next) != 0 {
		t.Errorf("%d steps with one that is too large", len(next))
	}
}

func TestChainLeadsFromTheContentHeldToTheNewest(t *testing.T) {
	// 1 → 2 → 1 → 3, and a hole after 5.
	back := wire.Patches{stepOf(1, 2, 1), stepOf(2, 1, 1), stepOf(1, 3, 1)}
	hole := wire.Patches{stepOf(4, 5, 1), stepOf(6, 7, 1), stepOf(7, 8, 1)}
	for name, test := range map[string]struct {
		steps    wire.Patches
		from, to int
		want     int
	}{
		"the last step":          {back, 1, 3, 1},
		"two steps":              {back, 2, 3, 2},
		"nothing leads from it":  {back, 9, 3, 0},
		"not the newest":         {back, 2, 1, 0},
		"after the hole":         {hole, 6, 8, 2},
		"before the hole":        {hole, 4, 8, 0},
		"no steps":               {nil, 1, 2, 0},
		"the content is current": {back, 3, 3, 0},
	} {
		t.Run(name, func(t *testing.T) {
			chain := test.steps.Chain(hashNumber(test.from), hashNumber(test.to))
			if len(chain) != test.want {
				t.Errorf("%d steps, want %d", len(chain), test.want)
			}
		})
	}
	if chain := back.Chain("", hashNumber(3)); chain != nil {
		t.Errorf("%d steps from no content", len(chain))
	}
}

func FuzzParsePatches(f *testing.F) {
	f.Add(wire.Patches{stepOf(1, 2, 9)}.Append(nil))
	f.Add(wire.Patches{stepOf(1, 2, 0), stepOf(2, 1, 40)}.Append(nil))
	f.Fuzz(func(t *testing.T, data []byte) {
		steps, err := wire.ParsePatches(data)
		if err != nil {
			requireParseError(t, err, "patches")
			return
		}
		if back := steps.Append(nil); !bytes.Equal(back, data) {
			t.Errorf("%q written as %q", data, back)
		}
		if next := steps.With(stepOf(1, 2, 100)); len(next) > wire.MaxPatches || len(next.Append(nil)) > wire.MaxPatchesBytes {
			t.Errorf("%d steps", len(next))
		}
	})
}
