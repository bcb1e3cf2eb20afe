package evaluate

import (
	"encoding/binary"
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

// indexOf returns settings with these keys, of which some may be the same, in a map and in an index.
func indexOf(keys []string) (map[string]*setting, index) {
	byKey, x := map[string]*setting{}, newIndex(len(keys))
	for _, key := range keys {
		_, known := byKey[key]
		byKey[key] = &setting{key: key}
		if x.put(byKey[key]) == known {
			panic("the index and the map disagree about what is new")
		}
	}
	return byKey, x
}

// Keys of all lengths with few different letters, so their ends are often equal.
func TestIndexAgreesWithMap(t *testing.T) {
	key := rapid.StringOfN(rapid.SampledFrom([]rune("\x00ab")), 0, 40, -1)
	rapid.Check(t, func(t *rapid.T) {
		keys := rapid.SliceOfN(key, 0, 200).Draw(t, "keys")
		byKey, x := indexOf(keys)
		for _, asked := range append(rapid.SliceOfN(key, 0, 50).Draw(t, "asked"), append(keys, "")...) {
			if found := x.find(asked); found != byKey[asked] {
				t.Fatalf("%q: found %v, want %v", asked, found, byKey[asked])
			}
		}
	})
}

// The first half of these keys makes the hash's product zero, whatever the second half is.
func TestCollidingKeysAreLookedUpInTheMap(t *testing.T) {
	var keys []string
	for i := range 2 * longestProbe {
		keys = append(keys, fmt.Sprintf("\x03\xed\x92\xd1\x32\x4a\xb5\xd1%08d", i))
	}
	for n, indexed := range map[int]bool{longestProbe: true, longestProbe + 1: false} {
		byKey, x := indexOf(keys[:n])
		if has := x.slots != nil; has != indexed {
			t.Errorf("%d keys: an index is %v, want %v", n, has, indexed)
		}
		for i, key := range keys {
			if found := x.find(key); (found != nil) != (i < n) || found != byKey[key] {
				t.Errorf("of %d keys number %d: found %v", n, i, found)
			}
		}
	}
}

// Chosen keys can fill any number of slots in a row, without any that collide. A look-up passes
// no more of them than there may be before a setting.
func TestALookUpVisitsFewSlots(t *testing.T) {
	const key = "asked"
	for passed, found := range map[int]bool{0: true, longestProbe - 1: true, longestProbe: false, 4 * longestProbe: false} {
		x := newIndex(8 * longestProbe)
		a, b := words(key)
		i := slotOf(a, b, len(x.slots))
		for range passed {
			x.slots[i] = slot{setting: &setting{key: "another"}}
			i = (i + 1) % len(x.slots)
		}
		x.slots[i] = slot{a, b, &setting{key: key}}
		if (x.find(key) != nil) != found {
			t.Errorf("after %d slots: found is %v, want %v", passed, !found, found)
		}
	}
}

// The second word of each of these keys cancels the hash of the first one.
func TestCollidingLongKeysAreDistinguished(t *testing.T) {
	var keys []string
	for i := range uint64(3) {
		key := binary.LittleEndian.AppendUint64(nil, i)
		key = binary.LittleEndian.AppendUint64(key, mix(i, 24))
		keys = append(keys, string(append(key, "the same"...)))
	}
	byKey, x := indexOf(keys[:2])
	if x.find(keys[0]) != byKey[keys[0]] || x.find(keys[1]) != byKey[keys[1]] || x.find(keys[2]) != nil {
		t.Error("another setting was found")
	}
}

func TestLargeConfigsHaveAnIndex(t *testing.T) {
	for _, form := range []string{"flag%d", "feature_flag_%05d", "isFeature%dEnabled", "%d", "team-%d/service/checkout"} {
		for _, n := range []int{0, 1, 100, 3000, 30_000} {
			x := newIndex(n)
			for i := range n {
				x.put(&setting{key: fmt.Sprintf(form, i)})
			}
			if x.slots == nil {
				t.Errorf("%d keys of the form %s have none", n, form)
			}
		}
	}
}
