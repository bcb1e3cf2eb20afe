package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/orders"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/terminal"
	"github.com/catbridge/catbridge/history"
	"github.com/catbridge/catbridge/leader/control"
)

const pinLong = `pin holds a config against the CDN: all followers serve it, and official SDKs that read the
entry offline, until its time ends or catbridge unpin. The leader goes on polling the CDN. At
the end it makes the CDN's config current. There is at most one pin: another one replaces it.
Flags that are forced stay forced. NAME is the name of the SDK key; with one SDK key it may be
left out.

Without REV, or with current, it is the config that is in force.
` + references + `
A path is the config in that file; write ./2h for a file with such a name, and - for standard
input, which needs --yes.

An official SDK that shares the entry and is not offline follows the CDN instead.
` + orderLong

func newPin() *cobra.Command {
	var f controlFlags
	cmd := &cobra.Command{
		Use:   "pin [NAME] [REV|current|FILE] --for DURATION --reason TEXT",
		Short: "Hold a config against the CDN",
		Long:  pinLong,
		Example: "  catbridge pin --config catbridge.yaml shop -1 --for 2h --reason 'checkout fails'\n" +
			"  catbridge pin --config catbridge.yaml shop --for 8h --reason 'freeze for the sale'",
		Args: atMost(2, "the name of an SDK key, and a rev or a file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			order, err := f.order()
			if err != nil {
				return err
			}
			c, rest, err := f.open(cmd, args, 0, 1)
			if err != nil {
				return err
			}
			defer c.close()
			reference := "current"
			if len(rest) == 1 {
				reference = written(rest[0])
			}
			if isStdin(reference) && !f.yes {
				return usagef("give --yes: standard input is the config, and cannot answer the question")
			}
			json, rev, err := c.config(reference)
			if err != nil {
				return err
			}
			if json != nil {
				if err := c.warnOfBrokenFlags(json); err != nil {
					return err
				}
			}
			return c.change(plan{
				what:   fmt.Sprintf("pin this config for %v", f.lasts),
				orders: true,
				change: func(controls *control.Controls) (*control.Change, error) {
					if err := c.note(controls); err != nil {
						return nil, err
					}
					if json != nil {
						return controls.Pin(json, rev, order)
					}
					if controls.Current() == nil {
						return nil, control.ErrNoConfig
					}
					return controls.Pin(controls.Current(), controls.Rev, order)
				},
			})
		},
	}
	f.add(cmd, true)
	return cmd
}

// config returns the config that a reference or a path names, and its rev if it was in force. It
// returns nil for the current one, which is read with what is in force.
func (c *controller) config(reference string) (json []byte, rev int64, err error) {
	if reference == "current" {
		return nil, 0, nil
	}
	ctx, cancel := context.WithTimeout(c.cmd.Context(), c.flags.timeout)
	defer cancel()
	if !isFile(reference) {
		h, err := history.Read(ctx, c.client, c.key.Key, c.given.RedisOptions.Namespace())
		if err != nil {
			return nil, 0, historyError(c.key, err)
		}
		i, err := h.Find(reference)
		switch {
		case err == nil:
			json, err = h.Content(i)
			return json, h.Versions[i].Rev, err
		case !errors.Is(err, history.ErrReference):
			return nil, 0, err
		}
	}
	content, err := readArgument(ctx, c.stdin, reference, "a rev, a hash, -1, a time, current", "pin")
	if err != nil {
		return nil, 0, err
	}
	return content.JSON, 0, nil
}

// warnOfBrokenFlags prints the flags of a config that no user is served.
func (c *controller) warnOfBrokenFlags(json []byte) error {
	broken, err := orders.Broken(json)
	if err != nil {
		return usagef("%w", err)
	}
	for _, text := range broken {
		if err := stderr(c.cmd).Linef("%s %s", terminal.Paint(terminal.Yellow, "warning:"), text); err != nil {
			return err
		}
	}
	return nil
}

// note prints what a pin replaces, and what stays in force.
func (c *controller) note(controls *control.Controls) error {
	for _, note := range orders.Notes(controls) {
		if err := stdout(c.cmd).Linef("%s", note); err != nil {
			return err
		}
	}
	return nil
}

const unpinLong = `unpin withdraws the pin of catbridge pin. The CDN's config is in force again, with the flags
that are forced. NAME is the name of the SDK key; with one SDK key it may be left out. The
command prints flag by flag what changes, and asks; with --yes it does not ask.

` + controlLong

func newUnpin() *cobra.Command {
	var f controlFlags
	cmd := &cobra.Command{
		Use:     "unpin [NAME]",
		Short:   "End a pin before its time",
		Long:    unpinLong,
		Example: "  catbridge unpin --config catbridge.yaml shop",
		Args:    atMost(1, "at most the name of an SDK key"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, _, err := f.open(cmd, args, 0, 0)
			if err != nil {
				return err
			}
			defer c.close()
			return c.change(plan{what: "end the pin", change: (*control.Controls).Unpin})
		},
	}
	f.add(cmd, false)
	return cmd
}
