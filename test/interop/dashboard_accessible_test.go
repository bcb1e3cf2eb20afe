package interop

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// dashboardWidths are those of a phone, a tablet and a laptop.
var dashboardWidths = []int{320, 768, 1280}

// TestDashboardIsAccessible lets axe-core check every page, light and dark, in every width.
func TestDashboardIsAccessible(t *testing.T) {
	t.Parallel()
	f := startShop(t, fleetOptions{keys: []string{"shop", "billing"}})
	v := startViewer(t)
	leader, _ := f.leading()
	tellStory(f)
	p := v.open(t, leader.url("/ui/"), tabOptions{reducedMotion: true})
	check := func() {
		t.Helper()
		p.await("main h1", "")
		if open := p.run(`document.querySelectorAll("main details:not([open])").forEach((details) => { details.open = true })`); open != nil {
			t.Fatal(open)
		}
		for _, width := range dashboardWidths {
			p.resize(width)
			p.wantNoSidewaysScrolling(fmt.Sprintf("%d px", width))
			for _, dark := range []bool{false, true} {
				p.setDark(dark)
				p.wantAccessible(fmt.Sprintf("%d px, dark: %t", width, dark))
			}
		}
	}
	for _, path := range append(dashboardPages(f), "/ui/sdk/none/flags", "/ui/sdk/shop/flags?q=nothing+has+this+name", "/ui/sdk/shop/fleet?q=nothing") {
		p.goTo(leader.url(path))
		check()
	}
	p.goTo(leader.url("/ui/sdk/shop/flags/newCheckout"))
	explainTo(p, `{"Identifier": "42", "Email": "jane@example.com", "Country": "HU"}`)
	check()
	p.goTo(leader.url("/ui/sdk/shop/flags/newCheckout"))
	explainTo(p, `not JSON`)
	check()
}

// TestDashboardWorksByKeyboard reaches everything with the Tab key.
func TestDashboardWorksByKeyboard(t *testing.T) {
	t.Parallel()
	f := startShop(t, fleetOptions{keys: []string{"shop", "billing"}})
	v := startViewer(t)
	leader, _ := f.leading()
	for _, path := range dashboardPages(f) {
		for _, width := range []int{320, 1280} {
			p := v.open(t, leader.url(path), tabOptions{width: width, noJavaScript: true}) // so that nothing changes meanwhile
			p.wantKeyboardReaches()
			p.do("close", nil)
		}
	}
	p := v.open(t, leader.url("/ui/sdk/shop/flags"), tabOptions{})
	p.press("Tab")
	if got := p.run("document.activeElement.className"); got != "skip" {
		t.Errorf("the first link is %v", got)
	}
	p.await(".skip:focus", "")
	p.press("Enter")
	p.until(`document.activeElement.id === "main"`)
	p.press("Tab")
	if p.run(`document.getElementById("main").contains(document.activeElement)`) != true {
		t.Error("the skip link does not lead to the content")
	}
}

// wantKeyboardReaches requires that the Tab key visits every control once, and shows where it is.
func (p *tab) wantKeyboardReaches() {
	p.Helper()
	controls := p.run(`(() => {
		window.controls = [...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary")].filter((e) =>
			e.checkVisibility({ visibilityProperty: true }) && !e.disabled && !(e.type === "radio" && !e.checked));
		document.activeElement.blur();
		return window.controls.length;
	})()`).(float64)
	if controls < 5 {
		p.Fatalf("%s has only %v controls", p.url(), controls)
	}
	const look = `(() => {
		const e = document.activeElement, style = getComputedStyle(e), box = e.getBoundingClientRect();
		const number = window.controls.indexOf(e);
		const visible = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2 && box.width > 0 && box.height > 0 &&
			box.bottom > 0 && box.right > 0 && box.top < innerHeight && box.left < innerWidth;
		return [number, visible, e === document.body, e.outerHTML.slice(0, 150)];
	})()`
	var reached []int
	for range int(controls) + 20 {
		p.press("Tab")
		at := p.run(look).([]any)
		if at[2] == true { // behind the last
			break
		}
		if at[1] != true {
			p.Errorf("%s: the focus is not visible on %v", p.url(), at[3])
		}
		if n := int(at[0].(float64)); n >= 0 { // others are areas that scroll
			reached = append(reached, n)
		}
	}
	if !slices.IsSorted(reached) {
		p.Errorf("%s: the order of the Tab key is %v", p.url(), reached)
	}
	if len(slices.Compact(slices.Sorted(slices.Values(reached)))) != int(controls) {
		missing := p.run(fmt.Sprintf(`window.controls.filter((_, n) => ![%s].includes(n)).map((e) => e.outerHTML.slice(0, 150)).join("\n")`, strings.Trim(strings.Join(strings.Fields(fmt.Sprint(reached)), ","), "[]")))
		p.Errorf("%s: the Tab key does not reach\n%v", p.url(), missing)
	}
}

// TestDashboardWorksWithoutJavaScript reads every page and sends every form.
func TestDashboardWorksWithoutJavaScript(t *testing.T) {
	t.Parallel()
	f := startShop(t, fleetOptions{keys: []string{"shop", "billing"}, tokens: tokenFile(t)})
	v := startViewer(t)
	leader, _ := f.leading()
	p := v.open(t, leader.url("/ui/"), tabOptions{noJavaScript: true})
	p.signIn(adminToken)
	p.await("main", "shop")
	for _, path := range dashboardPages(f) {
		if status := p.goTo(leader.url(path)); status != 200 {
			t.Errorf("%s: %d", path, status)
		}
		p.await("main h1", "")
		if text := p.text("main"); len(text) < 50 {
			t.Errorf("%s shows only %q", path, text)
		}
		p.wantNoSidewaysScrolling("without JavaScript")
	}
	p.goTo(leader.url("/ui/sdk/shop/flags"))
	p.fill("main input[name=q]", "bann")
	p.press("Enter")
	p.await("main tr", "bannerText")
	if p.has("main tr", "newCheckout") {
		t.Error("the search does not filter")
	}
	p.click("role=link[name='bannerText']", "")
	explainTo(p, `{"Identifier": "42", "Country": "HU"}`)
	p.await("main", "Ingyenes szállítás!")
	p.await("main .tree", "Country")
	p.force(leader, "maintenanceMode", "true", order{reason: "the cellar is flooded", lasts: "1h"})
	p.await("main", "admin") // the name of the token
	p.click("role=button[name='Sign out']", "")
	p.await("main", "You are signed out")
}
