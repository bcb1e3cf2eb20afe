package ui

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/inspect"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/observe"
)

// fleetView has that many followers; every tenth is behind, and every 50th is silent.
func fleetView(t testing.TB, n int) *observe.View {
	v := wholeView(t)
	v.Followers = nil
	f := &inspect.Fleet{Versions: map[string]int{"v1.2.0": n}}
	order := []observe.Standing{observe.Behind, observe.Silent, observe.Current}
	for _, standing := range order {
		for i := range n {
			is := observe.Current
			switch {
			case i%50 == 0:
				is = observe.Silent
			case i%10 == 0:
				is = observe.Behind
			}
			if is != standing {
				continue
			}
			v.Followers = append(v.Followers, observe.Follower{
				Name: fmt.Sprintf("web-%05d.example.com", i), ID: fmt.Sprintf("web-%05d.example.com~ABCDEFGHIJ", i), Version: "v1.2.0", State: "live",
				Standing: is, Rev: currentRev - int64(i%3), Lag: time.Duration(i) * time.Millisecond, Reported: time.Now(), Interval: 30 * time.Second,
			})
			switch is {
			case observe.Silent:
				f.Silent++
			case observe.Behind:
				f.Behind, f.Following = f.Behind+1, f.Following+1
			case observe.Current:
				f.Current, f.Following = f.Current+1, f.Following+1
			}
		}
	}
	v.State.Fleet = f
	return v
}

func TestTenThousandFollowersAreShownInPages(t *testing.T) {
	u := testUI(t, nil, acting, fleetView(t, 10_000))
	w := get(u, readToken, "/ui/sdk/shop/fleet")
	checkMarkup(t, "fleet", w)
	wantText(t, w, 200, "Current 9000 of 9800", "Behind 800", "Silent 200", "1 to 200 of 10000 followers, the furthest behind first.", "v1.2.0: 10000", "web-00010.example.com ~ABCDEFGHIJ behind", "Next")
	if n := strings.Count(w.Body.String(), "<tr id="); n != rowsOnPage {
		t.Errorf("%d rows", n)
	}
	if len(w.Body.Bytes()) > 120_000 {
		t.Errorf("the page has %d bytes", w.Body.Len())
	}
	wantText(t, get(u, readToken, "/ui/sdk/shop/fleet?page=50"), 200, "9801 to 10000 of 10000", "Previous")
	for _, page := range []string{"51", "-1", "0", "x", "99999999999999999999"} {
		wantText(t, get(u, readToken, "/ui/sdk/shop/fleet?page="+page), 200, "of 10000 followers")
	}
}

func TestFollowersAreFoundByNameAndStanding(t *testing.T) {
	u := testUI(t, nil, acting, fleetView(t, 1000))
	wantText(t, get(u, readToken, "/ui/sdk/shop/fleet?q=WEB-00010"), 200, "1 to 1 of 1 found among 1000 followers", "web-00010.example.com ~ABCDEFGHIJ behind", "10 ms")
	wantText(t, get(u, readToken, "/ui/sdk/shop/fleet?show=silent"), 200, "1 to 20 of 20 found", "web-00050.example.com ~ABCDEFGHIJ silent")
	wantText(t, get(u, readToken, "/ui/sdk/shop/fleet?show=behind&q=live+web-0001"), 200, "1 to 1 of 1 found", "web-00010")
	wantText(t, get(u, readToken, "/ui/sdk/shop/fleet?q=nobody"), 200, "No follower matches.")
	wantText(t, get(u, readToken, "/ui/sdk/shop/fleet?show=other"), 400, "show is behind, silent, pending or current")
	w := get(u, readToken, "/ui/sdk/shop/fleet?"+url.Values{"q": {"web"}, "show": {"current"}}.Encode())
	if !strings.Contains(w.Body.String(), `href="/ui/sdk/shop/fleet?page=2&amp;q=web&amp;show=current"`) {
		t.Error("the next page is not one of the same search")
	}
}

// Each follower whose last report names another config is among those behind, silent or not. What a silent one said is not shown as if it were so.
func TestSilentFollowersThatAreBehindAreFoundAsSuch(t *testing.T) {
	v := wholeView(t)
	const oldHash = "0f0e0d0c0b0a0908070605040302010f0e0d0c0b0a090807060504030201000f"
	v.History[1].Hash = oldHash
	follower := func(name string, standing observe.Standing, hash string) observe.Follower {
		return observe.Follower{
			Name: name, ID: name + "~X", State: "live", Standing: standing, Other: hash != someHash[:16], Hash: hash, Rev: 1, Lag: 30 * time.Millisecond, Reported: time.Now(),
		}
	}
	v.Followers = []observe.Follower{
		follower("late", observe.Behind, oldHash[:16]), follower("crashed", observe.Silent, oldHash[:16]), follower("unknown", observe.Silent, "abcdefabcdefabcd"),
		follower("gone", observe.Silent, someHash[:16]), follower("soon", observe.Pending, oldHash[:16]), follower("well", observe.Current, someHash[:16]),
	}
	v.State.Fleet = &inspect.Fleet{Following: 3, Current: 1, Behind: 1, Pending: 1, Silent: 3, SilentBehind: 2}
	u := testUI(t, nil, acting, v)
	all := get(u, readToken, "/ui/sdk/shop/fleet")
	checkMarkup(t, "fleet", all)
	wantText(t, all, 200, "Config in force 1a2b3c4d of 3 h ago", "Behind 3 2 of them silent", "Silent 3",
		"late ~X behind 0f0e0d0c of 1 h ago 30 ms",
		"crashed ~X behind silent last said 0f0e0d0c of 1 h ago last said 30 ms", "last said live",
		"unknown ~X behind silent last said abcdefab last said 30 ms",
		"gone ~X silent last said 1a2b3c4d",
		"well ~X current 1a2b3c4d 30 ms")
	if n := strings.Count(text(all), "last said live"); n != 3 {
		t.Errorf("the connections of %d followers are as of their last report, want those of the 3 silent ones", n)
	}
	if !strings.Contains(all.Body.String(), fmt.Sprintf(`<a href="/ui/sdk/shop/history/%d">0f0e0d0c</a>`, v.History[1].Rev)) {
		t.Error("the page does not link an earlier config to the history")
	}
	behind := get(u, readToken, "/ui/sdk/shop/fleet?show=behind")
	wantText(t, behind, 200, "1 to 3 of 3 found among 6 followers", "late ~X", "crashed ~X", "unknown ~X")
	wantText(t, get(u, readToken, "/ui/sdk/shop/fleet?show=silent"), 200, "1 to 3 of 3 found among 6 followers", "gone ~X")
	wantText(t, get(u, readToken, "/ui/sdk/shop/fleet?q=0f0e0d0c"), 200, "1 to 3 of 3 found among 6 followers")
	v.Followers[0].State, v.Followers[1].State = "no_leader", "polling"
	wantText(t, get(u, readToken, "/ui/sdk/shop/fleet"), 200, "no_leader connected, but nobody brings changes", "last said polling it may not subscribe")
	v.State.Fleet, v.Followers = &inspect.Fleet{Following: 1, Current: 1}, v.Followers[5:]
	wantText(t, get(u, readToken, "/ui/sdk/shop/fleet?show=behind"), 200, "Behind 0", "No follower that matches is behind.")
}

func TestTheFleetPageHasAStateForEachSituation(t *testing.T) {
	none, refused := wholeView(t), wholeView(t)
	none.Followers, none.State.Fleet = nil, &inspect.Fleet{}
	refused.Followers, refused.State.Fleet, refused.State.Remarks = nil, nil, []string{"unknown: the followers (NOPERM)"}
	odd := wholeView(t)
	odd.State.Fleet.Malformed, odd.State.Fleet.Truncated = 3, true
	odd.Followers[0].Hash, odd.Followers[0].Lag = "", 0
	for what, test := range map[string]struct {
		view *observe.View
		want []string
	}{
		"before the first look": {&observe.View{Label: "shop"}, []string{"Fleet of shop"}},
		"no reports":            {none, []string{"No follower reports. Set FleetReport"}},
		"no right":              {refused, []string{"The followers are unknown.", "unknown: the followers (NOPERM)"}},
		"odd reports":           {odd, []string{"3 reports are malformed", "not all are shown", "no config", "unknown"}},
	} {
		w := get(testUI(t, nil, acting, test.view), readToken, "/ui/sdk/shop/fleet")
		checkMarkup(t, what, w)
		wantText(t, w, 200, test.want...)
	}
}

func TestAgesOfReportsAreByRedissClock(t *testing.T) {
	v := wholeView(t)
	v.Ahead = 10 * time.Hour
	v.Followers = v.Followers[:1]
	v.Followers[0].Reported = time.Now().Add(10*time.Hour - 3*time.Hour)
	wantText(t, get(testUI(t, nil, acting, v), readToken, "/ui/sdk/shop/fleet"), 200, "3 h ago")
}

func BenchmarkFleetOf10000(b *testing.B) {
	u := testUI(b, nil, acting, fleetView(b, 10_000))
	for b.Loop() {
		if w := get(u, readToken, "/ui/sdk/shop/fleet?q=web"); w.Code != 200 {
			b.Fatal(w.Code)
		}
	}
}
