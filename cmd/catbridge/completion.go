package main

import "github.com/spf13/cobra"

func complete(cmd *cobra.Command, flag string, words ...string) {
	offer := func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return words, cobra.ShellCompDirectiveNoFileComp
	}
	if err := cmd.RegisterFlagCompletionFunc(flag, offer); err != nil {
		panic(err) // the flag does not exist, or was registered before
	}
}

func noCompletion(cmd *cobra.Command, flags ...string) {
	for _, flag := range flags {
		complete(cmd, flag)
	}
}
