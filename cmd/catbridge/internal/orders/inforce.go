package orders

import (
	"fmt"
	"strings"
	"time"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/inspect"
	"github.com/catbridge/catbridge/leader/control"
)

// InForce returns what is in force as catbridge status shows it.
func InForce(c *control.Controls) inspect.Control {
	in := inspect.Control{Applied: c.Applied, Forced: []inspect.Force{}}
	if p := c.Pinned; p != nil {
		in.Pin = &inspect.Pin{Rev: p.Rev, Hash: p.Hash, Order: inspect.Order(p.InForce)}
	}
	for _, f := range c.Forced {
		in.Forced = append(in.Forced, inspect.Force{Flag: f.Flag, Value: f.Value.Any(), Suspended: f.Suspended, Order: inspect.Order(f.InForce)})
	}
	return in
}

// Faults returns what is wrong with what Redis has.
func Faults(c *control.Controls) (faults []string) {
	if c.Lost != nil {
		faults = append(faults, fmt.Sprintf("Redis has lost what operators put in force; a leader that acted on it writes it again: %v", c.Lost))
	}
	if c.PinnedLost != nil {
		faults = append(faults, fmt.Sprintf("a leader that acted on the pin writes its config again; otherwise pin it again, or withdraw the pin: %v", c.PinnedLost))
	}
	return faults
}

// Standing says whether the leader acts on what is in force; empty: it does, and something is. doubtful
// reports whether it does not, or not yet.
func Standing(c *control.Controls) (text string, doubtful bool) {
	nothing := c.Pinned == nil && len(c.Forced) == 0 && len(Faults(c)) == 0
	switch {
	case c.Earlier:
		return "the leader has an earlier version, and acts on no pin and no force: upgrade all leader processes", true
	case nothing && c.Applied:
		return "nothing is in force", false
	case nothing:
		return "nothing is in force any more, but the leader has not acted yet", true
	case !c.Applied && c.Lost == nil:
		return "the leader has not acted on this yet", true
	}
	return "", false
}

// Lines describes each pin and force, on a line.
func Lines(c *inspect.Control) (lines []string) {
	if c.Pin != nil {
		lines = append(lines, "pinned "+Pin(c.Pin))
	}
	for _, f := range c.Forced {
		line := fmt.Sprintf("forced %s to %s %s", f.Flag, ForcedValue(f.Value), describe(f.Order))
		if f.Suspended != "" {
			line += "; suspended: " + f.Suspended
		}
		lines = append(lines, line)
	}
	return lines
}

// ForcedValue returns a value as it is shown: text is quoted, and cut.
func ForcedValue(value any) string {
	if text, ok := value.(string); ok {
		return fmt.Sprintf("%.100q", text)
	}
	return fmt.Sprint(value)
}

// Pin describes a pin.
func Pin(p *inspect.Pin) string {
	rev := ""
	if p.Rev != 0 {
		rev = fmt.Sprintf(", rev %d,", p.Rev)
	}
	return fmt.Sprintf("%.8s%s %s", p.Hash, rev, describe(p.Order))
}

func describe(o inspect.Order) string {
	return fmt.Sprintf("until %s by %s: %s", o.Until.Format(time.RFC3339), o.By, o.Reason)
}

// Notes says what a pin replaces, and what stays in force beside it.
func Notes(c *control.Controls) (notes []string) {
	if p := InForce(c).Pin; p != nil {
		notes = append(notes, "it replaces the pin "+Pin(p))
	}
	if len(c.Forced) > 0 {
		var flags []string
		for _, f := range c.Forced {
			flags = append(flags, f.Flag)
		}
		notes = append(notes, "flags that stay forced: "+strings.Join(flags, ", "))
	}
	return notes
}

// sdkRecently is how long after an official SDK overwrote the entry an order warns of it.
const sdkRecently = time.Hour

// OnlineSDK warns if an official SDK that is not offline has overwritten the entry recently. Otherwise it
// returns an empty string.
func OnlineSDK(c *control.Controls) string {
	if c.Overwritten.IsZero() || c.Now.Sub(c.Overwritten) >= sdkRecently {
		return ""
	}
	return fmt.Sprintf("an official SDK that is not offline overwrote the entry %v ago: it follows the CDN, and not what is in force here; set it to offline",
		max(0, c.Now.Sub(c.Overwritten)).Round(time.Second))
}
