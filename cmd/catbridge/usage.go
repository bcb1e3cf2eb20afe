package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/settings"
)

type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error {
	return &usageError{fmt.Errorf(format, args...)}
}

// noArguments does not quote the arguments: they may be SDK keys.
func noArguments(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef("unexpected arguments (%d): the command takes only flags", len(args))
	}
	return nil
}

// flagError rewords pflag's errors, which quote the command line, including secrets.
func flagError(cmd *cobra.Command, err error) error {
	if missing, ok := errors.AsType[*pflag.NotExistError](err); ok {
		if group := missing.GetSpecifiedShortnames(); group != "" {
			name, _, _ := strings.Cut(group, "=")
			if len(name) > 1 && plainWord.MatchString(name) {
				return usagef("unknown flag -%s; long flags start with two dashes", name)
			}
			return usagef("unknown flag -%c", []rune(group)[0])
		}
		if name := missing.GetSpecifiedName(); plainWord.MatchString(name) {
			return usagef("unknown flag --%s%s", name, similarFlag(cmd, name))
		}
		return usagef("unknown flag")
	}
	if required, ok := errors.AsType[*pflag.ValueRequiredError](err); ok {
		return usagef("--%s: the value is missing: %s", required.GetFlag().Name, required.GetFlag().Usage)
	}
	if invalid, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		return badValue("--"+invalid.GetFlag().Name, invalid.GetFlag(), invalid.GetValue(), invalid.Unwrap())
	}
	return usagef("an argument is not a valid flag: write flags as --name or --name=value")
}

// similarFlag returns a suggestion for an unknown flag, or "".
func similarFlag(cmd *cobra.Command, name string) string {
	var names []string
	cmd.Flags().VisitAll(func(flag *pflag.Flag) {
		if !flag.Hidden {
			names = append(names, flag.Name)
		}
	})
	if near := settings.Nearest(name, names, 1+len(name)/4); near != "" {
		return "; did you mean --" + near + "?"
	}
	for _, flag := range names { // --key for --sdk-key
		if strings.HasSuffix(flag, "-"+name) || strings.HasPrefix(flag, name+"-") {
			return "; did you mean --" + flag + "?"
		}
	}
	return ""
}

// badValue returns the error for an invalid value of a flag. where names its source.
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
