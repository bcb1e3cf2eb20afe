package busy

import (
	"testing"
	"time"
)

func TestBoundsAreLongerOnABusyMachineAlone(t *testing.T) {
	for value, want := range map[string]time.Duration{"": time.Second, "0": time.Second, "1": factor * time.Second} {
		t.Setenv(Env, value)
		if got := Bound(time.Second); got != want {
			t.Errorf("%s=%q: %v, want %v", Env, value, got, want)
		}
	}
}
