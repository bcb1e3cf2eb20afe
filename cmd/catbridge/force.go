package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/settings"
	"github.com/catbridge/catbridge/evaluate"
	state "github.com/catbridge/catbridge/internal/control"
	"github.com/catbridge/catbridge/leader/control"
)

const forceLong = `force makes a flag serve one value to all users, whatever its rules say and whatever the CDN
serves, until its time ends or catbridge unforce. It works while ConfigCat's dashboard or CDN
is away. At most 32 flags can be forced. VALUE is true or false, a number, or a text, as the
type of the flag demands. If the flag is gone from the config or has another type there, the
force is suspended until it fits again. NAME is the name of the SDK key; with one SDK key it
may be left out.

An official SDK that shares the entry and is not offline follows the CDN instead.
` + orderLong

func newForce() *cobra.Command {
	var f controlFlags
	cmd := &cobra.Command{
		Use:   "force [NAME] FLAG VALUE --for DURATION --reason TEXT",
		Short: "Make a flag serve one value to all users",
		Long:  forceLong,
		Example: "  catbridge force --config catbridge.yaml shop newCheckout false --for 30m --reason 'payments fail'\n" +
			"  catbridge force --config catbridge.yaml shop limit -1 --for 2h --reason 'load test' --yes",
		Args: atMost(3, "the name of an SDK key, the key of a flag and its value"),
		RunE: func(cmd *cobra.Command, args []string) error {
			order, err := f.order()
			if err != nil {
				return err
			}
			c, rest, err := f.open(cmd, args, 2, 2)
			if err != nil {
				return err
			}
			defer c.close()
			flag, text := rest[0], written(rest[1])
			return c.change(plan{
				what:   fmt.Sprintf("force %.64q to %.64q for %v", flag, text, f.lasts),
				orders: true,
				change: func(controls *control.Controls) (*control.Change, error) {
					value, err := valueFor(controls, flag, text)
					if err != nil {
						return nil, err
					}
					return controls.Force(flag, value, order)
				},
			})
		},
	}
	f.add(cmd, true)
	return cmd
}

// valueFor returns the value that a text means for a flag. A flag of the config in force has the same
// type as without the forces. A flag that only the CDN's or the pinned config has is refused by Force.
func valueFor(controls *control.Controls, flag, text string) (evaluate.Value, error) {
	json := controls.Current()
	if json == nil {
		return evaluate.Value{}, control.ErrNoConfig
	}
	config, err := evaluate.Parse(json)
	if err != nil {
		return evaluate.Value{}, fmt.Errorf("the current config is invalid: %w", err)
	}
	if config.KindOf(flag) == evaluate.KindNone {
		return evaluate.Value{}, unknownFlag(config, flag)
	}
	value, err := state.ParseValue(config, flag, text)
	if err != nil {
		return evaluate.Value{}, &usageError{err}
	}
	return value, nil
}

// unknownFlag does not quote the flag: it may be an SDK key.
func unknownFlag(config *evaluate.Config, flag string) error {
	if near := settings.Nearest(flag, config.Keys(), 1+len(flag)/4); near != "" {
		return usagef("the current config has no flag with that key, or it has no valid type; did you mean %.64q?", near)
	}
	return usagef("the current config has no flag with that key, or it has no valid type")
}

const unforceLong = `unforce withdraws the force of a flag: its rules are in force again, as the CDN's or the
pinned config has them. NAME is the name of the SDK key; with one SDK key it may be left out.
The command prints flag by flag what changes, and asks; with --yes it does not ask.

` + controlLong

func newUnforce() *cobra.Command {
	var f controlFlags
	cmd := &cobra.Command{
		Use:     "unforce [NAME] FLAG",
		Short:   "End the force of a flag before its time",
		Long:    unforceLong,
		Example: "  catbridge unforce --config catbridge.yaml shop newCheckout",
		Args:    atMost(2, "the name of an SDK key and the key of a flag"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, rest, err := f.open(cmd, args, 1, 1)
			if err != nil {
				return err
			}
			defer c.close()
			return c.change(plan{
				what: "end the force of this flag",
				change: func(controls *control.Controls) (*control.Change, error) {
					change, err := controls.Unforce(rest[0])
					if errors.Is(err, control.ErrNotInForce) { // do not quote what may be an SDK key
						return nil, fmt.Errorf("no flag with that key is forced: %w", control.ErrNotInForce)
					}
					return change, err
				},
			})
		},
	}
	f.add(cmd, false)
	return cmd
}
