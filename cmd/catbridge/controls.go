package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/inspect"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/orders"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/settings"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/terminal"
	"github.com/catbridge/catbridge/leader/control"
)

const controlsLong = `controls prints what operators have put in force: the pin and the forced flags, each with its
end, who ordered it and why, and whether the leader has acted on it. NAME is the name of the
SDK key; with one SDK key it may be left out. The Redis user needs +getrange and +hmget.

With --json it prints an object with name, applied (whether the current config was made with
it), earlier (whether a leader of an earlier version leads, which acts on none of it), pin,
forced and faults. Times are by Redis's clock.

Exit codes: 0 success; 1 Redis has lost what is in force or a part of it, or does not answer;
2 wrong usage.`

func newControls() *cobra.Command {
	var (
		f       settingsFlags
		asJSON  bool
		timeout time.Duration
	)
	cmd := &cobra.Command{
		Use:     "controls [NAME]",
		Short:   "Print what operators have pinned and forced",
		Long:    controlsLong,
		Example: "  catbridge controls --config catbridge.yaml shop",
		Args:    atMost(1, "at most the name of an SDK key"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if timeout <= 0 {
				return usagef("--timeout: %v is not above zero", timeout)
			}
			s, err := f.load(cmd)
			if err != nil {
				return err
			}
			key, rest, err := selectKey(s.SDKKeys, args)
			if err != nil {
				return err
			}
			if len(rest) > 0 {
				return usagef("no SDK key has the name that is given; catbridge config print lists the names")
			}
			client := s.RedisOptions.Client()
			defer client.Close()
			ctx, cancel := context.WithTimeout(cmd.Context(), timeout)
			defer cancel()
			controls, err := control.Read(ctx, client, key.Key, s.RedisOptions.Namespace())
			if err != nil {
				return controlError(key, err)
			}
			return printControls(cmd, key, controls, asJSON)
		},
	}
	f.AnySDKKey = true // controls fetches nothing
	addHistorySettings(cmd, &f, &timeout)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func printControls(cmd *cobra.Command, key settings.SDKKey, controls *control.Controls, asJSON bool) error {
	if asJSON {
		if err := stdout(cmd).JSON().Encode(newControlsReport(key.Label(), controls)); err != nil {
			return err
		}
	} else {
		for _, line := range controlLines(key.Label(), controls) {
			if err := stdout(cmd).Linef("%s", line); err != nil {
				return err
			}
		}
	}
	if faults := orders.Faults(controls); len(faults) > 0 {
		return errFaults(len(faults))
	}
	return nil
}

// controlsReport is the output of --json.
type controlsReport struct {
	Name    string `json:"name"`
	Earlier bool   `json:"earlier"`
	inspect.Control
	Faults []string `json:"faults,omitempty"`
}

func newControlsReport(name string, c *control.Controls) controlsReport {
	return controlsReport{Name: name, Earlier: c.Earlier, Control: orders.InForce(c), Faults: orders.Faults(c)}
}

// controlLines describes what is in force, and whether the leader has acted.
func controlLines(name string, c *control.Controls) []terminal.Styled {
	var lines []terminal.Styled
	add := func(format string, args ...any) { lines = append(lines, terminal.Sprintf(format, args...)) }
	for _, fault := range orders.Faults(c) {
		add("%s %s: %s", mark(false), name, fault)
	}
	in := orders.InForce(c)
	for _, line := range orders.Lines(&in) {
		add("%s: %s", name, line)
	}
	switch text, doubtful := orders.Standing(c); {
	case doubtful:
		add("%s %s: %s", unknown, name, text)
	case text != "":
		add("%s: %s", name, text)
	}
	return lines
}
