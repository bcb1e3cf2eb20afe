package wire

import "strings"

// OverwritesField is the name of the field of meta that says how often an official SDK has overwritten
// the entry, see [Overwrites]. [MetaFields] does not contain it: only operators read it.
const OverwritesField = "sdk"

// Overwrites says how often an official SDK that is not offline has overwritten the entry, as far as the
// leader had to repair it:
//
//	{count} {Unix ms of the last time, by Redis's clock}
type Overwrites struct {
	Count int64
	Last  int64 // 0: never
}

// ParseOverwrites reads the field. It returns the zero Overwrites for a field that is missing or
// malformed.
func ParseOverwrites(text string) Overwrites {
	count, last, _ := strings.Cut(text, " ")
	n, okCount := ParseNumber(count)
	ms, okLast := ParseNumber(last)
	if !okCount || !okLast || n == 0 || !ValidRev(ms) {
		return Overwrites{}
	}
	return Overwrites{n, ms}
}
