package observe_test

import (
	"testing"
	"time"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/observe"
	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
)

// Large configs are compared in several looks.
func TestALookComparesABoundedPartOfTheHistory(t *testing.T) {
	virtually(t, func(e *environment) {
		e.stop()
		e.cdn.SetMinBytes(3 << 19)
		const versions = 8
		for range versions {
			before := e.client.Stats().Hash
			e.cdn.Publish()
			e.refresh()
			for e.client.Stats().Hash == before { // a refresh soon after another one may wait
				e.wait(5 * time.Second)
			}
		}
		fresh, err := observe.New(observe.Config{Redis: e.server.Client(e.T, nil)})
		if err != nil {
			e.Fatal(err)
		}
		if err := fresh.SetTargets([]observe.Target{{Label: "shop", Key: testKey}}); err != nil {
			e.Fatal(err)
		}
		e.run(fresh.Run)
		uncompared := func() (n int) {
			for _, v := range fresh.View("shop").History {
				if v.Why == observe.NotCompared {
					n++
				}
			}
			return n
		}
		e.wait(time.Second)
		v := fresh.View("shop")
		first := uncompared()
		if len(v.History) < versions || first == 0 || !v.History[0].Known || v.Complete {
			e.Fatalf("the first look compares all but %d of %d versions; complete: %v; %s", first, len(v.History), v.Complete, v.HistoryErr)
		}
		if len(v.Changed) == 0 || v.Changed[fakecdn.VersionFlag].Rev != v.History[0].Rev {
			e.Errorf("%v", v.Changed)
		}
		for e.wait(31 * time.Second); uncompared() > 0; e.wait(31 * time.Second) {
			if now := uncompared(); now >= first {
				e.Fatalf("another look leaves %d of %d versions", now, first)
			} else {
				first = now
			}
		}
		v = fresh.View("shop")
		for _, version := range v.History[:len(v.History)-1] { // there is none before the oldest
			if !version.Known || len(version.Changes) == 0 {
				e.Errorf("rev %d: %s", version.Rev, version.Why)
			}
		}
		if !v.Complete {
			e.Error("the history reaches back to the first config, but is not complete")
		}
	})
}
