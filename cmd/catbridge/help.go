package main

import (
	"strings"
	"sync"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/settings"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/terminal"
)

// helpWidth is the width of help, in characters, if its output is not a terminal.
const helpWidth = 100

// addFlagGroups adds flagGroups to cobra's template functions, which are global.
var addFlagGroups = sync.OnceFunc(func() { cobra.AddTemplateFunc("flagGroups", flagGroups) })

// useGroups makes help list flags by group, the command's own first.
func useGroups(root *cobra.Command) {
	addFlagGroups()
	root.SetUsageTemplate(strings.Replace(root.UsageTemplate(), `

Flags:
{{.LocalFlags.FlagUsages | trimTrailingWhitespaces}}`, `{{flagGroups .}}`, 1))
}

func flagGroups(cmd *cobra.Command) string {
	width := helpWidth
	if w := terminal.Width(stdout(cmd)); w > 0 {
		width = max(w, 60)
	}
	groups, variables := map[string]*pflag.FlagSet{}, false
	cmd.LocalFlags().VisitAll(func(flag *pflag.Flag) {
		name := ""
		if of := flag.Annotations[settings.GroupAnnotation]; len(of) > 0 {
			name = of[0]
		}
		variables = variables || len(flag.Annotations[settings.VariableAnnotation]) > 0
		if groups[name] == nil {
			groups[name] = pflag.NewFlagSet("", pflag.ContinueOnError)
			groups[name].SortFlags = false
		}
		groups[name].AddFlag(flag)
	})
	var text strings.Builder
	for _, name := range append([]string{""}, settings.Groups()...) {
		if group := groups[name]; group != nil && group.HasAvailableFlags() {
			title := "Flags"
			if name != "" {
				title = name
			}
			text.WriteString("\n\n" + title + ":\n" + strings.TrimRight(group.FlagUsagesWrapped(width), "\n"))
		}
	}
	if variables {
		text.WriteString("\n\nEach flag can also be given by a variable, such as --redis-db by $" + settings.Variable("redis-db") + ".\nVariables with other names are in brackets.")
	}
	return text.String()
}
