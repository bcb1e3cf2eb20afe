package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/orders"
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
					value, err := orders.Value(controls, flag, text)
					if fault, ok := errors.AsType[*orders.Fault](err); ok {
						return nil, &usageError{fault}
					} else if err != nil {
						return nil, err
					}
					change, err := orders.Force(controls, flag, value, order)
					if fault, ok := errors.AsType[*orders.Fault](err); ok {
						return nil, fmt.Errorf("%w: use catbridge unforce; catbridge controls lists all", fault)
					}
					return change, err
				},
			})
		},
	}
	f.add(cmd, true)
	return cmd
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
