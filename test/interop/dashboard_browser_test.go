package interop

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// viewer is a Chromium in which tests look at dashboards, see dashboard.mjs.
type viewer struct {
	process

	mu      sync.Mutex
	last    int // number of the last command or tab
	answers map[int]chan viewerAnswer
	ended   bool
}

type viewerAnswer struct {
	ID     int
	Result json.RawMessage
	Error  string
}

// startViewer starts Chromium. It ends with the test.
func startViewer(t *testing.T) *viewer {
	t.Helper()
	// Its standard input ends it, after the cleanup of the tabs, which still need it.
	cmd := exec.Command(node(t), "dashboard.mjs", chromium(t))
	// Chromium's profile is in the folder for temporary files.
	cmd.Env = append(os.Environ(), "TMPDIR="+t.TempDir())
	v := &viewer{process: startLines(t, cmd), answers: map[int]chan viewerAnswer{}}
	go func() {
		for v.lines.Scan() {
			var a viewerAnswer
			if err := json.Unmarshal(v.lines.Bytes(), &a); err != nil {
				panic(fmt.Sprintf("dashboard.mjs printed %s: %v", v.lines.Bytes(), err))
			}
			v.mu.Lock()
			v.answers[a.ID] <- a
			v.mu.Unlock()
		}
		v.mu.Lock()
		defer v.mu.Unlock()
		v.ended = true
		for _, answer := range v.answers {
			close(answer)
		}
	}()
	return v
}

// do sends a command, and returns its answer.
func (v *viewer) do(tab, name string, options any) (json.RawMessage, error) {
	answer := make(chan viewerAnswer, 1)
	v.mu.Lock()
	v.last++
	id := v.last
	if v.ended {
		close(answer)
	}
	v.answers[id] = answer
	_, err := io.WriteString(v.in, jsonText(map[string]any{"id": id, "tab": tab, "do": name, "options": options})+"\n")
	v.mu.Unlock()
	if err != nil {
		return nil, fmt.Errorf("Chromium ended: %w\n%s", err, v.stderr) //nolint:staticcheck // a name
	}
	a, ok := <-answer
	v.mu.Lock()
	delete(v.answers, id)
	v.mu.Unlock()
	switch {
	case !ok:
		return nil, fmt.Errorf("Chromium ended\n%s", v.stderr) //nolint:staticcheck // a name
	case a.Error != "":
		return nil, errors.New(a.Error)
	}
	return a.Result, nil
}

// tabOptions are the options of a tab. The zero value is a large, light screen with JavaScript.
type tabOptions struct {
	visitor       *tab // whose cookies it has; nil: it has its own
	width         int
	dark          bool
	reducedMotion bool
	noJavaScript  bool
	timezone      string // empty: UTC
}

// tab is a page in Chromium. Its methods end the test if the browser cannot do what they say within
// a minute. At the end of the test a tab must have no problems, see dashboard.mjs.
type tab struct {
	*testing.T
	viewer *viewer
	number string
}

// open opens a tab at a URL.
func (v *viewer) open(t *testing.T, url string, o tabOptions) *tab {
	t.Helper()
	v.mu.Lock()
	v.last++
	tab := &tab{t, v, strconv.Itoa(v.last)}
	v.mu.Unlock()
	options := map[string]any{
		"width": max(o.width, 0), "height": 800, "colorScheme": "light", "reducedMotion": "no-preference",
		"javaScript": !o.noJavaScript, "timezone": "UTC",
	}
	if o.width == 0 {
		options["width"] = 1280
	}
	if o.visitor != nil {
		options["visitor"] = o.visitor.number
	}
	if o.dark {
		options["colorScheme"] = "dark"
	}
	if o.reducedMotion {
		options["reducedMotion"] = "reduce"
	}
	if o.timezone != "" {
		options["timezone"] = o.timezone
	}
	tab.do("open", options)
	t.Cleanup(func() { tab.wantNoProblems() })
	tab.goTo(url)
	return tab
}

// do sends a command. Its answer is decoded into result, unless that is nil.
func (p *tab) do(name string, options any, result ...any) {
	p.Helper()
	answer, err := p.viewer.do(p.number, name, options)
	for _, r := range result {
		if err == nil {
			err = json.Unmarshal(answer, r)
		}
	}
	if err != nil {
		shown, _ := p.viewer.do(p.number, "run", map[string]string{"script": "location.href + '\\n' + document.body?.innerText"})
		var text string
		_ = json.Unmarshal(shown, &text)
		p.Fatalf("%s %s: %v\nThe page is:\n%s", name, jsonText(options), err, text)
	}
}

type element struct {
	Selector string `json:"selector"`
	Text     string `json:"text,omitempty"`
	Gone     bool   `json:"gone,omitempty"`
}

// goTo loads a page, and returns the status of the answer.
func (p *tab) goTo(url string) (status int) {
	p.Helper()
	p.do("goto", map[string]string{"url": url}, &status)
	return status
}

// reload loads the page again, and returns the status of the answer.
func (p *tab) reload() (status int) {
	p.Helper()
	p.do("reload", nil, &status)
	return status
}

func (p *tab) url() (url string) {
	p.Helper()
	p.do("url", nil, &url)
	return url
}

// await waits for a visible element whose text matches a regular expression, in any case; "": any text.
func (p *tab) await(selector, text string) {
	p.Helper()
	p.do("wait", element{Selector: selector, Text: text})
}

// awaitNone waits until no such element is visible.
func (p *tab) awaitNone(selector, text string) {
	p.Helper()
	p.do("wait", element{selector, text, true})
}

// has reports whether there is such an element now.
func (p *tab) has(selector, text string) bool {
	p.Helper()
	return p.count(selector, text) > 0
}

func (p *tab) count(selector, text string) (n int) {
	p.Helper()
	p.do("count", element{Selector: selector, Text: text}, &n)
	return n
}

func (p *tab) text(selector string) (text string) {
	p.Helper()
	p.do("text", element{Selector: selector}, &text)
	return text
}

func (p *tab) value(selector string) (text string) {
	p.Helper()
	p.do("value", element{Selector: selector}, &text)
	return text
}

// click clicks an element whose text matches a regular expression, in any case; "": any text.
func (p *tab) click(selector, text string) {
	p.Helper()
	p.do("click", element{Selector: selector, Text: text})
}

func (p *tab) fill(selector, text string) {
	p.Helper()
	p.do("fill", element{Selector: selector, Text: text})
}

func (p *tab) focus(selector, text string) {
	p.Helper()
	p.do("focus", element{Selector: selector, Text: text})
}

// press presses a key, such as Tab or Shift+Tab.
func (p *tab) press(key string) {
	p.Helper()
	p.do("press", element{Text: key})
}

// run returns the value of an expression in JavaScript.
func (p *tab) run(script string) (value any) {
	p.Helper()
	p.do("run", map[string]string{"script": script}, &value)
	return value
}

// until waits until an expression in JavaScript is true.
func (p *tab) until(script string) {
	p.Helper()
	p.do("until", map[string]string{"script": script})
}

func (p *tab) resize(width int) {
	p.Helper()
	p.do("size", map[string]int{"width": width, "height": 800})
}

func (p *tab) setDark(dark bool) {
	p.Helper()
	p.do("media", map[string]string{"colorScheme": map[bool]string{true: "dark", false: "light"}[dark]})
}

// wantAccessible lets axe-core check the page.
func (p *tab) wantAccessible(what string) {
	p.Helper()
	var violations []string
	p.do("axe", nil, &violations)
	if len(violations) > 0 {
		p.Errorf("%s, %s: axe finds\n%s", p.url(), what, strings.Join(violations, "\n"))
	}
}

// wantNoSidewaysScrolling requires that the page is not wider than the window.
func (p *tab) wantNoSidewaysScrolling(what string) {
	p.Helper()
	wide := p.run(`(() => {
		const page = document.scrollingElement;
		if (page.scrollWidth <= innerWidth) return null;
		const out = [...document.body.querySelectorAll("*")].filter((e) => e.getBoundingClientRect().right > innerWidth + 1);
		return page.scrollWidth + " px instead of " + innerWidth + ": " + out.slice(-3).map((e) => e.outerHTML.slice(0, 200)).join("\n");
	})()`)
	if wide != nil {
		p.Errorf("%s, %s: the page scrolls sideways, %v", p.url(), what, wide)
	}
}

// wantNoProblems requires that none of the problems of dashboard.mjs happened that the test does not
// expect.
func (p *tab) wantNoProblems(expected ...string) {
	p.Helper()
	var problems []string
	p.do("problems", nil, &problems)
	problems = slices.DeleteFunc(problems, func(problem string) bool {
		return slices.ContainsFunc(expected, func(text string) bool { return strings.Contains(problem, text) })
	})
	if len(problems) > 0 {
		p.Errorf("%s:\n%s", p.url(), strings.Join(problems, "\n"))
	}
}
