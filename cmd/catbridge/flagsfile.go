package main

import (
	"github.com/spf13/cobra"
)

// flagsFile is the path of a config JSON: --flags. The former name of the flag is --config,
// which in all other commands names a file of settings.
type flagsFile struct{ path, former string }

func (f *flagsFile) addTo(cmd *cobra.Command, usage string) {
	cmd.Flags().StringVar(&f.path, "flags", "", usage)
	cmd.Flags().StringVar(&f.former, "config", "", "the former name of --flags")
	if err := cmd.Flags().MarkHidden("config"); err != nil {
		panic(err) // the flag does not exist
	}
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
