package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"

	"github.com/spf13/cobra"
)

// Exit codes.
const (
	exitOK      = 0
	exitFailure = 1 // it was tried, and failed
	exitUsage   = 2 // it was not tried, since the command line or the environment is wrong
)

const rootLong = `catbridge carries feature flags from ConfigCat's CDN to any number of followers
through Redis. Leaders poll the CDN, one at a time for each SDK key, and write what
they get to Redis; followers read it there and are told of changes at once.

To see it work, with nothing installed: catbridge demo

SDK keys and passwords need not stand in the list of processes: every command takes
them from the environment or from a file, too. Where one thing is given in several
ways, a flag wins over the environment, and that over the file of --config.

  $CATBRIDGE_CONFIG               a YAML file with settings, see catbridge config --help
  $CATBRIDGE_SDK_KEY              one SDK key, or several with commas between
  $CATBRIDGE_SDK_KEY_FILE         a file with SDK keys, one a line
  $CATBRIDGE_REDIS_URL            redis://user:password@host:port/db
  $CATBRIDGE_REDIS_PASSWORD       the password for that URL
  $CATBRIDGE_REDIS_PASSWORD_FILE  a file with that password

Exit codes: 0 success, 1 failure, 2 wrong usage.`

// run is the whole program, for main and for tests. It returns the exit code.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	root := newRoot()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	command, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitOK
	}
	fmt.Fprintf(stderr, "%s: %v\n", command.CommandPath(), err)
	if _, ok := errors.AsType[*usageError](err); ok {
		fmt.Fprintf(stderr, "Run '%s --help' for what it takes.\n", command.CommandPath())
		return exitUsage
	}
	return exitFailure
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:           "catbridge",
		Short:         "Feature flags from ConfigCat to any number of followers, through Redis",
		Long:          rootLong,
		Version:       version(),
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
	root.AddCommand(newDemo(), newLeader(), newWatch(), newRefresh(), newStatus(), newDoctor(), newConfig(), newCDN(), newEval(), newVersion())
	return root
}

// plainWord is an argument that can be no secret.
var plainWord = regexp.MustCompile(`^[a-z-]{1,20}$`)

// unknownCommand quotes only what is no SDK key or password that came to the wrong place.
func unknownCommand(cmd *cobra.Command, args []string) error {
	switch {
	case len(args) == 0:
		return nil
	case !plainWord.MatchString(args[0]):
		return usagef("there is no such command")
	}
	cmd.SuggestionsMinimumDistance = 2
	if similar := cmd.SuggestionsFor(args[0]); len(similar) > 0 {
		return usagef("there is no command %q; did you mean %s?", args[0], similar[0])
	}
	return usagef("there is no command %q", args[0])
}
