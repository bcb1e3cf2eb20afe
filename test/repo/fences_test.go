package repo

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// fence is a block of a page between lines of three backquotes.
type fence struct {
	page     string
	line     int // of its first line, from 1
	language string
	text     string // without the indentation of the fence, each line with its end
}

func (f fence) String() string { return fmt.Sprintf("%s:%d", f.page, f.line) }

var fenceLine = regexp.MustCompile("^( *)```(.*)$")

// fencesOf returns the blocks of a page, and the lines that are indented as a block without a fence.
func fencesOf(page, text string) (all []fence, indented []int) {
	var open *fence
	indentation, before := "", ""
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimSuffix(line, "\n")
		switch m := fenceLine.FindStringSubmatch(line); {
		case m != nil && open == nil:
			indentation, open = m[1], &fence{page: page, line: number + 1, language: m[2]}
		case m != nil:
			all = append(all, *open)
			open = nil
		case open != nil:
			open.text += strings.TrimPrefix(line, indentation) + "\n"
		case before == "" && (strings.HasPrefix(line, "    ") || strings.HasPrefix(line, "\t")):
			indented = append(indented, number)
		}
		before = line
	}
	if open != nil {
		all = append(all, fence{page: page, line: open.line, language: "unclosed"})
	}
	return all, indented
}

// fences returns the blocks of a language on a page.
func fences(text, language string) (blocks []string) {
	all, _ := fencesOf("", text)
	for _, f := range all {
		if f.language == language {
			blocks = append(blocks, f.text)
		}
	}
	return blocks
}

// languages are those of blocks. sh is for commands and nothing else, console for a command and its output.
var languages = []string{"sh", "console", "text", "yaml", "go", "js", "python", "java", "kotlin", "csharp", "php", "ruby"}

// TestBlocksHaveALanguage requires a fence and a language for each block, so that no command escapes
// TestCommandsOfThePages. Steps in numbered lists, as in CONTRIBUTING.md, may be indented.
func TestBlocksHaveALanguage(t *testing.T) {
	seen := 0
	for page, text := range pages(t) {
		all, indented := fencesOf(page, text)
		for _, f := range all {
			seen++
			if !slices.Contains(languages, f.language) {
				t.Errorf("%s: the language is %q, want one of %q", f, f.language, languages)
			}
		}
		for _, line := range indented {
			if page != "CONTRIBUTING.md" {
				t.Errorf("%s:%d: write a block between lines of three backquotes, with its language", page, line)
			}
		}
	}
	if seen < 50 {
		t.Errorf("%d blocks", seen)
	}
}

func TestFencesAreFound(t *testing.T) {
	const page = "# Title\n```sh\na\n\nb\n```\n* item\n\n  ```text\n  c\n    d\n  ```\n\n    e\n    f\n```go\n"
	all, indented := fencesOf("p", page)
	want := []fence{{"p", 3, "sh", "a\n\nb\n"}, {"p", 10, "text", "c\n  d\n"}, {"p", 17, "unclosed", ""}}
	if !slices.Equal(all, want) || !slices.Equal(indented, []int{14}) {
		t.Errorf("found %q and %d, want %q and [14]", all, indented, want)
	}
}
