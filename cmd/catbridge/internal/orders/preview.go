package orders

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/words"
	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/leader/control"
)

// Line is a line of a preview.
type Line struct {
	Text    string
	Unknown bool // the line says what is not known, or stays as it is
}

// Preview says flag by flag how a change changes the config. The error says that the new config is
// invalid.
func Preview(controls *control.Controls, change *control.Change) ([]Line, error) {
	var lines []Line
	unknown := func(format string, args ...any) { lines = append(lines, Line{fmt.Sprintf(format, args...), true}) }
	if controls.Pinned == nil && len(controls.Forced) == 0 && !controls.Applied {
		unknown("the leader has not acted yet on what was withdrawn")
	}
	switch {
	case change.After == nil:
		unknown("what changes is not known: Redis does not have the CDN's config")
		return lines, nil
	case change.Before == nil:
		unknown("what changes is not known: Redis does not have the current config")
	default:
		differences, err := difference(change.Before, change.After)
		if err != nil {
			return nil, err
		}
		lines = append(lines, differences...)
	}
	if change.Before != nil && bytes.Equal(change.Before, change.After) {
		unknown("the config stays as it is, so the history gets no entry; catbridge controls and the dashboard show what is in force")
	}
	for _, s := range change.Suspended {
		unknown("the flag %s stays as it is, though it is forced: %s", s.Flag, s.Reason)
	}
	return lines, nil
}

// difference says flag by flag how two configs differ.
func difference(before, after []byte) ([]Line, error) {
	from, err := evaluate.Parse(before)
	if err != nil {
		return []Line{{fmt.Sprintf("what changes is not known: the current config is invalid: %v", err), true}}, nil
	}
	to, err := evaluate.Reparse(from, after)
	if err != nil {
		return nil, err
	}
	var lines []Line
	for _, change := range evaluate.Diff(from, to) {
		for line := range strings.Lines(change.String()) {
			lines = append(lines, Line{Text: strings.TrimSuffix(line, "\n")})
		}
	}
	if len(lines) == 0 {
		lines = append(lines, Line{Text: words.NoDifference + " now"})
	}
	return lines, nil
}

// mostBroken is the number of broken flags that Broken names.
const mostBroken = 5

// Broken names the flags of a config that no user is served. The error says that the config is invalid.
func Broken(json []byte) ([]string, error) {
	config, err := evaluate.Parse(json)
	if err != nil {
		return nil, err
	}
	var lines []string
	broken := config.BrokenFlags()
	for i, flag := range broken {
		if i == mostBroken {
			return append(lines, fmt.Sprintf("%d more flags of the config are broken", len(broken)-mostBroken)), nil
		}
		lines = append(lines, fmt.Sprintf("the flag %s of the config is broken, and serves its default in the code: %v", flag.Key, flag.Err))
	}
	return lines, nil
}
