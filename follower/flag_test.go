package follower

import "testing"

// The zero value of a flag evaluates an unknown key: it returns its default.
func TestTheZeroFlagReturnsTheZeroValue(t *testing.T) {
	snapshot := heldClient(t, nil, configJSON(1)).Snapshot(nil)
	for _, test := range []struct {
		flag Flag
		want any
	}{{BoolFlag{}, false}, {IntFlag{}, 0}, {FloatFlag{}, 0.0}, {StringFlag{}, ""}} {
		flag, want := test.flag, test.want
		for _, s := range []*Snapshot{nil, snapshot} {
			if d := flag.GetValueDetails(s); flag.Key() != "" || flag.GetValue(s) != want || d.Value != want || !d.Data.IsDefaultValue || d.Data.ErrorCode == 0 {
				t.Errorf("%T: %v, %+v", flag, flag.GetValue(s), d)
			}
		}
	}
}
