package interop

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/internal/wire"
)

// report writes reports of n followers to Redis, which are valid for fifteen minutes. The last one has another config.
func (f *shopFleet) report(name string, n int) {
	f.Helper()
	keys := cachekeys.For(keyNamed(name), "", 0)
	meta := f.meta(name)
	at := float64(time.Now().Add(-10 * time.Second).UnixMilli())
	members := make([]redis.Z, n)
	for i := range members {
		r := wire.FleetReport{
			ID: fmt.Sprintf("web-%d~%026d", i+1, i), Version: "1.2.3", State: "live", Interval: wire.MaxFleetInterval,
			Rev: meta.Rev, Hash: meta.Hash[:wire.FleetHashBytes], Lag: time.Duration(20+i%300) * time.Millisecond,
		}
		if i == n-1 {
			r.Hash = "0123456789abcdef"
		}
		members[i] = redis.Z{Score: at + 1e4*float64(i)/float64(n), Member: string(r.Append(nil))}
	}
	for chunk := range slices.Chunk(members, 1000) {
		if err := f.client.ZAdd(f.Context(), keys.Fleet, chunk...).Err(); err != nil {
			f.Fatal(err)
		}
	}
}

// TestDashboardStaysUsableWithTenThousandFollowers compares the page of a fleet of 10,000 with that of a fleet of ten.
func TestDashboardStaysUsableWithTenThousandFollowers(t *testing.T) {
	t.Parallel()
	const (
		large, small = 10_000, 10
		loads        = 9
		most         = 12 // times as long as with ten, until the page can be used
	)
	f := startShop(t, fleetOptions{keys: []string{"shop", "billing"}, followers: []string{}})
	f.report("shop", large)
	f.report("billing", small)
	v := startViewer(t)
	leader, _ := f.leading()
	p := v.open(t, leader.url("/ui/"), tabOptions{})
	p.await("main", "of 10001 current") // with serve
	took := map[string][]float64{}
	for range loads {
		for _, name := range []string{"shop", "billing"} { // alternately: both see the same machine
			p.goTo(leader.url("/ui/sdk/" + name + "/fleet"))
			p.await("main tbody tr", "web-")
			took[name] = append(took[name], p.run(`performance.getEntriesByType("navigation")[0].domInteractive`).(float64))
		}
	}
	median := func(name string) float64 { return slices.Sorted(slices.Values(took[name]))[loads/2] }
	t.Logf("until the page can be used: %.0f ms with %d followers, %.0f ms with %d", median("shop"), large, median("billing"), small)
	if ratio := median("shop") / median("billing"); ratio > most {
		t.Errorf("the page of %d followers takes %.1f times as long as that of %d, want at most %d", large, ratio, small, most)
	}

	// It works: the one that is behind is first, and every one can be found.
	p.goTo(leader.url("/ui/sdk/shop/fleet"))
	p.mark()
	if rows := p.count("main tbody tr", ""); rows > 1000 {
		t.Errorf("the page has %d rows", rows)
	}
	p.wantAccessible("10,000 followers")
	p.fill("main input[name=q]", "web-7777")
	p.press("Enter")
	p.await("main", "1 to 1 of 1 found")
	p.await("main tbody tr", "web-7777")
	p.goTo(leader.url("/ui/sdk/shop/fleet"))
	p.click("role=link[name='Next']", "")
	p.await("main", "201 to 400 of")

	// A live update of that page keeps the browser answering.
	p.mark()
	p.run(`(() => { window.longest = 0; let last = performance.now(); setInterval(() => { const now = performance.now(); window.longest = Math.max(window.longest, now - last); last = now; }, 10) })()`)
	f.change("shop", "Free shipping!", "Free delivery!")
	p.await("main tbody tr", "pending|behind")
	p.wantMarked()
	t.Logf("the browser was busy for at most %.0f ms", p.run("window.longest"))
}
