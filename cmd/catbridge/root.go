package main

import (
	"context"
	"errors"
	"io"
	"regexp"

	"github.com/spf13/cobra"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/settings"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/terminal"
)

func stdout(cmd *cobra.Command) *terminal.Output { return terminal.NewOutput(cmd.OutOrStdout()) }
func stderr(cmd *cobra.Command) *terminal.Output { return terminal.NewOutput(cmd.ErrOrStderr()) }

const (
	exitOK      = 0
	exitFailure = 1
	exitUsage   = 2  // the command did not run: the command line or the settings are wrong
	exitConfig  = 78 // EX_CONFIG of sysexits.h: like exitUsage, for a service
)

// asService marks commands that service managers restart. For wrong usage and wrong settings they
// exit with exitConfig, not with 2: a Go program that panics exits with 2 and must be restarted.
var asService = map[string]string{"service": "true"}

func usageCode(cmd *cobra.Command) int {
	if cmd.Annotations["service"] != "" {
		return exitConfig
	}
	return exitUsage
}

const rootLong = `catbridge distributes feature flags from ConfigCat's CDN to any number of followers
through Redis. Leaders poll the CDN, one leader at a time for each SDK key, and write the
config to Redis. Followers read it there, and are notified of changes at once.

To see it work, without installing anything else: catbridge demo

To keep SDK keys and passwords out of the list of processes, give them in the environment
or in a file. Every command reads both. A flag wins over the environment, and the
environment wins over the file of --config.

  $CATBRIDGE_CONFIG               a YAML file with settings, see catbridge config --help
  $CATBRIDGE_SDK_KEY              one SDK key, or several separated by commas
  $CATBRIDGE_SDK_KEY_FILE         a file with SDK keys, one per line
  $CATBRIDGE_REDIS_URL            redis://user:password@host:port/db
  $CATBRIDGE_REDIS_PASSWORD       the password for that URL
  $CATBRIDGE_REDIS_PASSWORD_FILE  a file with that password

Exit codes: 0 success; 1 failure; 2 wrong usage or settings, for the commands leader and serve 78.`

// run runs the program and returns its exit code.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	out, errOut := terminal.NewOutput(stdout), terminal.NewOutput(stderr)
	root := newRoot()
	root.SetArgs(markNumbers(args))
	root.SetIn(stdin)
	root.SetOut(out)
	root.SetErr(errOut)
	command, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitOK
	}
	printError(errOut, command.CommandPath(), err)
	if _, ok := errors.AsType[*usageError](err); ok {
		command = meant(command, args)
		_ = errOut.Linef("Run '%s --help' for usage.", command.CommandPath())
		return usageCode(command)
	}
	return exitFailure
}

// meant returns the command that the user meant. If an unknown flag or argument precedes the
// name, cobra finds only the root command.
func meant(found *cobra.Command, args []string) *cobra.Command {
	if found.HasParent() {
		return found
	}
	for _, arg := range args {
		for _, command := range found.Commands() {
			if command.Name() == arg {
				return command
			}
		}
	}
	return found
}

// printError prints joined errors on a line each.
func printError(out *terminal.Output, command string, err error) {
	if faults, ok := errors.AsType[settings.Faults](err); ok && len(faults) > 1 {
		_ = out.Linef("%s: %d errors:", command, len(faults))
		for _, fault := range faults {
			_ = out.Linef("  %s", fault)
		}
		return
	}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, err := range joined.Unwrap() {
			printError(out, command, err)
		}
		return
	}
	_ = out.Linef("%s: %v", command, err)
	if panicked, ok := errors.AsType[*panicError](err); ok {
		_, _ = out.Write(panicked.stack)
	}
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:           "catbridge",
		Short:         "Distribute feature flags from ConfigCat to any number of followers, through Redis",
		Long:          rootLong,
		Version:       programVersion(),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          unknownCommand,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return cmd.Help()
		},
		PersistentPreRun: func(cmd *cobra.Command, _ []string) { takeSignals(cmd) },
	}
	root.SetVersionTemplate("{{.Name}} {{.Version}}\n")
	root.SetFlagErrorFunc(flagError)
	useGroups(root)
	root.AddCommand(newDemo(), newLeader(), newServe(), newHealth(), newReady(), newWatch(), newRefresh(), newStatus(), newHistory(), newDiff(), newShow(), newPin(), newUnpin(), newForce(), newUnforce(), newControls(), newDoctor(), newConfig(), newCDN(), newEval(), newVersion())
	return root
}

// plainWord matches arguments that cannot be secrets.
var plainWord = regexp.MustCompile(`^[a-z-]{1,20}$`)

// unknownCommand quotes only arguments that cannot be misplaced SDK keys or passwords.
func unknownCommand(cmd *cobra.Command, args []string) error {
	switch {
	case len(args) == 0:
		return nil
	case !plainWord.MatchString(args[0]):
		return usagef("unknown command")
	}
	cmd.SuggestionsMinimumDistance = 2
	if similar := cmd.SuggestionsFor(args[0]); len(similar) > 0 {
		return usagef("unknown command %q; did you mean %s?", args[0], similar[0])
	}
	return usagef("unknown command %q", args[0])
}
