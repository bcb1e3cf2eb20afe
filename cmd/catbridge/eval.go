package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/answers"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/localcdn"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/terminal"
	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/internal/evalcase"
	"github.com/catbridge/catbridge/internal/regularfile"
)

const evalLong = `eval evaluates flags of a config JSON v6 from a file. It needs neither Redis nor the network.

With --key it prints the value of that flag; with --all a line "key = value" for every flag.
If an evaluation fails, eval prints the default value, if one is given, and the reason on
standard error, and exits with 1. The SDKs prescribe the texts of such errors, some of which
quote the default value; without --default they quote null. --log writes the evaluation log
to standard error.

Unprintable characters are written as escapes such as \n or \x1b; JSON has exact values.

With --json, and always with --batch, each result is an object on its own line:

  {"value", "variationId", "isDefaultValue", "errorCode", "matchedRule", "matchedOption", "error"}

matchedRule is the index of the targeting rule that matched. matchedOption is the index of
the percentage option, in that rule or else in the flag. Either is null if nothing matched.
--log adds "log", a list of lines "LEVEL [id] message", and --all adds "key".

--batch reads such objects from standard input, one per line, and prints a result for each
case, in order:

  {"config": config JSON v6, "cases": [{"key": …, "default": …, "user": …}, …]}

If default is null or missing, the flag may have any type. user is null for no user, or
{"Identifier": …, "Email": …, "Country": …, "Custom": {…}}. An attribute is a string, a
number, a list of strings, or a value of a type that JSON lacks: {"$date":
"2023-04-01T00:00:00.000Z"}, {"$num": "NaN"}, {"$int": "5", "type": "uint8"},
{"$float32": 2.1}. If config is null, the cases are evaluated without a config.

Input that cannot be parsed ends the batch with exit code 2 and the number of the line. An
invalid config is reported, its cases are evaluated without a config, and the exit code
is 2.`

const evalExample = `  catbridge eval --flags config.json --key newCheckout \
    --user '{"Identifier": "42", "Email": "ann@example.com", "Custom": {"Plan": "pro"}}' --log
  catbridge eval --flags config.json --all --json
  catbridge eval --batch < cases.jsonl > results.jsonl`

type evalFlags struct {
	file                  flagsFile
	key, user, def        string
	all, batch, log, json bool
}

func newEval() *cobra.Command {
	var f evalFlags
	cmd := &cobra.Command{
		Use:     "eval",
		Short:   "Evaluate flags of a config file",
		Long:    evalLong,
		Example: evalExample,
		Args:    noArguments,
		RunE:    func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	flags := cmd.Flags()
	f.file.addTo(cmd, "`path` of the config JSON; - is standard input")
	flags.StringVar(&f.key, "key", "", "`key` of the flag to evaluate")
	flags.BoolVar(&f.all, "all", false, "evaluate all flags")
	flags.BoolVar(&f.batch, "batch", false, "evaluate the cases on standard input, line by line")
	flags.StringVar(&f.user, "user", "", "user to evaluate for, a `JSON` object (default: no user)")
	flags.StringVar(&f.def, "default", "", "`value` to print if the evaluation fails, of the flag's type")
	flags.BoolVar(&f.log, "log", false, "write the evaluation log, too")
	flags.BoolVar(&f.json, "json", false, "print JSON, one object per line")
	return cmd
}

func (f *evalFlags) run(cmd *cobra.Command) error {
	given := cmd.Flags().Changed
	if err := f.file.take(cmd); err != nil {
		return err
	}
	switch {
	case given("key") && !f.all && !f.batch:
	case f.all && !given("key") && !f.batch:
		if given("default") {
			return usagef("--default: use it with --key only")
		}
	case f.batch && !given("key") && !f.all:
		for _, name := range []string{"flags", "config", "user", "default"} {
			if given(name) {
				return usagef("--%s: with --batch, give it on standard input", name)
			}
		}
		return evalBatch(cmd.Context(), cmd.InOrStdin(), stdout(cmd), stderr(cmd), f.log)
	default:
		return usagef("give one of --key, --all and --batch")
	}
	config, err := readConfig(cmd.Context(), cmd.InOrStdin(), f.file.path)
	if err != nil {
		return err
	}
	var user any
	if f.user != "" {
		if user, err = evalcase.ParseUser([]byte(f.user)); err != nil {
			return usagef("--user: %v", err)
		}
	}
	if f.all {
		return f.evalAll(cmd, config, user)
	}
	c := evalcase.Case{Key: f.key, User: user}
	if given("default") {
		c.Default = evalcase.ParseText(f.def)
	}
	return f.evalOne(cmd, config, &c)
}

func readConfig(ctx context.Context, stdin io.Reader, path string) (*evaluate.Config, error) {
	if path == "" {
		return nil, usagef("no config: give a file with --flags")
	}
	content, err := readContent(ctx, stdin, path)
	if err != nil {
		return nil, usagef("--flags: %v", err)
	}
	return content.Config, nil
}

// isStdin reports whether a path means standard input.
func isStdin(path string) bool { return path == "-" || path == "/dev/stdin" }

// readContent reads and compiles a config: a file, a pipe, or standard input. Errors name the path.
func readContent(ctx context.Context, stdin io.Reader, path string) (*localcdn.Content, error) {
	var data []byte
	var err error
	if isStdin(path) {
		if data, err = io.ReadAll(io.LimitReader(stdin, evaluate.MaxConfigBytes+1)); len(data) > evaluate.MaxConfigBytes {
			err = fmt.Errorf("read %s: %w", path, &regularfile.TooLargeError{Limit: evaluate.MaxConfigBytes})
		}
		data = regularfile.TrimBOM(data)
	} else {
		data, err = regularfile.ReadStream(ctx, path, evaluate.MaxConfigBytes)
	}
	if err != nil {
		return nil, err
	}
	content, err := localcdn.NewContent(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return content, nil
}

func (f *evalFlags) evalOne(cmd *cobra.Command, config *evaluate.Config, c *evalcase.Case) error {
	o := evalcase.Answer(config, c, f.log)
	var err error
	switch {
	case f.json:
		err = stdout(cmd).JSON().Encode(&o)
	default:
		printLog(stderr(cmd), o.Lines)
		if o.Value.Kind() != evaluate.KindNone {
			err = stdout(cmd).Linef("%s", o.Value)
		}
	}
	if err == nil && o.Error != nil {
		err = fmt.Errorf("%s", *o.Error)
	}
	return err
}

func (f *evalFlags) evalAll(cmd *cobra.Command, config *evaluate.Config, user any) error {
	failed := 0
	var results []evaluate.Result
	if !f.log { // the log must contain the evaluation of each prerequisite
		results = config.AllResults(user, nil)
	}
	for i, key := range config.Keys() {
		if cmd.Context().Err() != nil {
			return errInterrupted
		}
		var o evalcase.Outcome
		if f.log {
			o = evalcase.Answer(config, &evalcase.Case{Key: key, User: user}, true)
		} else {
			o = evalcase.OutcomeOf(&results[i])
		}
		var err error
		if f.json {
			err = stdout(cmd).JSON().Encode(struct {
				Key string `json:"key"`
				evalcase.Outcome
			}{key, o})
		} else {
			printLog(stderr(cmd), o.Lines)
			if o.Error != nil {
				_ = stderr(cmd).Linef("%s: %s", key, *o.Error)
			}
			err = stdout(cmd).Linef("%s = %s", key, answers.Text(o.Value.Any()))
		}
		if err != nil {
			return err
		}
		if o.Error != nil {
			failed++
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d flags cannot be evaluated", failed, len(config.Keys()))
	}
	return nil
}

func printLog(out *terminal.Output, lines []string) {
	for _, line := range lines {
		_ = out.Linef("%s", line)
	}
}
