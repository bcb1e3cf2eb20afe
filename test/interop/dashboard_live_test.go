package interop

import (
	"fmt"
	"regexp"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/catbridge/catbridge/internal/testenv/busy"
)

// liveBound is how long after a change is in force every open page shows it.
const liveBound = time.Second

// liveSlack is how much the load of a machine may add.
var liveSlack = busy.Bound(30 * time.Second)

// marked is true in a page that has not been loaded again since [tab.mark].
const marked = "window.marked === true"

// mark marks the page, so that the test notices if it is loaded again.
func (p *tab) mark() {
	p.Helper()
	p.run("window.marked = true")
}

// wantMarked requires that the page was not loaded again.
func (p *tab) wantMarked() {
	p.Helper()
	if p.run(marked) != true {
		p.Errorf("%s was loaded again", p.url())
	}
}

// TestDashboardShowsChangesLive has every page open while a change arrives.
func TestDashboardShowsChangesLive(t *testing.T) {
	t.Parallel()
	f := startShop(t, fleetOptions{})
	v := startViewer(t)
	leader, _ := f.leading()

	open := func(p *dashboardProcess, path string) *tab { return v.open(t, p.url(path), tabOptions{}) }
	hash := func(hash string) string {
		return fmt.Sprintf("document.getElementById('main').innerText.includes(%q)", hash)
	}
	content := func(text string) func(string) string {
		return func(string) string {
			return fmt.Sprintf("document.getElementById('main').innerHTML.includes(%q)", text)
		}
	}
	pages := []struct {
		tab   *tab
		shows func(hash string) string // whether it shows the change
	}{
		{open(leader, "/ui/"), hash},
		{open(f.serve, "/ui/"), hash},
		{open(leader, "/ui/sdk/shop/flags"), content("Free delivery!")},
		{open(f.serve, "/ui/sdk/shop/flags"), content("Free delivery!")},
		{open(leader, "/ui/sdk/shop/flags/bannerText"), content("Free delivery!")},
		{open(leader, "/ui/sdk/shop/segments/Staff"), content("@shops.example")},
		{open(leader, "/ui/sdk/shop/history"), hash},
		{open(f.serve, "/ui/sdk/shop/history"), hash},
		{open(leader, "/ui/sdk/shop/actions"), content("loyaltyPoints")}, // among the flags to force
	}
	for _, p := range pages {
		p.tab.awaitNone("main", "Reading")
		p.tab.mark()
	}
	fleet := open(leader, "/ui/sdk/shop/fleet")
	fleet.await("main tr", "web-2")
	fleet.mark()

	short := f.change("shop", "Free shipping!", "Free delivery!", "@shop.example", "@shops.example", `"maxCartItems":{`, `"loyaltyPoints":{"t":0,"v":{"b":false}},"maxCartItems":{`)
	inForce := time.Now()
	var arrivals sync.WaitGroup
	for _, p := range pages {
		arrivals.Go(func() {
			if _, err := v.do(p.tab.number, "until", map[string]string{"script": p.shows(short)}); err != nil {
				t.Errorf("%s does not show the change: %v", p.tab.number, err)
				return
			}
			took := time.Since(inForce)
			t.Logf("tab %s shows the change after %v", p.tab.number, took.Round(time.Millisecond))
			if took > liveBound+liveSlack {
				t.Errorf("tab %s shows the change after %v, want at most %v", p.tab.number, took, liveBound)
			}
		})
	}
	arrivals.Wait()
	for _, p := range pages {
		p.tab.wantMarked()
	}
	// The followers report that they have it, and a new one appears.
	fleet.until(`[...document.querySelectorAll("main tbody tr")].filter((row) => row.innerText.includes("current")).length === 3`)
	f.watch("web-3")
	fleet.await("main tr", "web-3")
	fleet.wantMarked()
}

// TestDashboardKeepsWhatTheReaderDoes has changes arrive while the reader types, has a focus, has
// something open, has selected text, and has scrolled.
func TestDashboardKeepsWhatTheReaderDoes(t *testing.T) {
	t.Parallel()
	f := startShop(t, fleetOptions{})
	v := startViewer(t)
	leader, _ := f.leading()

	flags := v.open(t, leader.url("/ui/sdk/shop/flags"), tabOptions{width: 768})
	flags.mark()
	const search = "main input[name=q]"
	flags.fill(search, "bann")
	flags.run(`(() => { const input = document.querySelector("main input[name=q]"); input.focus(); input.setSelectionRange(1, 3); window.scrollTo(0, 60); window.scrolled = scrollY; })()`)
	f.change("shop", "Free shipping!", "Free delivery!")
	flags.await("main tr", "Free delivery!")
	if got := flags.run(`(() => { const input = document.activeElement; return [input.name, input.value, input.selectionStart, input.selectionEnd, scrollY === window.scrolled].join() })()`); got != "q,bann,1,3,true" {
		t.Errorf("the reader's search after a change is %v", got)
	}
	// A link in the row that changes keeps the focus, also when rows appear before it.
	flags.run(`document.querySelector("main a[href$='/flags/maintenanceMode']").focus()`)
	f.change("shop", `"maintenanceMode":{"t":0,"v":{"b":false}`, `"aaFirst":{"t":0,"v":{"b":true},"i":"first"},"maintenanceMode":{"t":0,"v":{"b":true}`)
	flags.await("main tr", "aaFirst")
	if got := flags.run(`document.activeElement.getAttribute("href")`); got != "/ui/sdk/shop/flags/maintenanceMode" {
		t.Errorf("the focus after a change is on %v", got)
	}
	flags.wantMarked()

	overview := v.open(t, leader.url("/ui/"), tabOptions{})
	overview.mark()
	overview.await("main details summary", "")
	overview.run(`document.querySelectorAll("main details").forEach((details) => { details.open = true })`)
	overview.focus("main details summary", "")
	overview.await("main", f.change("shop", "Free delivery!", "Free gift!"))
	if got := overview.run(`document.querySelector("main details").open && document.activeElement.tagName`); got != "SUMMARY" {
		t.Errorf("what the reader opened on the overview is %v after a change", got)
	}
	overview.wantMarked()

	flag := v.open(t, leader.url("/ui/sdk/shop/flags/bannerText"), tabOptions{})
	flag.mark()
	flag.run(`document.querySelectorAll("main details").forEach((details) => { details.open = true })`)
	flag.await("main form[action$='/explain']", "")
	const field = "main form[action$='/explain'] :is(input[type=text], input:not([type]), textarea) >> visible=true >> nth=0"
	flag.fill(field, "42 and more")
	f.change("shop", "Free gift!", "Free return!")
	flag.await("main", "Free return!")
	if got := flag.value(field); got != "42 and more" {
		t.Errorf("what the reader typed is %q after a change", got)
	}
	flag.wantMarked()

	// Fields of an order that is being written.
	actions := v.open(t, leader.url("/ui/sdk/shop/actions"), tabOptions{})
	actions.mark()
	actions.run(`document.querySelectorAll("main details").forEach((details) => { details.open = true })`)
	const reason = "main form [name=reason] >> visible=true >> nth=0"
	actions.fill(reason, "checkout fails")
	f.change("shop", "Free return!", "Free tea!")
	actions.await("main select", fmt.Sprintf(`rev %d`, f.revs("shop")[0]))
	if got := actions.value(reason); got != "checkout fails" {
		t.Errorf("the reason that the reader typed is %q after a change", got)
	}
	actions.wantMarked()
}

// TestDashboardMarksWhatChanged has a reader who wants motion and one who does not.
func TestDashboardMarksWhatChanged(t *testing.T) {
	t.Parallel()
	f := startShop(t, fleetOptions{})
	v := startViewer(t)
	leader, _ := f.leading()
	const watch = `(() => {
		window.animations = [];
		new MutationObserver(() => document.querySelectorAll(".changed").forEach((e) => window.animations.push(getComputedStyle(e).animationName)))
			.observe(document.body, { subtree: true, attributes: true, attributeFilter: ["class"] });
	})()`
	moving := v.open(t, leader.url("/ui/sdk/shop/flags"), tabOptions{})
	still := v.open(t, leader.url("/ui/sdk/shop/flags"), tabOptions{reducedMotion: true})
	for _, p := range []*tab{moving, still} {
		p.run(watch)
	}
	f.change("shop", "Free shipping!", "Free delivery!")
	for _, p := range []*tab{moving, still} {
		p.await("main tr", "Free delivery!")
		p.until("window.animations.length > 0")
	}
	if moving.run(`window.animations.every((name) => name === "none")`) != false {
		t.Error("nothing shows what changed")
	}
	if got := still.run(`window.animations.filter((name) => name !== "none").join()`); got != "" {
		t.Errorf("readers who want no motion see the animations %v", got)
	}
}

// TestDashboardSaysSinceWhenItIsStale kills the process of a page, and starts it again; and stops another, whose
// connections stay open.
func TestDashboardSaysSinceWhenItIsStale(t *testing.T) {
	t.Parallel()
	f := startShop(t, fleetOptions{})
	v := startViewer(t)
	leader, _ := f.leading()
	pages := []*tab{
		v.open(t, f.serve.url("/ui/"), tabOptions{}), v.open(t, f.serve.url("/ui/sdk/shop/flags"), tabOptions{}),
		v.open(t, f.serve.url("/ui/sdk/shop/history"), tabOptions{}), v.open(t, f.serve.url("/ui/sdk/shop/fleet"), tabOptions{}),
	}
	for _, p := range pages {
		p.await("main h1", "")
		p.mark()
	}
	since := regexp.QuoteMeta("as of ") + `\d\d:\d\d:\d\d`
	f.serve.kill()
	for _, p := range pages {
		p.await("#banner", since)
	}
	f.change("shop", "Free shipping!", "Free delivery!")
	f.serve.begin()
	for _, p := range pages {
		p.awaitNone("#banner", "")
		p.wantMarked()
	}
	pages[1].await("main tr", "Free delivery!")

	// Nothing closes the connections of a process that is stopped, or whose machine is gone.
	p := v.open(t, leader.url("/ui/sdk/shop/flags"), tabOptions{})
	p.await("main tr", "Free delivery!")
	p.mark()
	leader.signal(syscall.SIGSTOP)
	p.await("#banner", since)
	leader.signal(syscall.SIGCONT)
	p.awaitNone("#banner", "")
	p.wantMarked()
}

// TestDashboardShowsThatRedisIsGone stops Redis.
func TestDashboardShowsThatRedisIsGone(t *testing.T) {
	t.Parallel()
	f := startShop(t, fleetOptions{})
	v := startViewer(t)
	f.leading()
	overview, flags := v.open(t, f.serve.url("/ui/"), tabOptions{}), v.open(t, f.serve.url("/ui/sdk/shop/flags"), tabOptions{})
	flags.await("main tr", "bannerText")
	for _, p := range []*tab{overview, flags} {
		p.mark()
	}
	f.server.Pause(t)
	overview.await("main .bad", "redis")
	flags.await("main", "bannerText") // from memory
	f.server.Resume(t)
	overview.awaitNone("main .bad", "redis")
	for _, p := range []*tab{overview, flags} {
		p.wantMarked()
	}
}
