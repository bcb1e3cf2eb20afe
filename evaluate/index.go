package evaluate

import "math/bits"

// index finds settings by key in half the time of a map. The look-up takes most of the time of an
// evaluation without rules. The hash is fast, but keys can be chosen to collide: if too many do,
// the map is used instead.
type index struct {
	slots []slot // the length is a power of two, at most a quarter is in use; nil: no index
}

// slot is a setting with the words and the length of its key. Without a setting it is free.
type slot struct {
	a, b    uint64
	length  int
	setting *setting
}

// longestProbe is the greatest number of slots that a look-up visits.
const longestProbe = 16

func newIndex(settings []*setting) index {
	slots := make([]slot, 1<<bits.Len(uint(4*len(settings))))
	for _, s := range settings {
		a, b := words(s.key)
		i, probes := slotOf(a, b, len(slots)), 1
		for ; slots[i].setting != nil; i, probes = (i+1)&(len(slots)-1), probes+1 {
			if probes == longestProbe {
				return index{}
			}
		}
		slots[i] = slot{a, b, len(s.key), s}
	}
	return index{slots}
}

func (x index) find(key string) *setting {
	a, b := words(key)
	for i := slotOf(a, b, len(x.slots)); ; i = (i + 1) & (len(x.slots) - 1) {
		s := &x.slots[i]
		if s.a == a && s.b == b && s.length == len(key) && (len(key) <= wholeLength || s.setting.key == key) {
			return s.setting // an empty key also equals a free slot: nil
		}
		if s.setting == nil {
			return nil
		}
	}
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
