package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/answers"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/localcdn"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/terminal"
)

// change is the distribution of one content to the followers: the CDN's, or what an operator made of it.
type change struct {
	before, after *localcdn.Content // before is nil for the first content, and until a follower has after
	at            time.Time         // when the CDN started to serve it, or it was ordered
	untimed       bool              // another process ordered it, so at is unknown
	took          map[*reader]time.Duration
	late          bool // the delay was shown
}

// lateAfter is when the demo shows that a change is still in progress.
const lateAfter = 2 * time.Second

// publish makes the CDN serve new content, and requests a poll as a webhook does.
func (d *demo) publish(content *localcdn.Content) {
	d.supersede(d.pending)
	d.warnBroken(content)
	d.pending = &change{after: content, at: time.Now(), took: map[*reader]time.Duration{}}
	d.cdn.Publish(content)
	d.askToPoll()
}

// supersede shows that c, which may be nil, has been replaced.
func (d *demo) supersede(c *change) {
	if c != nil {
		d.screen.eventf("superseded before it reached all followers: %s", c.reached(d.readers))
	}
}

func (d *demo) warnBroken(content *localcdn.Content) {
	for _, flag := range content.Config.BrokenFlags() {
		d.screen.event(terminal.Paint(terminal.Yellow, fmt.Sprintf("the flag %s has an error: %v", flag.Key, flag.Err)))
	}
}

const askTimeout = 2 * time.Second

// askToPoll requests a poll from any running leader, which passes it on to the one that leads.
func (d *demo) askToPoll() {
	for _, n := range d.leaders {
		if n.killed {
			continue
		}
		d.wg.Go(func() {
			ctx, cancel := context.WithTimeout(d.ctx, askTimeout)
			defer cancel()
			if err := n.leader.RequestRefresh(ctx, keyName); err != nil && d.ctx.Err() == nil {
				d.screen.eventf("requesting a poll failed: %v", err)
			}
		})
		return
	}
}

// arrived records that a follower has the content, and shows the change once all have it.
func (d *demo) arrived(a arrival) {
	c := d.announced(a)
	if c == nil {
		c = d.unannounced(a)
	}
	if c == nil {
		return
	}
	if len(c.took) == 0 {
		c.before, d.latest = d.latest, c.after
	}
	if _, known := c.took[a.reader]; known {
		return
	}
	c.took[a.reader] = a.at.Sub(c.at)
	if len(c.took) == len(d.readers) {
		d.finish(c)
	}
}

// announced returns the change in progress to the follower's config, or nil.
func (d *demo) announced(a arrival) *change {
	for _, c := range []*change{d.ordered, d.pending} {
		if c != nil && a.config.Equal(c.after.Config) {
			return c
		}
	}
	return nil
}

func (d *demo) finish(c *change) {
	d.watchLeaders() // show its leader first
	headline := "the config changed"
	if c == d.ordered {
		d.ordered = nil
		d.orders++
		headline = d.headline(c)
	} else {
		d.pending = nil
		d.changes++
	}
	if c.before == nil {
		d.screen.eventf("every follower has the config, %s after the start", duration(c.slowest()))
		return
	}
	var lines []terminal.Styled
	for _, line := range append(c.describe(d.users), c.reached(d.readers)) {
		lines = append(lines, terminal.Sprintf("%s", line))
	}
	d.screen.event(terminal.Paint(terminal.Bold, headline), lines...)
}

func (c *change) reached(readers []*reader) string {
	if c.untimed && len(c.took) == len(readers) {
		return "reached " + count(len(readers), "follower")
	}
	var parts []string
	for _, r := range readers {
		if took, ok := c.took[r]; ok && c.untimed {
			parts = append(parts, r.name)
		} else if ok {
			parts = append(parts, r.name+" in "+duration(took))
		} else {
			parts = append(parts, r.name+" not yet")
		}
	}
	if len(parts) > shownReader {
		text := fmt.Sprintf("reached %s; %d more", strings.Join(parts[:shownReader], ", "), len(readers)-shownReader)
		if !c.untimed {
			text += ", all within " + duration(c.slowest())
		}
		if missing := len(readers) - len(c.took); missing > 0 {
			text += fmt.Sprintf("; %d not yet", missing)
		}
		return text
	}
	return "reached " + strings.Join(parts, ", ")
}

func (c *change) slowest() time.Duration {
	slowest := time.Duration(0)
	for _, took := range c.took {
		slowest = max(slowest, took)
	}
	return slowest
}

// describe returns a line for each changed flag, with each user's old and new value.
func (c *change) describe(users []user) []string {
	type line struct {
		text  string
		users []string
	}
	var lines []*line
	byText := map[string]*line{}
	answered := map[string]bool{}
	for _, u := range users {
		before, after := answers.Of(c.before.Config, u.attributes), answers.Of(c.after.Config, u.attributes)
		for _, flag := range answers.Diff(before, after, c.after.Config.Keys()) {
			answered[flag.Key] = true
			text := flag.String()
			if byText[text] == nil {
				byText[text] = &line{text: text}
				lines = append(lines, byText[text])
			}
			byText[text].users = append(byText[text].users, u.name)
		}
	}
	var texts []string
	for _, l := range lines {
		whom := "for " + strings.Join(l.users, " and ")
		if len(l.users) == len(users) {
			whom = "for all"
		}
		texts = append(texts, l.text+"  "+whom)
	}
	for _, key := range c.rewritten() {
		if !answered[key] {
			texts = append(texts, key+": other rules, but the same values for these users")
		}
	}
	if len(texts) == 0 {
		texts = []string{"no flag changed"}
	}
	return texts
}

// rewritten returns the flags whose JSON differs.
func (c *change) rewritten() []string {
	before, after := flagsOf(c.before.JSON), flagsOf(c.after.JSON)
	var keys []string
	for _, key := range c.after.Config.Keys() {
		if old, ok := before[key]; ok && !bytes.Equal(old, after[key]) {
			keys = append(keys, key)
		}
	}
	return keys
}

// flagsOf returns each flag's JSON, without white space.
func flagsOf(config []byte) map[string]json.RawMessage {
	var parts struct {
		F map[string]json.RawMessage `json:"f"`
	}
	if json.Unmarshal(config, &parts) != nil {
		return nil
	}
	for key, flag := range parts.F {
		var compact bytes.Buffer
		if json.Compact(&compact, flag) == nil {
			parts.F[key] = compact.Bytes()
		}
	}
	return parts.F
}

// watchChange shows once that a change is delayed, and why.
func (d *demo) watchChange() {
	c := d.pending
	if c == nil || c.late || time.Since(c.at) < lateAfter {
		return
	}
	c.late = true
	switch {
	case d.hidden(c):
		d.pending = nil
		d.screen.event("the CDN serves new content; with what is in force, it changes nothing for the followers")
	case d.leading() == nil:
		d.screen.event("the CDN serves new content, but there is no leader; the next leader will fetch it")
	default:
		d.screen.eventf("the CDN serves new content, which has not yet reached %s", c.missing(d.readers))
	}
}

func (c *change) missing(readers []*reader) string {
	var names []string
	for _, r := range readers {
		if _, ok := c.took[r]; !ok {
			names = append(names, r.name)
		}
	}
	if len(names) > shownReader {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:shownReader], ", "), len(names)-shownReader)
	}
	return strings.Join(names, ", ")
}
