package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// usageError is what the user can mend by calling the program otherwise.
type usageError struct{ text string }

func (e *usageError) Error() string { return e.text }

func usagef(format string, args ...any) error {
	return &usageError{fmt.Sprintf(format, args...)}
}

// noArguments does not quote what it refuses: it may be an SDK key.
func noArguments(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef("it takes flags only, but %d other argument(s) stand there", len(args))
	}
	return nil
}

// flagError says what is wrong with a flag. The texts of pflag quote the command line,
// secrets and all.
func flagError(_ *cobra.Command, err error) error {
	if missing, ok := errors.AsType[*pflag.NotExistError](err); ok {
		if group := missing.GetSpecifiedShortnames(); group != "" {
			name, _, _ := strings.Cut(group, "=")
			if len(name) > 1 && plainWord.MatchString(name) {
				return usagef("there is no flag -%s; long flags begin with two dashes", name)
			}
			return usagef("there is no flag -%c", []rune(group)[0])
		}
		if name := missing.GetSpecifiedName(); plainWord.MatchString(name) {
			return usagef("there is no flag --%s", name)
		}
		return usagef("there is no such flag")
	}
	if required, ok := errors.AsType[*pflag.ValueRequiredError](err); ok {
		return usagef("--%s: a value must follow: %s", required.GetFlag().Name, required.GetFlag().Usage)
	}
	if invalid, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		return badValue("--"+invalid.GetFlag().Name, invalid.GetFlag(), invalid.GetValue(), invalid.Unwrap())
	}
	return usagef("an argument is no flag: flags look like --name or --name=value")
}

// badValue says what is wrong with a flag's value, wherever it came from.
func badValue(where string, flag *pflag.Flag, value string, cause error) error {
	switch flag.Value.Type() {
	case "duration":
		return usagef("%s: %q is not a duration: write it like 1500ms, 10s or 2m", where, value)
	case "int", "int64":
		return usagef("%s: %q is not a whole number", where, value)
	case "bool":
		return usagef("%s: %q is neither true nor false", where, value)
	}
	return usagef("%s: %v", where, cause)
}

// choice is a flag that takes one of a few words.
type choice struct {
	value   string
	allowed []string
}

func newChoice(allowed ...string) *choice { return &choice{value: allowed[0], allowed: allowed} }

func (c *choice) String() string { return c.value }
func (c *choice) Type() string   { return strings.Join(c.allowed, "|") }

func (c *choice) Set(s string) error {
	if !slices.Contains(c.allowed, s) {
		return fmt.Errorf("%q is not one of %s", s, strings.Join(c.allowed, ", "))
	}
	c.value = s
	return nil
}

// complete offers the words to the shell.
func (c *choice) complete(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return c.allowed, cobra.ShellCompDirectiveNoFileComp
}

// add makes a flag of the choice.
func (c *choice) add(cmd *cobra.Command, name, usage string) {
	cmd.Flags().Var(c, name, usage)
	if err := cmd.RegisterFlagCompletionFunc(name, c.complete); err != nil {
		panic(err) // a flag defined twice
	}
}
