package main

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/settings"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/terminal"
)

// settingsFlags are the settings that a command reads from flags, variables and a file.
type settingsFlags struct {
	settings.Options
	name string // of the SDK key to work on, from --name
}

// add adds the flags of a part of the settings, each with a variable, and --config.
func (f *settingsFlags) add(cmd *cobra.Command, part settings.Part) {
	f.Part, f.Variables, f.File = part, part, true
	f.addTo(cmd)
}

// addName adds the flag --name, which selects one of several SDK keys.
func (f *settingsFlags) addName(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.name, "name", "", "`name` of the SDK key to use, if several are given")
	noCompletion(cmd, "name")
}

func (f *settingsFlags) addTo(cmd *cobra.Command) {
	cmd.Flags().SortFlags = false
	for _, flag := range settings.AddFlags(cmd.Flags(), f.Options) {
		switch {
		case flag.Words != nil:
			complete(cmd, flag.Name, flag.Words...)
		case !flag.Path:
			noCompletion(cmd, flag.Name)
		}
	}
}

func (f *settingsFlags) load(cmd *cobra.Command) (*settings.Settings, error) {
	f.Flags, f.Environ = cmd.Flags(), os.Environ()
	s, err := settings.Load(f.Options)
	if err != nil {
		_ = printWarnings(cmd, s) // they may explain the errors
		return nil, &usageError{err}
	}
	if f.name == "" {
		return s, nil
	}
	for _, k := range s.SDKKeys {
		if k.Name == f.name {
			s.SDKKeys = []settings.SDKKey{k}
			return s, nil
		}
	}
	return nil, usagef("--name: no SDK key has that name; catbridge config print lists the names")
}

func printWarnings(cmd *cobra.Command, s *settings.Settings) error {
	for _, warning := range s.Warnings {
		if err := stderr(cmd).Linef("%s %s", terminal.Paint(terminal.Yellow, "warning:"), warning); err != nil {
			return err
		}
	}
	return nil
}

// one is like load, for commands that use a single SDK key.
func (f *settingsFlags) one(cmd *cobra.Command) (*settings.Settings, error) {
	s, err := f.load(cmd)
	if err == nil && len(s.SDKKeys) > 1 {
		err = usagef("%d SDK keys are given, but %s uses only one: select it with --name", len(s.SDKKeys), cmd.Name())
	}
	return s, err
}
