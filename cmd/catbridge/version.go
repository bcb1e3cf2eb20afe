package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(cmd.OutOrStdout(), "catbridge", version())
			return err
		},
	}
}

// release is set by the linker where a release is built (-X main.release=…).
var release string

// version is the release, or the module's version as far as the build knows it, with
// what it was built by.
func version() string {
	text := release
	var revision, modified string
	if info, ok := debug.ReadBuildInfo(); ok {
		if text == "" {
			text = info.Main.Version
		}
		for _, s := range info.Settings {
			switch {
			case s.Key == "vcs.revision" && len(s.Value) >= 12:
				revision = " " + s.Value[:12]
			case s.Key == "vcs.modified" && s.Value == "true":
				modified = "+changes"
			}
		}
	}
	if text == "" {
		text = "(devel)"
	}
	if release != "" {
		text = release
	}
	return fmt.Sprintf("%s%s%s %s %s/%s", text, revision, modified, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
