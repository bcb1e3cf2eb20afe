package evaluate

import "math/bits"

// index contains settings by key, and finds them in half the time of a map. The look-up takes most
// of the time of an evaluation without rules. The hash is fast, but keys can be chosen to collide:
// if too many do, a map is used instead.
type index struct {
	slots []slot // the length is a power of two, at most half is in use; nil: byKey is used
	byKey map[string]*setting
}

// slot is a setting with the words of its key. Without a setting it is free.
type slot struct {
	a, b    uint64
	setting *setting
}

// longestProbe is the greatest number of slots that a look-up visits.
const longestProbe = 64

// newIndex returns an index with room for n settings.
func newIndex(n int) index { return index{slots: make([]slot, 1<<bits.Len(uint(2*n)))} }

// put adds a setting, or replaces the one with its key. It reports whether the key is new.
func (x *index) put(s *setting) bool {
	if x.slots == nil {
		_, replaced := x.byKey[s.key]
		x.byKey[s.key] = s
		return !replaced
	}
	a, b := words(s.key)
	i := slotOf(a, b, len(x.slots))
	for range longestProbe {
		switch at := &x.slots[i]; {
		case at.setting == nil:
			*at = slot{a, b, s}
			return true
		case at.setting.key == s.key:
			at.setting = s
			return false
		}
		i = (i + 1) & (len(x.slots) - 1)
	}
	x.byKey = make(map[string]*setting)
	for _, at := range x.slots {
		if at.setting != nil {
			x.byKey[at.setting.key] = at.setting
		}
	}
	x.slots = nil
	return x.put(s)
}

// find returns nil if there is no such setting.
func (x *index) find(key string) *setting {
	if x.slots == nil {
		return x.byKey[key]
	}
	a, b := words(key)
	i := slotOf(a, b, len(x.slots))
	for range longestProbe { // chosen keys may fill more slots in a row
		at := &x.slots[i]
		s := at.setting
		if s == nil {
			return nil
		}
		if at.a == a && at.b == b && len(s.key) == len(key) && (len(key) <= wholeLength || s.key == key) {
			return s
		}
		i = (i + 1) & (len(x.slots) - 1)
	}
	return nil
}

func slotOf(a, b uint64, slots int) int { return int(mix(a^0xd1b54a32d192ed03, b)) & (slots - 1) }

func mix(a, b uint64) uint64 {
	high, low := bits.Mul64(a, b^0x9e3779b97f4a7c15)
	return high ^ low
}

// wholeLength is the greatest length of a string whose words contain all its bytes.
const wholeLength = 16

// words returns two numbers for a string. For a short string, they are its two halves, which may
// overlap; for a longer one, a hash and its last eight bytes.
func words(text string) (a, b uint64) {
	switch n := len(text); {
	case n > wholeLength:
		b = eight(text[n-8:])
		for ; len(text) > 8; text = text[8:] {
			a = mix(a^eight(text), uint64(n))
		}
		return a, b
	case n >= 8:
		return eight(text), eight(text[n-8:])
	case n >= 4:
		return four(text), four(text[n-4:])
	case n > 0:
		return uint64(text[0])<<8 | uint64(text[n/2]), uint64(text[n-1])
	}
	return 0, 0
}

// The compiler turns each of these into one load.
func eight(s string) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

func four(s string) uint64 {
	_ = s[3]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24
}
