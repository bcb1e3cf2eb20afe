package patch_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"pgregory.net/rapid"

	"github.com/catbridge/catbridge/internal/patch"
	"github.com/catbridge/catbridge/internal/testenv/memory"
	"github.com/catbridge/catbridge/internal/wire"
)

// configOf returns a config JSON of about size bytes whose flag n is on if on contains n.
func configOf(size int, on ...int) []byte {
	random := rand.New(rand.NewPCG(1, 2))
	out := bytes.NewBufferString(`{"p":{"u":"https://cdn-global.configcat.com","r":0},"f":{`)
	for i := 0; out.Len() < size; i++ {
		value := false
		for _, n := range on {
			value = value || n == i
		}
		fmt.Fprintf(out, `"flag%d":{"t":0,"r":[{"c":[{"u":{"a":"Email","c":2,"l":["@example%d.com"]}}],"s":{"v":{"b":true},"i":"%08x"}}],"v":{"b":%v},"i":"%016x"},`,
			i, random.IntN(50), random.Uint32(), value, random.Uint64())
	}
	out.WriteString(`"last":{"t":0,"v":{"b":true}}}}`)
	return out.Bytes()
}

func requireApplies(t testing.TB, base, p, next []byte) {
	t.Helper()
	got, err := patch.Apply(base, p, len(next))
	if err != nil || !bytes.Equal(got, next) {
		t.Fatalf("%d bytes, %v; want %d bytes", len(got), err, len(next))
	}
}

// A change costs what changed, whatever the config's size.
func TestAPatchIsAsLargeAsTheChange(t *testing.T) {
	for _, test := range []struct {
		size, most int
		on         []int
	}{
		{1 << 20, 24, []int{1000}},
		{1 << 20, 400, []int{3, 4000}},
		{1 << 20, 600, []int{3, 400, 800, 1200, 1600, 2000, 2400, 2800, 3200, 3600}},
		{5 << 20, 24, []int{20000}},
		{5 << 20, 1500, []int{3, 25000}},
	} {
		base, next := configOf(test.size), configOf(test.size, test.on...)
		p := patch.Make(t.Context(), base, next, wire.MaxConfigBytes)
		if len(p) == 0 || len(p) > test.most {
			t.Errorf("%d bytes, %d flags: a patch of %d bytes", test.size, len(test.on), len(p))
		}
		requireApplies(t, base, p, next)
		requireApplies(t, next, patch.Make(t.Context(), next, base, wire.MaxConfigBytes), base)
	}
}

// For all contents a and b, the patch from a to b makes b of a.
func TestAPatchMakesTheContent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		base := document(t, "base")
		next := bytes.Clone(base)
		for range rapid.IntRange(0, 6).Draw(t, "edits") {
			at := rapid.IntRange(0, len(next)).Draw(t, "at")
			gone := rapid.IntRange(0, min(len(next)-at, 200)).Draw(t, "removed")
			next = append(append(bytes.Clone(next[:at]), document(t, "added")...), next[at+gone:]...)
		}
		if rapid.IntRange(0, 5).Draw(t, "other") == 0 {
			next = document(t, "next")
		}
		p := patch.Make(context.Background(), base, next, wire.MaxConfigBytes)
		if p == nil {
			t.Fatal("no patch")
		}
		if got, err := patch.Apply(base, p, len(next)); err != nil || !bytes.Equal(got, next) {
			t.Fatalf("%q and %q make %q, %v; want %q", base, p, got, err, next)
		}
	})
}

func document(t *rapid.T, name string) []byte {
	piece := rapid.SampledFrom([]string{"", "a", "ab", `{"v":true}`, "0123456789abcdef", strings.Repeat("x", 90), strings.Repeat("long ", 300)})
	return []byte(strings.Join(rapid.SliceOfN(piece, 0, 12).Draw(t, name), ""))
}

func TestWithoutTimeThereIsNoPatch(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	base, next := configOf(1<<20), configOf(1<<20, 3, 4000)
	if p := patch.Make(ctx, base, next, wire.MaxConfigBytes); p != nil {
		t.Errorf("a patch of %d bytes", len(p))
	}
}

// counting ends after some calls of Err: a deadline that passes meanwhile.
type counting struct {
	context.Context
	left int
}

func (c *counting) Err() error {
	if c.left--; c.left < 0 {
		return context.DeadlineExceeded
	}
	return nil
}

// Make stops within a block of the end of its time.
func TestMakeStopsWhenItsTimeEnds(t *testing.T) {
	ctx := &counting{t.Context(), 3}
	base, next := configOf(5<<20), configOf(5<<20, 3, 25000)
	if p := patch.Make(ctx, base, next, wire.MaxConfigBytes); p != nil || ctx.left < -3 {
		t.Errorf("a patch of %d bytes; asked %d times after the end", len(p), -ctx.left)
	}
}

// late has a deadline, but does not end.
type late struct {
	context.Context
	end time.Time
}

func (l late) Deadline() (time.Time, bool) { return l.end, true }

// Loading a large dictionary cannot be interrupted.
func TestADictionaryThatTakesTooLongIsNotLoaded(t *testing.T) {
	base, next := configOf(7<<20), configOf(7<<20, 3, 32000)
	for left, want := range map[time.Duration]bool{time.Hour: true, 0: false} {
		if p := patch.Make(late{t.Context(), time.Now().Add(left)}, base, next, wire.MaxPatchesBytes); (p != nil) != want {
			t.Errorf("%v left: a patch of %d bytes", left, len(p))
		}
	}
}

func TestALongPatchIsNotMade(t *testing.T) {
	base, next := configOf(1<<20), configOf(1<<20, 3, 4000)
	whole := patch.Make(t.Context(), base, next, wire.MaxConfigBytes)
	for limit, want := range map[int]int{len(whole): len(whole), len(whole) - 1: 0, 10: 0, 0: 0, -1: 0} {
		if p := patch.Make(t.Context(), base, next, limit); len(p) != want {
			t.Errorf("limit %d: %d bytes", limit, len(p))
		}
	}
}

func TestTooLargeContentHasNoPatch(t *testing.T) {
	large := make([]byte, wire.MaxConfigBytes+1)
	if p := patch.Make(t.Context(), []byte("{}"), large, len(large)); p != nil {
		t.Errorf("%d bytes", len(p))
	}
	if p := patch.Make(t.Context(), large, []byte("{}"), len(large)); p != nil {
		t.Errorf("%d bytes", len(p))
	}
}

func frame(t testing.TB, content []byte, options ...zstd.EOption) []byte {
	t.Helper()
	enc, err := zstd.NewWriter(nil, append(options, zstd.WithEncoderConcurrency(1))...)
	if err != nil {
		t.Fatal(err)
	}
	return enc.EncodeAll(content, nil)
}

// F38: an invalid patch is an error, and costs no more memory than the content announced.
func TestInvalidPatchesAreRefused(t *testing.T) {
	base := configOf(4 << 10)
	bomb := append([]byte("0 0 zstd\n"), frame(t, make([]byte, 64<<20))...)
	small := append([]byte("0 0 zstd\n"), frame(t, make([]byte, 100))...)
	for name, test := range map[string]struct {
		patch  string
		length int
	}{
		"empty":                          {"", 10},
		"no head":                        {"1 2 raw", 3},
		"a long head":                    {strings.Repeat("1", 100) + "\n", 3},
		"two fields":                     {"1 raw\n", 1},
		"four fields":                    {"1 2 3 raw\n", 3},
		"negative":                       {"-1 2 raw\n", 1},
		"leading zero":                   {"01 2 raw\n", 3},
		"too many digits":                {"99999999999999 0 raw\n", 3},
		"over the limit":                 {"9999999999999 9999999999999 raw\n", 3},
		"unknown codec":                  {"1 2 lz4\n", 3},
		"longer than the base":           {fmt.Sprintf("%d 1 raw\n", len(base)), len(base) + 1},
		"longer than the content":        {"10 10 raw\n", 19},
		"a middle that is short":         {"1 2 raw\nabc", 7},
		"a middle that is long":          {"1 2 raw\nabc", 5},
		"zstd without a frame":           {"1 2 zstd\n", 5},
		"zstd garbage":                   {"1 2 zstd\nabcdefghijklmnop", 19},
		"a bomb":                         {string(bomb), 64 << 20},
		"a bomb that states less":        {string(bomb), 10},
		"a frame of another size":        {string(small), 99},
		"a frame that ends early":        {string(small[:len(small)-3]), 100},
		"two frames":                     {string(small) + string(frame(t, []byte("abc"))), 100},
		"a window over the limit":        {"0 0 zstd\n" + string(frame(t, make([]byte, 100), zstd.WithWindowSize(zstd.MaxWindowSize), zstd.WithSingleSegment(false)))[:6], 100},
		"a dictionary that is not there": {"0 0 zstd\n" + string(frame(t, make([]byte, 100), zstd.WithEncoderDictRaw(7, base))), 100},
		"a negative length":              {"0 0 raw\n", -1},
	} {
		t.Run(name, func(t *testing.T) {
			var err error
			var content []byte
			took := memory.Allocated(func() { content, err = patch.Apply(base, []byte(test.patch), test.length) })
			if _, ok := errors.AsType[*patch.Error](err); !ok || len(err.Error()) > 300 {
				t.Errorf("%d bytes, %v", len(content), err)
			}
			if took > 1<<20 {
				t.Errorf("took %d bytes", took)
			}
		})
	}
}

func FuzzApply(f *testing.F) {
	base := configOf(2 << 10)
	for _, next := range [][]byte{configOf(2<<10, 3), configOf(2<<10, 1, 9), {}, configOf(9 << 10)} {
		f.Add(base, patch.Make(f.Context(), base, next, wire.MaxConfigBytes), len(next))
	}
	f.Add([]byte("abc"), []byte("1 1 raw\nxyz"), 5)
	f.Add([]byte("abc"), append([]byte("0 0 zstd\n"), frame(f, make([]byte, 1<<20))...), 1<<20)
	f.Fuzz(func(t *testing.T, base, p []byte, length int) {
		var content []byte
		var err error
		took := memory.Allocated(func() { content, err = patch.Apply(base, p, length) })
		if bound := 4*uint64(max(length, 0)) + 4*uint64(len(base)) + 1<<20; took > bound && length <= wire.MaxConfigBytes {
			t.Errorf("took %d bytes of %d", took, bound)
		}
		if err == nil {
			if len(content) != length {
				t.Errorf("%d bytes, want %d", len(content), length)
			}
			return
		}
		if _, ok := errors.AsType[*patch.Error](err); !ok || len(err.Error()) > 300 {
			t.Errorf("%T: %v", err, err)
		}
	})
}

func BenchmarkMake(b *testing.B) {
	for _, size := range []int{10 << 10, 1 << 20, 5 << 20} {
		base := configOf(size)
		for name, next := range map[string][]byte{"one": configOf(size, 20), "two": configOf(size, 1, size/220)} {
			b.Run(fmt.Sprintf("%dKB/%s", size>>10, name), func(b *testing.B) {
				var p []byte
				for b.Loop() {
					p = patch.Make(b.Context(), base, next, wire.MaxConfigBytes)
				}
				b.ReportMetric(float64(len(p)), "patch-bytes")
			})
		}
	}
}
