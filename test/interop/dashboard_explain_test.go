package interop

import (
	"testing"
)

// TestDashboardExplainsAValueInOneScreen asks why a user has a value, from the overview on, without a look at any
// optional part. The answer has the focus.
func TestDashboardExplainsAValueInOneScreen(t *testing.T) {
	t.Parallel()
	f := startShop(t, fleetOptions{})
	v := startViewer(t)
	leader, _ := f.leading()
	for _, size := range []struct{ width, height int }{{1280, 800}, {320, 640}} {
		p := v.open(t, leader.url("/ui/"), tabOptions{width: size.width})
		p.do("size", map[string]int{"width": size.width, "height": size.height})
		p.click("main a", "Why does a user get a value")
		p.await("h1", "Flags of shop")
		p.click("main a", "^newCheckout$")
		p.await("h1", "newCheckout")
		if at := p.run(`[scrollY, document.querySelector("form.explain button.primary").getBoundingClientRect().bottom <= innerHeight].join()`); at != "0,true" {
			t.Errorf("%d x %d: the button is not on the first screen: %v of %d px", size.width, size.height,
				p.run(`document.querySelector("form.explain button.primary").getBoundingClientRect().bottom`), size.height)
		}
		p.wantNoSidewaysScrolling("explain")
		p.fill("main input[name=identifier]", "42")
		p.press("Enter")
		p.await("h2", "Result for the user below: ")
		p.until(`document.activeElement.id === "result"`)
		if p.run(`(() => { const box = document.activeElement.getBoundingClientRect(); return box.top >= 0 && box.bottom <= innerHeight })()`) != true {
			t.Errorf("%d x %d: the result is not on the screen", size.width, size.height)
		}
		p.wantAccessible("the answer")
	}
}
