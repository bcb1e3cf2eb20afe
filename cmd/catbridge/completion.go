package main

import "github.com/spf13/cobra"

// complete offers words to the shell.
func complete(cmd *cobra.Command, flag string, words ...string) {
	offer := func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return words, cobra.ShellCompDirectiveNoFileComp
	}
	if err := cmd.RegisterFlagCompletionFunc(flag, offer); err != nil {
		panic(err) // there is no such flag, or it was registered before
	}
}

// noCompletion keeps the shell from offering files for what is none.
func noCompletion(cmd *cobra.Command, flags ...string) {
	for _, flag := range flags {
		complete(cmd, flag)
	}
}
