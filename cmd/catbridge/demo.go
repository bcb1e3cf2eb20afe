package main

import (
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/demo"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/settings"
)

const demoLong = `demo runs the whole bridge in one process, without installing anything else: a local CDN that
serves a config from a file, an embedded Redis, leaders and followers. It prints the path of
the file: edit it, and see how long each change takes to reach each follower. It also shows
what else to try: kill the leader with a key, force a flag with a key as an operator does and
withdraw it, read the history, follow and operate from another terminal, point an official SDK
at a base URL, or read the entry with one.

The demo uses a random SDK key, which is not valid at ConfigCat. At the end, it removes what
it wrote to the Redis of --redis. If the output is not a terminal, it prints plain lines, and
reads commands as lines (f, v, k, t, s, h, q) from standard input.`

const demoExample = `  catbridge demo
  catbridge demo --flags my.config.json --followers 20
  catbridge demo --redis redis://localhost:6379
  catbridge demo --once`

type demoFlags struct {
	settings settingsFlags
	file     flagsFile
	o        demo.Options
}

func newDemo() *cobra.Command {
	var f demoFlags
	cmd := &cobra.Command{
		Use:     "demo",
		Short:   "See the whole bridge at work, without installing anything else",
		Long:    demoLong,
		Example: demoExample,
		Args:    noArguments,
		RunE:    func(cmd *cobra.Command, _ []string) error { return f.run(cmd) },
	}
	// The demo must not use a Redis that is not named on the command line.
	f.settings.Options = settings.Options{
		Part: settings.Redis | settings.LogOutput, Variables: settings.LogOutput, Level: "off", OptionalRedis: true,
	}
	f.settings.addTo(cmd)
	flags := cmd.Flags()
	flags.Lookup("redis").Usage += " (default: one embedded in the demo)"
	f.file.addTo(cmd, "`path` of a config JSON v6 to serve and follow (default: the demo's own config, in a new folder)")
	flags.IntVar(&f.o.Leaders, "leaders", 2, "`number` of leaders, 1 to 10")
	flags.IntVar(&f.o.Followers, "followers", 3, "`number` of followers, 1 to 1000")
	flags.BoolVar(&f.o.Once, "once", false, "make one change in a copy of the config, print how long it took, force a flag, withdraw that, and exit; exit code 1 if one of these does not reach all followers within --timeout")
	flags.DurationVar(&f.o.Timeout, "timeout", 30*time.Second, "timeout of the start, and of each change of --once, a `duration`")
	noCompletion(cmd, "leaders", "followers", "timeout")
	return cmd
}

func (f *demoFlags) run(cmd *cobra.Command) error {
	switch {
	case f.o.Leaders < 1 || f.o.Leaders > 10:
		return usagef("--leaders: %d is not between 1 and 10", f.o.Leaders)
	case f.o.Followers < 1 || f.o.Followers > 1000:
		return usagef("--followers: %d is not between 1 and 1000", f.o.Followers)
	case f.o.Timeout <= 0:
		return usagef("--timeout: %v is not above zero", f.o.Timeout)
	}
	if err := f.file.take(cmd); err != nil {
		return err
	}
	if f.file.path != "" {
		file, err := f.file.open()
		if err != nil {
			return err
		}
		f.o.File = file
	}
	s, err := f.settings.load(cmd)
	if err != nil {
		return err
	}
	if len(s.Redis.Addresses) > 0 || s.Redis.Socket != "" {
		f.o.Redis = &s.RedisOptions
	}
	f.o.Program = program()
	f.o.In, f.o.Out = cmd.InOrStdin(), stdout(cmd)
	f.o.Log = func(screen io.Writer) *slog.Logger {
		if screen != nil {
			return newLoggerOn(s.Log, screen, true, levelOf(s.Log.Level))
		}
		return newLogger(s.Log, stderr(cmd))
	}
	return demo.Run(cmd.Context(), f.o)
}

// program returns the command that started catbridge.
func program() string {
	if path, err := os.Executable(); err == nil && strings.Contains(path, "go-build") {
		return "go run ./cmd/catbridge"
	}
	return "catbridge"
}
