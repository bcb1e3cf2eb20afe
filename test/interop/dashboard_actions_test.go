package interop

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/cachekeys"
)

// explainTo asks on the page of a flag what a user has, given as JSON; empty: without a user.
func explainTo(p *tab, user string) {
	p.Helper()
	by := "json"
	if user == "" {
		by = "none"
	}
	if !p.has("main input[name=by] >> visible=true", "") {
		p.click("main summary", "A user as JSON, or no user")
	}
	p.do("check", element{Selector: "main input[name=by][value=" + by + "]"})
	p.fill("main textarea[name=json]", user)
	p.click("main form[action$='/explain'] >> role=button[name='Explain']", "")
	p.await("main #result, main [role=alert]", "")
}

// order is who orders something, why and for how long. Without a token the form asks for the name, too.
type order struct{ by, reason, lasts string }

func (p *tab) fillIn(form string, o order) {
	p.Helper()
	p.fill(form+" [name=for]", o.lasts)
	p.fill(form+" [name=reason]", o.reason)
	if p.has(form+" [name=by]", "") {
		p.fill(form+" [name=by]", o.by)
	}
}

const (
	forceForm    = "main form[action$='/actions/force']"
	takeBackForm = "main form[action$='/actions/takeback']"
)

// previewForce fills in the form to force a flag, up to the preview.
func (p *tab) previewForce(process *dashboardProcess, flag, value string, o order) {
	p.Helper()
	p.goTo(process.url("/ui/sdk/shop/actions"))
	p.fill("main input[name=flag] >> visible=true", flag)
	p.click("role=button[name='Choose the value …']", "")
	if p.has(forceForm+" select[name=value]", "") {
		p.do("choose", element{Selector: forceForm + " select[name=value]", Text: value})
	} else {
		p.fill(forceForm+" [name=value]", value)
	}
	p.fillIn(forceForm, o)
	p.click(forceForm+" >> role=button[name='Show what changes …']", "")
}

// force forces a flag, with preview and confirmation.
func (p *tab) force(process *dashboardProcess, flag, value string, o order) {
	p.Helper()
	p.previewForce(process, flag, value, o)
	p.click("role=button[name='Force this flag']", "")
	p.await("#flash", "Done: ")
}

// TestDashboardForcesAFlag forces a flag with preview and confirmation, and withdraws it. Followers receive both.
func TestDashboardForcesAFlag(t *testing.T) {
	t.Parallel()
	f := startShop(t, fleetOptions{})
	v := startViewer(t)
	_, leader := f.leading() // the other process acts, too
	var watched shopWatch
	watched.start(f, "maintenanceMode")
	watched.await(t, "false")
	looks := v.open(t, f.serve.url("/ui/sdk/shop/flags/maintenanceMode"), tabOptions{})
	looks.await("main", "false")
	looks.mark()

	p := v.open(t, leader.url("/ui/"), tabOptions{})
	o := order{"ann", "the cellar is flooded", "2h"}
	p.previewForce(leader, "maintenanceMode", "true", o)
	p.await("h1", "Force maintenanceMode of shop to true")
	p.await("main", "maintenanceMode: .*true")
	for _, text := range []string{o.by, o.reason} {
		p.await("main", text)
	}
	p.wantAccessible("preview")
	if value := f.run("watch", "--once", "--json", "--name", "shop", "--flag", "maintenanceMode"); !strings.Contains(value, "false") {
		t.Fatalf("a preview changed something: %s", value)
	}
	p.click("role=button[name='Force this flag']", "")
	p.await("#flash", "Done: ")
	watched.await(t, "true")
	p.await("main", "maintenanceMode is true")
	looks.await("main .badge", "forced")
	looks.await("main", "the cellar is flooded")
	looks.wantMarked()
	if text := f.run("controls", "shop"); !strings.Contains(text, "maintenanceMode") || !strings.Contains(text, "ann: the cellar is flooded") {
		t.Errorf("catbridge controls: %s", text)
	}
	p.goTo(leader.url("/ui/sdk/shop/history"))
	p.await("main .badge", "force")

	p.goTo(leader.url("/ui/sdk/shop/actions"))
	p.click("role=button[name='End the force …']", "")
	p.await("h1", "End the force of maintenanceMode of shop")
	p.click("role=button[name='End the force']", "")
	p.await("#flash", "Done: ")
	watched.await(t, "false")
	p.awaitNone("main", "maintenanceMode is true")
	looks.awaitNone("main .badge", "forced")
	looks.wantMarked()
}

// TestDashboardTakesBackTheLastChange does so from the overview.
func TestDashboardTakesBackTheLastChange(t *testing.T) {
	t.Parallel()
	f := startShop(t, fleetOptions{})
	v := startViewer(t)
	leader, _ := f.leading()
	var watched shopWatch
	watched.start(f, "bannerText")
	watched.await(t, "Free shipping!")
	f.change("shop", "Free shipping!", "Free everything!")
	revs := f.revs("shop")
	watched.await(t, "Free everything!")

	p := v.open(t, leader.url("/ui/"), tabOptions{})
	p.await("main", "Free everything!")
	p.click("role=link[name='Take this back …']", "")
	p.await("h1", "Take back the last change of shop")
	p.await("main", fmt.Sprintf("the config before it .rev %d", revs[1]))
	p.wantAccessible("take back")
	p.fillIn(takeBackForm, order{"ann", "nothing is free", "1h"})
	p.click(takeBackForm+" >> role=button[name='Show what changes …']", "")
	p.await("h1", "Take back the last change of shop")
	p.await("main", `bannerText.*Free shipping!`)
	p.wantAccessible("preview of taking back")
	p.click("role=button[name='Take it back for 1 h']", "")
	p.await("#flash", `Done: the last change of shop is taken back until .* UTC\. After that ConfigCat’s config is in force again`)
	watched.await(t, "Free shipping!")

	p.goTo(leader.url("/ui/"))
	p.await("main", "nothing is free")
	p.awaitNone("main", "Take this back")
	p.click("role=link[name='Withdraw …']", "")
	p.click("role=button[name='End the pin …']", "")
	p.click("role=button[name='End the pin']", "")
	p.await("#flash", "Done: ")
	watched.await(t, "Free everything!")
}

// TestDashboardRefusesAnActionThatChangedMeanwhile has two operators: the confirmation of the second one counts
// for what the preview showed, or not at all.
func TestDashboardRefusesAnActionThatChangedMeanwhile(t *testing.T) {
	t.Parallel()
	f := startShop(t, fleetOptions{})
	v := startViewer(t)
	leader, other := f.leading()
	ann, bob := v.open(t, leader.url("/ui/"), tabOptions{}), v.open(t, other.url("/ui/"), tabOptions{})
	ann.previewForce(leader, "maxCartItems", "10", order{"ann", "the store is full", "1h"})
	ann.await("h1", "Force maxCartItems")
	bob.force(other, "maxCartItems", "20", order{"bob", "the store is half full", "1h"})
	ann.click("role=button[name='Force this flag']", "")
	ann.await("main", "another operator|changed meanwhile")
	ann.await("main", "the store is half full")
	if text := f.run("controls", "shop"); !strings.Contains(text, "20") || strings.Contains(text, "ann") {
		t.Errorf("catbridge controls: %s", text)
	}
	ann.click("role=button[name='Force this flag']", "")
	ann.await("#flash", "Done: ")
	if text := f.run("controls", "shop"); !strings.Contains(text, "ann: the store is full") {
		t.Errorf("catbridge controls: %s", text)
	}

	// A form that is wrong keeps what was typed, and writes nothing.
	before := f.client.Get(t.Context(), cachekeys.For(sdkKey, "", 0).Control).Val()
	ann.previewForce(leader, "maxCartItems", "many", order{"ann", "the store is full", "for ever"})
	ann.await("[aria-invalid=true]", "")
	ann.wantAccessible("faults of a form")
	if got := ann.value(forceForm + " [name=reason]"); got != "the store is full" {
		t.Errorf("the form has lost the reason: %q", got)
	}
	if after := f.client.Get(t.Context(), cachekeys.For(sdkKey, "", 0).Control).Val(); after != before {
		t.Errorf("a form with faults wrote %s", after)
	}
}

// shopWatch is a process of catbridge watch that prints the value of a flag.
type shopWatch struct {
	flag   string
	values chan string
}

func (w *shopWatch) start(f *shopFleet, flag string) {
	f.Helper()
	w.flag, w.values = flag, make(chan string, 1000)
	p := &dashboardProcess{t: f.TB, env: f.env, args: []string{"watch", "--fast", "--name", "shop", "--json", "--flag", flag}}
	var out io.Reader
	p.begin(func(cmd *exec.Cmd) {
		var err error
		if out, err = cmd.StdoutPipe(); err != nil {
			f.Fatal(err)
		}
	})
	go func() {
		for lines := bufio.NewScanner(out); lines.Scan(); {
			var line struct {
				Values  map[string]any
				Changes []struct {
					Key string
					To  any
				}
			}
			if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
				panic(fmt.Sprintf("catbridge watch printed %s: %v", lines.Bytes(), err))
			}
			if value, has := line.Values[flag]; has {
				w.values <- fmt.Sprint(value)
			}
			for _, c := range line.Changes {
				w.values <- fmt.Sprint(c.To)
			}
		}
	}()
}

// await waits until the follower has a value.
func (w *shopWatch) await(t *testing.T, want string) {
	t.Helper()
	for {
		select {
		case value := <-w.values:
			if value == want {
				return
			}
			t.Logf("%s is %s", w.flag, value)
		case <-t.Context().Done():
			t.Fatalf("%s did not become %s", w.flag, want)
		}
	}
}

// tellStory makes a history with an order of an operator that is in force.
func tellStory(f *shopFleet) {
	f.Helper()
	f.change("shop", "Free shipping!", "Free shipping this week!")
	f.run("force", "shop", "maintenanceMode", "true", "--for", "2h", "--reason", "the cellar is flooded", "--by", "ann@web-1", "--yes")
}
