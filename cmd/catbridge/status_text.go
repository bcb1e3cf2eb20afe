package main

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/inspect"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/orders"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/terminal"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/words"
)

const unknown = words.Unknown

func mark(ok bool) terminal.Styled {
	if ok {
		return terminal.Paint(terminal.Green, "✓")
	}
	return terminal.Paint(terminal.Red, "✗")
}

// The columns of names, which are shortened to fit the table into the width.
const (
	nameColumn   = 0
	leaderColumn = 1
	leastColumn  = 6
)

var statusHead = []string{"NAME", "LEADER", "SINCE", "LOCK", "REV", "CDN", "ENTRY", "BLOB", "SUBS", "FLEET"}

// statusText returns the database and the namespace, a table of at most the given width, and the
// faults and unknown values.
func statusText(report statusReport, width int) []terminal.Styled {
	var lines []terminal.Styled
	if place := statusPlace(report); place != "" {
		lines = append(lines, terminal.Sprintf("  %s", place))
	}
	if len(report.Keys) > 0 {
		lines = append(lines, statusTable(report.Keys, width)...)
	}
	for _, k := range report.Keys {
		for _, fault := range k.Faults {
			lines = append(lines, terminal.Sprintf("%s %s: %s", mark(false), k.Name, fault))
		}
		if k.Control != nil {
			for _, line := range orders.Lines(k.Control) {
				lines = append(lines, terminal.Sprintf("%s %s: %s", terminal.Paint(terminal.Yellow, "!"), k.Name, line))
			}
		}
		if f := k.Fleet; f != nil {
			if others := words.Others(f); others != "" {
				lines = append(lines, terminal.Sprintf("%s %s: of the followers that report, %s", unknown, k.Name, others))
			}
			for _, l := range f.Laggards {
				lines = append(lines, terminal.Sprintf("%s %s: %s (version %s, %s) has rev %d, hash %s; reported %v ago",
					terminal.Paint(terminal.Yellow, "↓"), k.Name, l.ID, l.Version, l.State, l.Rev, l.Hash, words.Age(l.Reported)))
			}
		}
		for _, remark := range k.Remarks {
			lines = append(lines, terminal.Sprintf("%s %s: %s", unknown, k.Name, remark))
		}
	}
	return lines
}

// statusPlace names the database and the namespace. It is empty for database 0 without a namespace.
func statusPlace(report statusReport) string {
	var parts []string
	if report.DB != 0 {
		parts = append(parts, fmt.Sprintf("database %d", report.DB))
	}
	if report.Namespace != "" {
		parts = append(parts, "namespace "+report.Namespace)
	}
	return strings.Join(parts, ", ")
}

func statusTable(keys []inspect.Key, width int) []terminal.Styled {
	rows := [][]string{statusHead}
	for _, k := range keys {
		leader, since, lock := leaderCells(k.Leader)
		rev, cdn := contentCells(k.Content)
		rows = append(rows, []string{
			terminal.Clean(k.Name), terminal.Clean(leader), since, lock, rev, cdn,
			partCell(k.Entry), partCell(k.Blob), subscribersCell(k.Subscribers), fleetCell(k.Fleet),
		})
	}
	widths := columnWidths(rows, width-2)
	var lines []terminal.Styled
	for i, row := range rows {
		var line strings.Builder
		for column, cell := range row {
			cell = shortened(cell, widths[column])
			line.WriteString(cell + strings.Repeat(" ", 2+widths[column]-utf8.RuneCountInString(cell)))
		}
		text := strings.TrimRight(line.String(), " ")
		if i == 0 {
			lines = append(lines, terminal.Sprintf("  %s", terminal.Paint(terminal.Bold, text)))
		} else {
			lines = append(lines, terminal.Sprintf("%s %s", mark(keys[i-1].OK), text))
		}
	}
	return lines
}

// columnWidths returns the width of each column's longest cell. If their sum exceeds most, it
// reduces the wider one of the columns of names.
func columnWidths(rows [][]string, most int) []int {
	widths := make([]int, len(rows[0]))
	total := 2 * (len(widths) - 1)
	for column := range widths {
		for _, row := range rows {
			widths[column] = max(widths[column], utf8.RuneCountInString(row[column]))
		}
		total += widths[column]
	}
	for ; total > most; total-- {
		longer := &widths[nameColumn]
		if widths[leaderColumn] > *longer {
			longer = &widths[leaderColumn]
		}
		if *longer <= leastColumn {
			break
		}
		*longer--
	}
	return widths
}

func leaderCells(l *inspect.Leader) (who, since, lock string) {
	if l == nil {
		return unknown, unknown, unknown
	}
	lock = unknown
	if l.Left != nil {
		lock = fmt.Sprintf("%.1fs", *l.Left)
	}
	who = l.Host
	if who == "" {
		who = "…" + l.ID[max(0, len(l.ID)-8):]
	}
	return who, words.Brief(l.Leads), lock
}

func contentCells(c *inspect.Content) (rev, cdn string) {
	if c == nil || c.Rev == 0 {
		return unknown, unknown
	}
	cdn = unknown
	if c.Age != nil {
		cdn = fmt.Sprintf("%s/%s", words.Brief(*c.Age), words.Brief(c.Poll))
	}
	return fmt.Sprint(c.Rev), cdn
}

func partCell(p *inspect.Part) string {
	switch {
	case p == nil:
		return unknown
	case p.State == inspect.Matches:
		return words.Size(p.Bytes)
	}
	return string(p.State)
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
	return fmt.Sprintf("%d of %d", f.Current, f.Following)
}

func shortened(s string, most int) string {
	runes := []rune(s)
	if len(runes) <= most {
		return s
	}
	return string(runes[:most-1]) + "…"
}
