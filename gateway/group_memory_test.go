package gateway

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/catbridge/catbridge/follower/followertest"
)

// Users who all differ share what they receive as far as it is the same.
func TestGroupsOfOneUserAreSmall(t *testing.T) {
	const users, flags = 200, 1000
	values := map[string]any{}
	for i := range flags {
		values[fmt.Sprintf("flag-%04d", i)] = fmt.Sprintf("a value of some length, with the number %d in it, as texts on pages have", i)
	}
	client := followertest.New(t, values).Client
	g := startWith(t, client)
	of := g.table.Load().served[0]
	held := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := held()
	var groups []*group
	for i := range users {
		u, _ := newUser(map[string]any{"identifier": fmt.Sprint(i)}, nil)
		m := of.site.join("", u, false)
		source := memberSource{group: m}
		if frame, _ := source.Current(); len(frame) < flags*70 {
			t.Fatalf("a frame of %d bytes", len(frame))
		}
		groups = append(groups, m)
	}
	if each := (held() - before) / users; each > 64<<10 {
		t.Errorf("%d KB for each of %d users", each>>10, users)
	}
	runtime.KeepAlive(groups)
}
