package main

import (
	"github.com/spf13/cobra"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/localcdn"
)

// flagsFile is the path of a config JSON: --flags. Its former name is --config, which names a
// file of settings in all other commands.
type flagsFile struct{ path, former string }

func (f *flagsFile) addTo(cmd *cobra.Command, usage string) {
	cmd.Flags().StringVar(&f.path, "flags", "", usage)
	cmd.Flags().StringVar(&f.former, "config", "", "the former name of --flags")
	if err := cmd.Flags().MarkHidden("config"); err != nil {
		panic(err) // the flag does not exist
	}
}

// open requires that the file exists and is a valid config.
func (f *flagsFile) open() (*localcdn.File, error) {
	file, err := localcdn.Open(f.path)
	if err != nil {
		return nil, usagef("--flags: %w", err)
	}
	return file, nil
}

// take accepts the former name with a warning.
func (f *flagsFile) take(cmd *cobra.Command) error {
	if !cmd.Flags().Changed("config") {
		return nil
	}
	if cmd.Flags().Changed("flags") {
		return usagef("--config is the former name of --flags: give --flags alone")
	}
	f.path = f.former
	return stderr(cmd).Linef("%s: warning: --config is the former name of --flags and will be removed: write --flags", cmd.CommandPath())
}
