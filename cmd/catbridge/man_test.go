package main

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
	"github.com/spf13/pflag"
)

var manFolder = flag.String("man", "", "write the man pages to this folder, which exists")

// TestEveryCommandHasAManPage generates the man pages. It is a test, so that the program does not contain
// what only a release needs. make release-files keeps the pages.
func TestEveryCommandHasAManPage(t *testing.T) {
	dir := *manFolder
	if dir == "" {
		dir = t.TempDir()
	}
	root := newRoot()
	root.InitDefaultCompletionCmd()
	prepareForMan(root)
	if err := doc.GenManTree(root, &doc.GenManHeader{Section: "1", Source: "catbridge", Manual: "catbridge"}, dir); err != nil {
		t.Fatal(err)
	}
	pages := 0
	eachCommand(root, func(cmd *cobra.Command) {
		pages++
		name := strings.ReplaceAll(cmd.CommandPath(), " ", "-") + ".1"
		page, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Error(err)
			return
		}
		for _, section := range []string{".SH NAME\n", ".SH SYNOPSIS\n", ".SH DESCRIPTION\n"} {
			if !strings.Contains(string(page), section) {
				t.Errorf("%s lacks %q", name, section)
			}
		}
		if strings.Contains(string(page), ".SH HISTORY\n") {
			t.Errorf("%s names its generator", name)
		}
		cmd.NonInheritedFlags().VisitAll(func(f *pflag.Flag) {
			if !f.Hidden && f.Deprecated == "" && !strings.Contains(strings.ReplaceAll(string(page), `\`, ""), "--"+f.Name) {
				t.Errorf("%s lacks --%s", name, f.Name)
			}
		})
	})
	if pages < 25 {
		t.Errorf("%d pages", pages)
	}
}

// eachCommand calls do for the commands that help lists, parents last.
func eachCommand(cmd *cobra.Command, do func(*cobra.Command)) {
	for _, child := range cmd.Commands() {
		if child.IsAvailableCommand() {
			eachCommand(child, do)
		}
	}
	do(cmd)
}

// prepareForMan makes the help of the commands what cobra's generator expects: Markdown.
func prepareForMan(root *cobra.Command) {
	eachCommand(root, func(cmd *cobra.Command) {
		cmd.DisableAutoGenTag = true
		cmd.Long = asMarkdown(cmd.Long)
		for _, flags := range []*pflag.FlagSet{cmd.LocalFlags(), cmd.PersistentFlags()} {
			flags.VisitAll(func(f *pflag.Flag) {
				if f.Annotations[preparedForMan] == nil {
					f.Usage = escapeMarkdown(f.Usage)
					_ = flags.SetAnnotation(f.Name, preparedForMan, []string{})
				}
			})
		}
	})
}

// preparedForMan marks flags, which several sets share.
const preparedForMan = "prepared_for_man"

// asMarkdown returns a text in which indented lines are code.
func asMarkdown(text string) string {
	var b strings.Builder
	code := false
	for line := range strings.Lines(text) {
		indented := strings.HasPrefix(line, "  ")
		switch {
		case indented && !code:
			b.WriteString("\n    " + line)
		case indented:
			b.WriteString("    " + line)
		case code && strings.TrimSpace(line) != "":
			b.WriteString("\n" + escapeMarkdown(line))
		default:
			b.WriteString(escapeMarkdown(line))
		}
		code = indented || code && strings.TrimSpace(line) == ""
	}
	return b.String()
}

var markdownEscapes = strings.NewReplacer(`\`, `\\`, "*", `\*`, "_", `\_`, "<", `\<`, ">", `\>`, "[", `\[`, "]", `\]`, "#", `\#`)

// escapeMarkdown leaves what is between backquotes, which is code, as the name of a flag's value.
func escapeMarkdown(text string) string {
	parts := strings.Split(text, "`")
	for i := 0; i < len(parts); i += 2 {
		parts[i] = markdownEscapes.Replace(parts[i])
	}
	return strings.Join(parts, "`")
}

func TestTextsOfManPagesKeepTheirLines(t *testing.T) {
	have := asMarkdown("Use a_b of <x> and `[c]_`:\n  $A  one\n  $B  two\nMore.\n\n  c *d*\n\n  e\nEnd.")
	want := "Use a\\_b of \\<x\\> and `[c]_`:\n\n      $A  one\n      $B  two\n\nMore.\n\n\n      c *d*\n\n      e\n\nEnd."
	if have != want {
		t.Errorf("%q, want\n%q", have, want)
	}
}
