package ui

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"math"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/observe"
)

//go:embed templates/*.html
var templateFiles embed.FS

// templates are the parsed pages by the name of their file. Each has layout.html and all files
// whose name starts with part_.
type templates map[string]*template.Template

func parseTemplates(files assets) (templates, error) {
	base, err := template.New("layout.html").Funcs(funcs).Funcs(template.FuncMap{"asset": files.url}).ParseFS(templateFiles, "templates/layout.html", "templates/part_*.html")
	if err != nil {
		return nil, err
	}
	names, err := fs.Glob(templateFiles, "templates/*.html")
	if err != nil {
		return nil, err
	}
	all := templates{}
	for _, file := range names {
		name := path.Base(file)
		if name == "layout.html" || strings.HasPrefix(name, "part_") {
			continue
		}
		clone, err := base.Clone()
		if err == nil {
			all[name], err = clone.ParseFS(templateFiles, file)
		}
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// root is the dot of layout.html and of the main of a page.
type root struct {
	Page   pageInfo
	View   *observe.View // of the SDK key in the path; nil: the path has none
	Labels []string      // of the SDK keys that the viewer may look at
	May    mayInfo
	CSRF   string // for the function csrf
	Now    time.Time
	Data   any // of the page

	// SDK is the label of the SDK key that the navigation is for: that in the path, or the only one.
	SDK              string
	Process, Version string
	Acts             bool   // Actions are offered, or the page about them says what they need
	Flash            string // what the last form did
	Name             string // of the viewer; empty: unknown
	SignedIn         bool   // the viewer has a session, which can be ended
	Stale            bool   // the view is old, although somebody looks
}

type pageInfo struct {
	Title, Nav string
	Live       bool // it is replaced by live updates
}

type mayInfo struct {
	Read, Explain, Control bool // Control only where Actions are offered
}

// staleAge is the age of a view that a page points out, see isStale.
const staleAge = 15 * time.Second

// render writes a page, or only its content for a live update.
func (u *UI) render(w http.ResponseWriter, r *request, p *page) {
	if p.location != "" {
		u.setFlash(w, r.Request, r.who, p.flash)
		http.Redirect(w, r.Request, p.location, http.StatusSeeOther) //nolint:gosec // pages set paths of their own
		return
	}
	data := u.rootOf(r, p)
	name := "layout.html"
	if r.isFragment() {
		name = "body"
	} else if data.May.Read {
		data.Flash = u.takeFlash(w, r.Request, r.who)
	}
	var out bytes.Buffer
	if err := u.views[p.template].ExecuteTemplate(&out, name, data); err != nil {
		u.config.Logger.Error("a page cannot be rendered", "template", p.template, "error", err)
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if p.status != 0 {
		w.WriteHeader(p.status)
	}
	_, _ = w.Write(out.Bytes())
}

func (u *UI) rootOf(r *request, p *page) root {
	data := root{
		Page: pageInfo{p.title, p.nav, !p.still && r.Method == http.MethodGet}, View: r.view, Now: r.now, Data: p.data,
		May:     mayInfo{r.who.may(rightRead), r.who.may(rightExplain), r.who.may(rightControl)},
		CSRF:    r.who.formToken(),
		Process: u.config.Process, Acts: u.config.Acts && (r.who.open || r.who.may(rightControl)), Name: r.who.name, SignedIn: r.who.session,
	}
	if data.May.Read { // who may not learns nothing
		data.Labels, data.Version = r.labels(), u.config.Version
	}
	switch {
	case r.view != nil:
		data.SDK, data.Stale = r.view.Label, isStale(r.view, r.now)
	case len(data.Labels) == 1:
		data.SDK = data.Labels[0]
	}
	return data
}

// fail writes the page of an error.
func (u *UI) fail(w http.ResponseWriter, r *request, err error) {
	f, ok := errors.AsType[*failure](err)
	if !ok {
		u.config.Logger.Error("a page failed", "route", r.Pattern, "error", err)
		f = &failure{status: http.StatusInternalServerError, text: "Something went wrong. The log of this process says what."}
	}
	f.setHeaders(w.Header())
	u.render(w, r, &page{title: http.StatusText(f.status), template: "error.html", data: f.text, status: f.status, still: true})
}

// funcs are the functions of all templates. What only one page needs is computed for its data.
var funcs = template.FuncMap{
	"at":    at,
	"ago":   func(t time.Time) template.HTML { return ago(t, time.Now()) },
	"dur":   dur,
	"bytes": byteCount,
	"short": short,
	"path":  pathOf,
	"csrf":  csrfField,
}

const (
	machineTime = "2006-01-02T15:04:05.000Z"
	humanTime   = "2006-01-02 15:04:05 UTC"
)

// at shows a time in UTC; a module adds the reader's zone beside it. The zero time is shown as –.
func at(t time.Time) template.HTML {
	if t.IsZero() {
		return "–"
	}
	t = t.UTC()
	return template.HTML(fmt.Sprintf(`<time datetime="%s">%s</time>`, t.Format(machineTime), t.Format(humanTime))) //nolint:gosec // only digits
}

// ago shows how long ago a time was, with the time itself as its title.
func ago(t, now time.Time) template.HTML {
	if t.IsZero() {
		return "–"
	}
	t = t.UTC()
	text := dur(max(0, now.Sub(t))) + " ago"
	return template.HTML(fmt.Sprintf(`<time datetime="%s" title="%s">%s</time>`, t.Format(machineTime), t.Format(humanTime), text)) //nolint:gosec // only digits
}

// dur shows a duration with two units at most: 850 ms, 4.2 s, 3 min 5 s, 2 h 10 min, 4 d 3 h.
func dur(d time.Duration) string {
	units := func(big, small time.Duration, bigName, smallName string) string {
		text := fmt.Sprintf("%d %s", d/big, bigName)
		if rest := d % big / small; rest > 0 {
			text += fmt.Sprintf(" %d %s", rest, smallName)
		}
		return text
	}
	switch {
	case d < 0:
		return "-" + dur(-max(d, -math.MaxInt64))
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < 10*time.Second:
		return fmt.Sprintf("%.1f s", d.Truncate(100*time.Millisecond).Seconds())
	case d < time.Minute:
		return fmt.Sprintf("%d s", d/time.Second)
	case d < time.Hour:
		return units(time.Minute, time.Second, "min", "s")
	case d < 24*time.Hour:
		return units(time.Hour, time.Minute, "h", "min")
	}
	return units(24*time.Hour, time.Hour, "d", "h")
}

// byteCount shows a number of bytes in at most three digits.
func byteCount(n int) string {
	switch {
	case n < 1000:
		return fmt.Sprintf("%d B", n)
	case n < 999_500:
		return fmt.Sprintf("%.3g kB", float64(n)/1e3)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1e6)
}

// short returns the first 8 digits of a hash.
func short(hash string) string { return hash[:min(8, len(hash))] }

// csrfField returns the hidden field that every form needs. Its argument is the root: {{csrf $}}.
func csrfField(r root) template.HTML {
	return template.HTML(`<input type="hidden" name="csrf" value="` + template.HTMLEscapeString(r.CSRF) + `">`) //nolint:gosec // escaped
}
