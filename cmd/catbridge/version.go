package main

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/catbridge/catbridge/internal/version"
)

func newVersion() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return stdout(cmd).Linef("catbridge %s", programVersion())
		},
	}
}

// programVersion returns the version with the Go version and the platform.
func programVersion() string {
	return fmt.Sprintf("%s %s %s/%s", version.String(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
