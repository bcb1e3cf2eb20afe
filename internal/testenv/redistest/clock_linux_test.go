package redistest_test

import (
	"testing"
	"time"

	"github.com/catbridge/catbridge/internal/testenv/redistest"
)

func TestAServersClockCanBeSet(t *testing.T) {
	clock := redistest.NewClock(t)
	server := (&redistest.Guard{Clock: clock}).Start(t)
	client := server.Client(t, nil)
	ahead := func() time.Duration {
		now, err := client.Time(t.Context()).Result()
		if err != nil {
			t.Fatal(err)
		}
		return time.Until(now).Round(time.Minute)
	}
	for _, offset := range []time.Duration{0, time.Hour, -time.Hour} {
		clock.Set(t, offset)
		if have := ahead(); have != offset {
			t.Errorf("the server is %v ahead, want %v", have, offset)
		}
	}
	clock.Step(t, 2*time.Hour)
	if have := ahead(); have != time.Hour {
		t.Errorf("the server is %v ahead, want 1h", have)
	}
}
