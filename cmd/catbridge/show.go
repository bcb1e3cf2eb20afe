package main

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/catbridge/catbridge/history"
)

// references describes REV in the help of commands.
const references = `REV is any rev that was ever shown: the config that was in force then; or the first 8 digits
or more of a hash; -1 for the config before the current one, -2 for the one before that; a
time, such as 2026-01-31T08:00:00Z, or 2h for two hours ago; or current. Times are by Redis's
clock. Thirteen digits are always a rev.`

const showLong = `show prints the config JSON that was in force, byte for byte. NAME is the name of the SDK key;
with one SDK key it may be left out. Without REV it prints the current config. Each earlier
config is made of the current one, step by step, and verified by its hash.

` + references + `

On a terminal, unprintable characters are written as escapes. Exit codes: 0 success; 1 the
history does not have the config, or Redis does not answer; 2 wrong usage.`

func newShow() *cobra.Command {
	var (
		f       settingsFlags
		timeout time.Duration
	)
	cmd := &cobra.Command{
		Use:   "show [NAME] [REV]",
		Short: "Print the config JSON that was in force",
		Long:  showLong,
		Example: "  catbridge show --config catbridge.yaml shop -1 > before.json\n" +
			"  catbridge show --config catbridge.yaml shop 2026-01-31T08:00:00Z > config.json",
		Args: atMost(2, "the name of an SDK key, and a rev"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if timeout <= 0 {
				return usagef("--timeout: %v is not above zero", timeout)
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), timeout)
			defer cancel()
			h, rest, err := openHistory(ctx, cmd, &f, args)
			if err != nil {
				return err
			}
			reference := "current"
			switch len(rest) {
			case 0:
			case 1:
				reference = written(rest[0])
			default:
				return usagef("no SDK key has the name that is given; catbridge config print lists the names")
			}
			i, err := h.find(reference)
			if err != nil {
				return err
			}
			json, err := h.Content(i)
			if err != nil {
				return err
			}
			return stdout(cmd).Exact(json)
		},
	}
	f.AnySDKKey = true // show fetches nothing
	addHistorySettings(cmd, &f, &timeout)
	return cmd
}

// find is like Find, with a usage error for what is not a reference, which may be an SDK key.
func (h *openedHistory) find(reference string) (int, error) {
	i, err := h.Find(reference)
	if errors.Is(err, history.ErrReference) {
		return 0, usagef("the argument is neither the name of an SDK key nor a rev, a hash, -1 or a time: see 'catbridge show --help'")
	}
	return i, err
}

// -1 is a reference or a value for some commands, and a flag for cobra. It passes cobra behind this
// prefix.
const numberMark = "number:"

var negative = regexp.MustCompile(`^-[0-9][0-9.eE+-]{0,39}$`)

// markNumbers marks arguments such as -1 of commands that take references or values.
func markNumbers(args []string) []string {
	i := slices.IndexFunc(args, func(arg string) bool { return arg == "show" || arg == "diff" || arg == "pin" || arg == "force" })
	if i < 0 {
		return args
	}
	marked := slices.Clone(args)
	for ; i < len(marked); i++ {
		if negative.MatchString(marked[i]) {
			marked[i] = numberMark + marked[i]
		}
	}
	return marked
}

// written returns an argument as it was written.
func written(arg string) string {
	if rest, ok := strings.CutPrefix(arg, numberMark); ok && negative.MatchString(rest) {
		return rest
	}
	return arg
}
