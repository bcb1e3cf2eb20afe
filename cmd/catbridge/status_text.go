package main

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/inspect"
)

// unknown stands where nothing is known.
const unknown = "–"

// mark says whether something is well.
func mark(ok bool) string {
	if ok {
		return "✓"
	}
	return "✗"
}

// statusText is a look as a table, and below it what is wrong and what is not known.
func statusText(report statusReport) string {
	var text strings.Builder
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	if len(report.Keys) > 0 {
		fmt.Fprintln(table, "\tNAME\tLEADER\tSINCE\tLOCK\tREV\tETAG\tCDN\tENTRY\tBLOB\tSUBS\tFLEET")
	}
	for _, k := range report.Keys {
		leader, since, lock := leaderCells(k.Leader)
		rev, etag, cdn := contentCells(k.Content)
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n",
			mark(k.OK), k.Name, leader, since, lock, rev, etag, cdn, partCell(k.Entry), partCell(k.Blob), subscribersCell(k.Subscribers), fleetCell(k.Fleet))
	}
	_ = table.Flush()
	for _, k := range report.Keys {
		for _, fault := range k.Faults {
			fmt.Fprintf(&text, "%s %s: %s\n", mark(false), k.Name, fault)
		}
		if k.Fleet != nil {
			for _, l := range k.Fleet.Laggards {
				fmt.Fprintf(&text, "↓ %s: %s (version %s, %s) has rev %d, hash %s; reported %v ago\n", k.Name, l.ID, l.Version, l.State, l.Rev, l.Hash, age(l.Heard))
			}
		}
		for _, remark := range k.Remarks {
			fmt.Fprintf(&text, "%s %s: %s\n", unknown, k.Name, remark)
		}
	}
	return text.String()
}

func leaderCells(l *inspect.Leader) (id, since, lock string) {
	if l == nil {
		return unknown, unknown, unknown
	}
	lock = unknown
	if l.Left != nil {
		lock = fmt.Sprintf("%.1fs", *l.Left)
	}
	return shortened(plain(l.ID), 8), age(l.Leads).String(), lock
}

func contentCells(c *inspect.Content) (rev, etag, cdn string) {
	if c == nil || c.Rev == 0 {
		return unknown, unknown, unknown
	}
	cdn = unknown
	if c.Age != nil {
		cdn = fmt.Sprintf("%v/%v", age(*c.Age), age(c.Poll))
	}
	return fmt.Sprint(c.Rev), shortened(plain(c.ETag), 20), cdn
}

func partCell(p *inspect.Part) string {
	switch {
	case p == nil:
		return unknown
	case p.State == inspect.Missing:
		return string(p.State)
	}
	return fmt.Sprintf("%s %s", p.State, size(p.Bytes))
}

func subscribersCell(n *int64) string {
	if n == nil {
		return unknown
	}
	return fmt.Sprint(*n)
}

func fleetCell(f *inspect.Fleet) string {
	if f == nil || f.Following+f.Silent == 0 {
		return unknown
	}
	var cell strings.Builder
	fmt.Fprintf(&cell, "%d of %d", f.Current, f.Following)
	for _, other := range []struct {
		n    int
		what string
	}{{f.Behind, "behind"}, {f.Pending, "pending"}, {f.Silent, "silent"}} {
		if other.n > 0 {
			fmt.Fprintf(&cell, ", %d %s", other.n, other.what)
		}
	}
	return cell.String()
}

// age is a number of seconds, as exact as a reader needs it.
func age(seconds float64) time.Duration {
	d := time.Duration(seconds * float64(time.Second))
	switch {
	case d < 10*time.Second:
		return d.Round(100 * time.Millisecond)
	case d < time.Hour:
		return d.Round(time.Second)
	}
	return d.Round(time.Minute)
}

func size(n int) string {
	if n < 10_000 {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%d KB", (n+500)/1000)
}

func shortened(s string, most int) string {
	runes := []rune(s)
	if len(runes) <= most {
		return s
	}
	return string(runes[:most-1]) + "…"
}

// plain makes a text of others safe for a terminal and for one cell of a table.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, s)
}
