// Package control defines what operators put in force against the CDN: at most one pinned content,
// and flags that are forced to a value. Each has an end, a reason, and the name of who did it.
//
// A [Control] is stored under one key of Redis, as a line with its seq and a line of JSON:
//
//	1767225600000
//	{"pin":{"rev":…,"hash":…,"by":…,"reason":…,"since":…,"until":…},
//	 "forced":[{"flag":…,"value":{"b":true},"by":…,"reason":…,"since":…,"until":…},…],"after":…}
//
// The JSON has no white space, and what is absent has no member. A value has the form of
// config JSON v6: {"b":true}, {"s":"text"}, {"i":1} or {"d":0.5}. The parser is strict and bounded:
// parsing and appending returns the same bytes.
//
// The package has no state and does no I/O.
package control

import (
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/internal/wire"
)

const (
	// MaxSeq is the greatest seq that is not malformed: a higher one must stay possible.
	MaxSeq = wire.MaxRev - 1_000_000
	// MaxForced is the greatest number of forced flags.
	MaxForced = 32
	// MaxDuration is the longest time for which a pin or a force can be in force.
	MaxDuration = 7 * 24 * time.Hour
	// MaxByBytes is the greatest length of Order.By.
	MaxByBytes = 64
	// MaxReasonBytes is the greatest length of Order.Reason.
	MaxReasonBytes = 200
	// MaxFlagBytes is the greatest length of the key of a forced flag.
	MaxFlagBytes = 1024
	// MaxTextBytes is the greatest length of a string to which a flag is forced.
	MaxTextBytes = 64 << 10
	// MaxBytes is the greatest size of a stored Control.
	MaxBytes = 256 << 10
)

// Control is what is in force. It is not changed in place: With and Without return copies.
type Control struct {
	// Seq orders controls. It has the form of a rev (see package wire) and rises with every change.
	Seq int64
	// After is the seq of the control that this one replaced; 0: there was none. If that is lower than the one that was
	// in force, Redis had lost the latter, and who gave the order did not know of it.
	After int64
	Pin   *Pin
	// Forced is sorted by flag.
	Forced []Force
}

// Order is what a pin and a force have in common.
type Order struct {
	By     string `json:"by"`     // who gave the order
	Reason string `json:"reason"` // why
	Since  int64  `json:"since"`  // Unix ms, by Redis's clock
	Until  int64  `json:"until"`  // Unix ms: it is in force before that time
}

// Pin replaces the content of the CDN.
type Pin struct {
	// Rev is the rev of the pinned content when it was in force, or 0 for content that was not.
	Rev int64 `json:"rev"`
	// Hash is the [wire.ContentHash] of the pinned content, which is stored under another key.
	Hash string `json:"hash"`
	Order
}

// Force makes a flag serve a value.
type Force struct {
	Flag  string // its key
	Value evaluate.Value
	Order
}

// InForce returns what is in force at a time in Unix ms, with the same seq. A nil Control is one
// with nothing in force.
func (c *Control) InForce(now int64) *Control {
	current := &Control{}
	if c == nil {
		return current
	}
	current.Seq = c.Seq
	if c.Pin != nil && now < c.Pin.Until {
		current.Pin = c.Pin
	}
	for _, f := range c.Forced {
		if now < f.Until {
			current.Forced = append(current.Forced, f)
		}
	}
	return current
}

// Empty reports whether nothing is in force.
func (c *Control) Empty() bool { return c == nil || c.Pin == nil && len(c.Forced) == 0 }

// FirstEnd returns when the first pin or force ends, in Unix ms, or 0 if the Control is empty.
func (c *Control) FirstEnd() int64 {
	if c.Empty() {
		return 0
	}
	end := wire.MaxRev
	if c.Pin != nil {
		end = c.Pin.Until
	}
	for _, f := range c.Forced {
		end = min(end, f.Until)
	}
	return end
}

// With returns a copy in which a flag is forced, instead of an earlier force of the flag.
func (c *Control) With(f Force) *Control {
	changed := c.Without(f.Flag)
	at, _ := changed.find(f.Flag)
	changed.Forced = slices.Insert(changed.Forced, at, f)
	return changed
}

// Unpinned returns a copy without the pin. A nil Control is one with nothing in force.
func (c *Control) Unpinned() *Control {
	changed := &Control{}
	if c != nil {
		*changed = *c
		changed.Pin = nil
	}
	return changed
}

// Merged returns a copy with the orders of lost for which c has none. Lost is a control that Redis had lost when c was
// ordered.
func (c *Control) Merged(lost *Control) *Control {
	merged := *c
	if merged.Pin == nil {
		merged.Pin = lost.Pin
	}
	for _, f := range lost.Forced {
		if _, found := merged.find(f.Flag); !found && len(merged.Forced) < MaxForced {
			merged = *merged.With(f)
		}
	}
	return &merged
}

// Without returns a copy in which a flag is not forced.
func (c *Control) Without(flag string) *Control {
	changed := &Control{}
	if c == nil {
		return changed
	}
	*changed = *c
	changed.Forced = slices.Clone(c.Forced)
	if at, found := changed.find(flag); found {
		changed.Forced = slices.Delete(changed.Forced, at, at+1)
	}
	return changed
}

func (c *Control) find(flag string) (at int, found bool) {
	return slices.BinarySearchFunc(c.Forced, flag, func(f Force, flag string) int { return strings.Compare(f.Flag, flag) })
}

// Validate returns a [*wire.ParseError] that names the first invalid part, or nil.
func (c *Control) Validate() error {
	if !wire.ValidRev(c.Seq) || c.Seq > MaxSeq {
		return malformed("seq", "not a rev")
	}
	if c.After != 0 && !wire.ValidRev(c.After) {
		return malformed("after", "not a rev")
	}
	if c.Pin != nil {
		if err := c.Pin.Validate(); err != nil {
			return err
		}
	}
	if len(c.Forced) > MaxForced {
		return malformed("forced", "more than 32 flags")
	}
	for i := range c.Forced {
		if i > 0 && c.Forced[i-1].Flag >= c.Forced[i].Flag {
			return malformed("forced", "not sorted by flag, or a duplicate flag")
		}
		if err := c.Forced[i].Validate(); err != nil {
			return err
		}
	}
	if c.size() > MaxBytes {
		return malformed("", "over the size limit")
	}
	return nil
}

// Validate is like [Control.Validate].
func (p *Pin) Validate() error {
	switch {
	case p.Rev != 0 && !wire.ValidRev(p.Rev):
		return malformed("rev", "not a rev")
	case !validHash(p.Hash):
		return malformed("hash", "not a content hash")
	}
	return p.Order.Validate()
}

func validHash(hash string) bool {
	return len(hash) == 64 && strings.Trim(hash, "0123456789abcdef") == ""
}

// Validate is like [Control.Validate].
func (f *Force) Validate() error {
	if fault := textFault(f.Flag, MaxFlagBytes, true); fault != "" {
		return malformed("flag", fault)
	}
	switch f.Value.Kind() {
	case evaluate.KindNone:
		return malformed("value", "missing")
	case evaluate.KindString:
		if fault := textFault("x"+f.Value.String(), 1+MaxTextBytes, true); fault != "" {
			return malformed("value", fault)
		}
	case evaluate.KindInt:
		if n := f.Value.Int(); n < -maxInteger || n > maxInteger {
			return malformed("value", "beyond the range of whole numbers")
		}
	case evaluate.KindFloat:
		if n := f.Value.Float(); n-n != 0 {
			return malformed("value", "not a finite number")
		}
	}
	return f.Order.Validate()
}

// maxInteger is the greatest whole number of a config JSON.
const maxInteger = 1<<53 - 1

// Validate is like [Control.Validate].
func (o *Order) Validate() error {
	if fault := textFault(o.By, MaxByBytes, false); fault != "" {
		return malformed("by", fault)
	}
	if fault := textFault(o.Reason, MaxReasonBytes, false); fault != "" {
		return malformed("reason", fault)
	}
	switch {
	case !wire.ValidRev(o.Since):
		return malformed("since", "not a time in Unix ms")
	case !wire.ValidRev(o.Until):
		return malformed("until", "not a time in Unix ms")
	case o.Until <= o.Since:
		return malformed("until", "not after since")
	case o.Until-o.Since > MaxDuration.Milliseconds():
		return malformed("until", "more than 7 days after since")
	}
	return nil
}

// textFault returns what is wrong with a string that must have one to limit bytes.
func textFault(s string, limit int, lines bool) string {
	switch {
	case strings.TrimSpace(s) == "" && (s == "" || !lines):
		return "missing"
	case len(s) > limit:
		return "over the size limit"
	case !utf8.ValidString(s):
		return "invalid UTF-8"
	case !lines && strings.ContainsFunc(s, func(r rune) bool { return unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp) }):
		return "a control character"
	}
	return ""
}

func malformed(part, reason string) error {
	return &wire.ParseError{Format: "control", Part: part, Reason: reason}
}
