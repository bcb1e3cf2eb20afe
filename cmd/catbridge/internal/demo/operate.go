package demo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/localcdn"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/redisurl"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/terminal"
	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/history"
	"github.com/catbridge/catbridge/internal/control"
	operators "github.com/catbridge/catbridge/leader/control"
)

const (
	forceTime   = 10 * time.Minute
	forceReason = "trial"
	// shownVersions is the number of configs in the demo's history.
	shownVersions = 5
)

// headlines says what happened when an operator changed the config.
var headlines = map[history.Cause]string{
	history.Pin:       "an operator pinned a config",
	history.Force:     "an operator forced a flag",
	history.Withdrawn: "an operator withdrew what was in force",
	history.Expired:   "what an operator put in force has ended",
}

// forceOrWithdraw withdraws one force, or the pin, or else forces a flag, as the commands do.
func (d *demo) forceOrWithdraw() {
	err := d.operate(func(c *operators.Controls) (change *operators.Change, command string, err error) {
		switch {
		case len(c.Forced) > 0:
			return d.unforce(c, c.Forced[0].Flag)
		case c.Pinned != nil:
			change, err = c.Unpin()
			return change, "unpin", err
		}
		return d.force(c)
	})
	if err != nil && d.ctx.Err() == nil {
		d.screen.event(terminal.Paint(terminal.Red, "nothing was put in force or withdrawn"), terminal.Sprintf("%v", redisurl.Explain(err)))
	}
}

func (d *demo) force(c *operators.Controls) (*operators.Change, string, error) {
	flag, value, ok := d.forceable()
	if !ok {
		return nil, "", errors.New("the config has no flag that could be forced")
	}
	change, err := c.Force(flag, value, operators.Order{By: "demo", Reason: forceReason, For: forceTime})
	return change, forceCommand(flag, value), err
}

func (d *demo) unforce(c *operators.Controls, flag string) (*operators.Change, string, error) {
	change, err := c.Unforce(flag)
	return change, "unforce " + quote(flag), err
}

// forceable returns a flag of the config that the CDN serves, and another value for it.
func (d *demo) forceable() (flag string, value evaluate.Value, ok bool) {
	content := d.cdn.Current()
	_, flags, err := takeApart(content.JSON)
	if err != nil {
		return "", evaluate.Value{}, false
	}
	flag, value, err = choose(content.JSON, flags)
	return flag, value, err == nil && slices.Contains(content.Config.Keys(), flag)
}

func forceCommand(flag string, value evaluate.Value) string {
	return fmt.Sprintf("force %s %s --for %dm --reason %s", quote(flag), quote(valueText(value)), int(forceTime.Minutes()), forceReason)
}

func valueText(v evaluate.Value) string {
	if v.Kind() == evaluate.KindFloat {
		return strconv.FormatFloat(v.Float(), 'g', -1, 64)
	}
	return fmt.Sprint(v.Any())
}

// quote quotes an argument for a shell if that is necessary.
func quote(argument string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:", r)
	}
	if argument != "" && !strings.ContainsFunc(argument, func(r rune) bool { return !plain(r) }) {
		return argument
	}
	return "'" + strings.ReplaceAll(argument, "'", `'\''`) + "'"
}

const operateTimeout = 2 * time.Second

// operate writes a change of what is in force. plan also returns the command that does the same.
func (d *demo) operate(plan func(*operators.Controls) (*operators.Change, string, error)) error {
	ctx, cancel := context.WithTimeout(d.ctx, operateTimeout)
	defer cancel()
	controls, err := operators.Read(ctx, d.operator, d.sdkKey, d.redis.Namespace())
	if err != nil {
		return err
	}
	written, command, err := plan(controls)
	if err != nil {
		return err
	}
	began := time.Now()
	if err := written.Apply(ctx); err != nil {
		return err
	}
	lines := []terminal.Styled{}
	if d.leading() == nil {
		lines = append(lines, "There is no leader now: the next one acts on it.")
	}
	d.screen.event(terminal.Sprintf("as an operator: %s %s", d.o.Program, command), lines...)
	if written.After == nil {
		return nil
	}
	after, err := localcdn.NewContent(written.After)
	if err != nil {
		return err
	}
	if d.latest != nil && d.latest.Hash == after.Hash {
		d.screen.event("no flag changes")
		return nil
	}
	d.order(&change{after: after, at: began})
	return nil
}

// order makes c the change in progress of what operators put in force.
func (d *demo) order(c *change) {
	d.supersede(d.ordered)
	if d.pending != nil && len(d.pending.took) > 0 {
		d.supersede(d.pending)
		d.pending = nil
	}
	c.took = map[*reader]time.Duration{}
	d.ordered = c
}

// unannounced returns the change that brought a config that the demo did not announce to a follower.
// It is the first follower with that config. The result is nil if the config is already replaced.
func (d *demo) unannounced(a arrival) *change {
	content, ok := a.reader.Content()
	if !ok || !content.Config.Equal(a.config) {
		return nil
	}
	ctx, cancel := context.WithTimeout(d.ctx, operateTimeout)
	defer cancel()
	h, err := history.Read(ctx, d.operator, d.sdkKey, d.redis.Namespace())
	if err != nil || len(h.Versions) == 0 || h.Versions[0].Hash != content.Hash {
		return nil
	}
	after, err := localcdn.NewContent(content.JSON)
	if err != nil {
		return nil
	}
	newest := h.Versions[0]
	switch {
	case headlines[newest.Cause] != "":
		d.order(&change{after: after, untimed: true})
		return d.ordered
	case d.pending != nil && len(d.pending.took) == 0 && control.IsETag(newest.ETag, newest.Hash):
		d.pending.after = after // what the CDN serves, with what is in force
		return d.pending
	}
	return nil
}

// headline says what an operator did, as the history notes it.
func (d *demo) headline(c *change) string {
	ctx, cancel := context.WithTimeout(d.ctx, operateTimeout)
	defer cancel()
	if h, err := history.Read(ctx, d.operator, d.sdkKey, d.redis.Namespace()); err == nil {
		for _, v := range h.Versions {
			if v.Hash == c.after.Hash && headlines[v.Cause] != "" {
				return headlines[v.Cause]
			}
		}
	}
	return "an operator changed what is in force"
}

// hidden reports whether the CDN's new content makes no difference to the followers.
func (d *demo) hidden(c *change) bool {
	ctx, cancel := context.WithTimeout(d.ctx, operateTimeout)
	defer cancel()
	controls, err := operators.Read(ctx, d.operator, d.sdkKey, d.redis.Namespace())
	return err == nil && controls.Applied && len(c.took) == 0 && d.latest != nil &&
		string(controls.Source()) == string(c.after.JSON) && string(controls.Current()) == string(d.latest.JSON)
}

// versions prints the newest part of the history.
func (d *demo) versions() {
	ctx, cancel := context.WithTimeout(d.ctx, operateTimeout)
	defer cancel()
	h, err := history.Read(ctx, d.operator, d.sdkKey, d.redis.Namespace())
	if err != nil {
		if d.ctx.Err() == nil {
			d.screen.eventf("reading the history failed: %v", redisurl.Explain(err))
		}
		return
	}
	var lines []terminal.Styled
	for i, v := range h.Versions[:min(len(h.Versions), shownVersions)] {
		line := fmt.Sprintf("%s  %.8s  %-9s  %s", v.Time.Local().Format("15:04:05"), v.Hash, v.Cause, flagsChanged(h, i))
		lines = append(lines, terminal.Sprintf("%s", strings.TrimRight(line, " ")))
	}
	d.screen.event(terminal.Sprintf("%s history says:", d.o.Program), lines...)
}

// flagsChanged names the flags that a version changed.
func flagsChanged(h *history.History, i int) string {
	if i+1 >= len(h.Versions) {
		return ""
	}
	var configs [2]*evaluate.Config
	for n := range configs {
		json, err := h.Content(i + n)
		if err != nil {
			return ""
		}
		if configs[n], err = evaluate.Parse(json); err != nil {
			return ""
		}
	}
	var keys []string
	for _, difference := range evaluate.Diff(configs[1], configs[0]) {
		if difference.Flag != "" {
			keys = append(keys, difference.Flag)
		}
	}
	return clip(strings.Join(keys, ", "), 40)
}
