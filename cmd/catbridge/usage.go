package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/settings"
)

// usageError is what the user can mend by calling the program otherwise.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error {
	return &usageError{fmt.Errorf(format, args...)}
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
func flagError(cmd *cobra.Command, err error) error {
	if missing, ok := errors.AsType[*pflag.NotExistError](err); ok {
		if group := missing.GetSpecifiedShortnames(); group != "" {
			name, _, _ := strings.Cut(group, "=")
			if len(name) > 1 && plainWord.MatchString(name) {
				return usagef("there is no flag -%s; long flags begin with two dashes", name)
			}
			return usagef("there is no flag -%c", []rune(group)[0])
		}
		if name := missing.GetSpecifiedName(); plainWord.MatchString(name) {
			return usagef("there is no flag --%s%s", name, similarFlag(cmd, name))
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

// similarFlag asks for the flag that may be meant; empty: there is none.
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
