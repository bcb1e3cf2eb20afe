package interop

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/cachekeys"
)

// hostileStrings are attempts to run a script in a page that shows them.
var hostileStrings = []string{
	`<img src=x onerror=alert(1)>`,
	`"><script>alert(2)</script>`,
	`'><svg/onload=alert(3)>`,
	`</textarea></title></style></script><script>alert(4)</script>`,
	`<a href="javascript:alert(5)">x</a>`,
	`" autofocus onfocus=alert(6) x="`,
	"`${alert(7)}`{{.}}",
	`<iframe srcdoc="<script>parent.alert(8)</script>">`,
	`javascript:alert(9)`,
	`<style>*{background:url(//example.com/)}</style><link rel=stylesheet href=//example.com/>`,
	`<meta http-equiv=refresh content="0;url=//example.com/"><base href=//example.com/><form action=//example.com/>`,
	"<!--\u202e\u2028 \x00\x1b[31m",
}

// hostileConfig returns a config in which everything that has a name or a text has a hostile one.
func hostileConfig(t *testing.T, value string) []byte {
	t.Helper()
	type object = map[string]any
	flags, segments := object{}, []any{}
	for n, text := range hostileStrings {
		segments = append(segments, object{"n": text, "r": []any{object{"a": text, "c": 0, "l": []string{text}}}})
		flags[text] = object{
			"t": 1, "a": text, "v": object{"s": text}, "i": text,
			"r": []any{
				object{"c": []any{object{"u": object{"a": text, "c": 28, "s": text}}, object{"s": object{"s": n, "c": 0}}}, "s": object{"v": object{"s": text}, "i": text}},
				object{"c": []any{object{"p": object{"f": "value", "c": 0, "v": object{"s": text}}}}, "s": object{"v": object{"s": text}, "i": text}},
			},
			"p": []any{object{"p": 50, "v": object{"s": text}, "i": text}, object{"p": 50, "v": object{"s": text}, "i": text}},
		}
	}
	flags["value"] = object{"t": 1, "v": object{"s": value}}
	// Names that lead elsewhere if a path contains them as they are.
	for _, key := range []string{"..", ".", "a/../../b", "//example.com/", "%2e%2e", "?q=1#x", "~", "", " ", `\\example.com\`} {
		flags[key] = object{"t": 0, "v": object{"b": true}}
	}
	broken := object{"t": 0, "v": object{"s": hostileStrings[0]}, "r": []any{object{"c": []any{object{"p": object{"f": hostileStrings[1] + " missing", "c": 0, "v": object{"b": true}}}}, "s": object{"v": object{"b": true}}}}}
	flags[hostileStrings[0]+" broken"] = broken
	config, err := json.Marshal(object{"p": object{"u": "https://cdn-global.configcat.com", "r": 0, "s": "salt"}, "s": segments, "f": flags})
	if err != nil {
		t.Fatal(err)
	}
	return config
}

// TestDashboardRunsNoScriptOfOthers has hostile strings everywhere that somebody else can put a text: the config,
// what operators say, what followers report, the lock, and what a link makes a page ask for. Settings refuse such names
// of SDK keys.
func TestDashboardRunsNoScriptOfOthers(t *testing.T) {
	t.Parallel()
	f := startShop(t, fleetOptions{})
	v := startViewer(t)
	leader, _ := f.leading()

	// It arrives while pages are open: scripts insert it.
	var open []*tab
	for _, path := range []string{"/ui/", "/ui/sdk/shop/flags", "/ui/sdk/shop/history", "/ui/sdk/shop/fleet", "/ui/sdk/shop/actions"} {
		p := v.open(t, leader.url(path), tabOptions{})
		p.mark()
		open = append(open, p)
	}
	f.publish("shop", hostileConfig(t, "harmless"))
	open[1].await("main", regexp.QuoteMeta(hostileStrings[0]))
	for n, text := range hostileStrings[:4] {
		f.run("force", "shop", text, text, "--for", "1h", "--reason", text, "--by", hostileStrings[n+1][:min(64, len(hostileStrings[n+1]))], "--yes")
	}
	f.run("pin", "shop", "current", "--for", "1h", "--reason", hostileStrings[7], "--by", hostileStrings[2], "--yes")
	keys := cachekeys.For(sdkKey, "", 0)
	now := float64(time.Now().UnixMilli())
	for n, text := range hostileStrings {
		// A report with such a name is malformed.
		for _, report := range []string{
			"cb1 " + strings.ReplaceAll(text, " ", "/") + "~A 1.0 live 5000 1 0123456789abcdef -",
			"cb1 web-1~A " + strings.ReplaceAll(text, " ", "/") + " live 5000 1 0123456789abcdef -",
			"cb1 web-1~A 1.0 live 5000 1 0123456789abcdef - " + strings.Map(ascii, text),
		} {
			f.client.ZAdd(t.Context(), keys.Fleet, redis.Z{Score: now + float64(n)/100, Member: report})
		}
	}
	open[0].await("main", regexp.QuoteMeta(hostileStrings[7]))
	open[2].await("main", "force")
	open[3].await("main", "malformed")
	open[4].await("main", regexp.QuoteMeta(hostileStrings[7]))
	for _, p := range open {
		p.wantHarmless()
		p.wantMarked()
		p.wantAccessible("hostile strings")
		p.wantNoSidewaysScrolling("hostile strings")
	}

	// Every page of a flag, a segment and a config, by its link.
	p := v.open(t, leader.url("/ui/"), tabOptions{})
	visited := map[string]bool{}
	for todo := []string{"/ui/"}; len(todo) > 0; todo = todo[1:] {
		if status := p.goTo(leader.url(todo[0])); status != 200 && !strings.Contains(todo[0], "missing") { // a link to a prerequisite
			t.Errorf("%s: %d", todo[0], status)
		}
		p.wantHarmless()
		for _, href := range p.run(`[...document.querySelectorAll("a[href]")].map((a) => a.getAttribute("href"))`).([]any) {
			target, err := url.Parse(href.(string))
			switch {
			case err != nil || target.Host != "" || target.Scheme != "":
				t.Errorf("%s has a link to %v", todo[0], href)
			case strings.HasPrefix(target.Path, "/ui/") && !visited[target.Path]: // once, whatever its query says
				visited[target.Path] = true
				todo = append(todo, href.(string))
			}
		}
	}
	for _, key := range []string{"..", "a/../../b", "%2e%2e", "?q=1#x"} {
		p.goTo(leader.url("/ui/sdk/shop/flags"))
		p.click(fmt.Sprintf("main th >> role=link[name=%s]", jsonText(key)), "")
		p.await("h1", "^"+regexp.QuoteMeta(key))
	}
	if len(visited) < 2*len(hostileStrings) {
		t.Errorf("only %d pages were visited", len(visited))
	}

	// What links and forms say.
	for _, text := range hostileStrings {
		for _, path := range []string{
			"/ui/sdk/shop/flags?q=%s", "/ui/sdk/shop/flags?show=%s&type=%[1]s", "/ui/sdk/shop/fleet?q=%s", "/ui/sdk/shop/history?flag=%s", "/ui/sdk/shop/actions?flag=%s&pin=%[1]s&back=%[1]s",
			"/ui/?sdk=%s", "/ui/sdk/shop/flags/newCheckout?at=%s&versus=%[1]s", "/ui/signin?to=%s", "/ui/sdk/%s/flags", "/ui/sdk/shop/flags/%s%%20gone", "/ui/sdk/shop/segments/%s%%20gone", "/ui/%s",
		} {
			escaped := url.QueryEscape(text)
			if !strings.Contains(path, "=%s") {
				escaped = url.PathEscape(text)
			}
			path = fmt.Sprintf(path, escaped)
			if status := p.goTo(leader.url(path)); status >= 500 {
				t.Errorf("%s: %d", path, status)
			}
			p.wantHarmless()
			if !strings.HasPrefix(p.url(), leader.url("/ui/")) {
				t.Errorf("%s leads to %s", path, p.url())
			}
		}
	}
	for _, text := range hostileStrings[:4] {
		p.goTo(leader.url("/ui/sdk/shop/flags/" + url.PathEscape(text)))
		explainTo(p, jsonText(map[string]any{"Identifier": text, "Email": text, "Country": text, "Custom": map[string]string{text: text}}))
		p.await("main .tree", regexp.QuoteMeta(text))
		p.wantHarmless()
		p.wantAccessible("a hostile user")
		if strings.Contains(p.url(), "alert") && !strings.Contains(p.url(), "/flags/") {
			t.Errorf("the user is in the URL %s", p.url())
		}
	}
	p.goTo(leader.url("/ui/sdk/shop/flags/value"))
	explainTo(p, hostileStrings[3])
	p.wantHarmless()

	// Who holds the lock says who leads.
	for _, leader := range f.leaders {
		leader.kill()
	}
	p = v.open(t, f.serve.url("/ui/"), tabOptions{})
	for _, text := range hostileStrings[:6] {
		f.client.Set(t.Context(), keys.Lock, strings.ReplaceAll(text[:min(len(text), 50)], ":", ";")+"/A:9", time.Minute)
		p.goTo(f.serve.url("/ui/"))
		p.await("main", regexp.QuoteMeta(strings.ReplaceAll(text[:min(len(text), 30)], ":", ";")))
		p.wantHarmless()
	}
}

// wantHarmless requires that no element came from a text, whether or not the Content-Security-Policy keeps it from
// doing harm. The problems of a tab are checked at its end.
func (p *tab) wantHarmless() {
	p.Helper()
	if found := p.run(`[...document.querySelectorAll("*")].filter((e) =>
		[...e.attributes].some((a) => a.name.startsWith("on") || /^\s*javascript:/i.test(a.value) && ["href", "src", "action"].includes(a.name)) ||
		e.matches("script:not([src^='/ui/assets/']), iframe, object, embed, style, base, meta[http-equiv], main img, [srcdoc], [style], link:not([href^='/ui/assets/']), form:not([action^='/ui/'], [method=get])"),
	).map((e) => e.outerHTML.slice(0, 200)).join("\n")`); found != "" {
		p.Errorf("%s has\n%v", p.url(), found)
	}
}

func ascii(r rune) rune {
	if r <= ' ' || r > '~' {
		return '-'
	}
	return r
}
