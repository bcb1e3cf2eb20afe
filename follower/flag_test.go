package follower

import (
	"reflect"
	"testing"
)

// The zero value of a flag evaluates an unknown key: it returns its default.
func TestTheZeroFlagReturnsTheZeroValue(t *testing.T) {
	snapshot := heldClient(t, nil, configJSON(1)).Snapshot(nil)
	for _, flag := range []Flag{BoolFlag{}, IntFlag{}, FloatFlag{}, StringFlag{}} {
		for _, s := range []*Snapshot{nil, snapshot} {
			want := reflect.Zero(reflect.TypeOf(flag.GetValue(nil))).Interface()
			if d := flag.GetValueDetails(s); flag.Key() != "" || flag.GetValue(s) != want || d.Value != want || !d.Data.IsDefaultValue || d.Data.ErrorCode == 0 {
				t.Errorf("%T: %v, %+v", flag, flag.GetValue(s), d)
			}
		}
	}
}
