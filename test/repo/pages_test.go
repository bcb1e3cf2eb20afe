package repo

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/internal/testenv/program"
	"github.com/catbridge/catbridge/internal/testenv/root"
)

// pages returns the pages for readers, by their path from the project's folder.
func pages(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/*/*.md", "deploy/*/*.md", "examples/*.md", "test/README.md", "test/*/README.md"} {
		files, err := filepath.Glob(root.Path(t, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			name, err := filepath.Rel(root.Path(t), file)
			if err != nil {
				t.Fatal(err)
			}
			all[filepath.ToSlash(name)] = root.Read(t, name)
		}
	}
	if len(all) < 6 {
		t.Fatalf("%d pages", len(all))
	}
	return all
}

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ (.*)$`)
	noSlug  = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// anchors returns the anchors of a page's headings.
func anchors(text string) map[string]bool {
	all := map[string]bool{}
	for _, m := range heading.FindAllStringSubmatch(text, -1) {
		all[strings.ReplaceAll(noSlug.ReplaceAllString(strings.ToLower(m[1]), ""), " ", "-")] = true
	}
	return all
}

func TestLinksInPagesResolve(t *testing.T) {
	all := pages(t)
	seen := 0
	for page, text := range all {
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			target, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(target, "://") {
				continue
			}
			seen++
			path := page
			if target != "" {
				path = filepath.Join(filepath.Dir(page), target)
			}
			if _, err := os.Stat(root.Path(t, path)); err != nil {
				t.Errorf("%s: %v", page, err)
			} else if anchor != "" && !anchors(all[path])[anchor] {
				t.Errorf("%s: %s has no heading for #%s", page, path, anchor)
			}
		}
	}
	if seen < 20 {
		t.Errorf("%d links", seen)
	}
}

var (
	// commandLine matches a command line of the program, indented as an example or quoted
	// in a sentence.
	commandLine = regexp.MustCompile("(?m)^    (?:\\w+=\\S+ )*(catbridge .*(?:\\\\\n.*)*)$|`(catbridge [^`]*)`")
	flagName    = regexp.MustCompile(`(?:^| )--([a-z][a-z-]*)`)
	word        = regexp.MustCompile(`^[a-z]+$`)
)

// TestCommandsOfThePagesExist asks the program for the help of each command on the pages,
// and looks for the flags there.
func TestCommandsOfThePagesExist(t *testing.T) {
	path := program.Path(t)
	help := map[string]string{}
	seen := map[string]bool{}
	for page, text := range pages(t) {
		for _, block := range fences(text, "sh") { // as if they were indented
			text += "\n    " + strings.ReplaceAll(block, "\n", "\n    ")
		}
		for _, m := range commandLine.FindAllStringSubmatch(text, -1) {
			line, _, _ := strings.Cut(m[1]+m[2], " #")
			var command []string
			for _, part := range strings.Fields(line)[1:] {
				if !word.MatchString(part) {
					break
				}
				command = append(command, part)
			}
			name := strings.Join(command, " ")
			if _, ok := help[name]; !ok {
				out, err := exec.CommandContext(t.Context(), path, append(command, "--help")...).CombinedOutput()
				if help[name] = string(out); err != nil || !strings.Contains(help[name], "catbridge "+name) {
					t.Errorf("%s: unknown command catbridge %s: %v", page, name, err)
				}
			}
			seen[name] = true
			for _, flag := range flagName.FindAllStringSubmatch(line, -1) {
				if !strings.Contains(help[name], "--"+flag[1]+" ") {
					t.Errorf("%s: catbridge %s has no --%s", page, name, flag[1])
				}
			}
		}
	}
	names := slices.Sorted(maps.Keys(seen))
	t.Logf("%q", names)
	if len(names) < 6 {
		t.Error("few commands are seen")
	}
}

var alertName = regexp.MustCompile(`(?m)alert: (\w+)$`)

// TestEveryAlertSaysWhatToDo compares the rules with the page.
func TestEveryAlertSaysWhatToDo(t *testing.T) {
	rules := root.Read(t, "deploy/prometheus/alerts.yml")
	page := pages(t)["docs/operations.md"]
	defined := map[string]bool{}
	for _, m := range alertName.FindAllStringSubmatch(rules, -1) {
		defined[m[1]] = true
		if !strings.Contains(page, "`"+m[1]+"`") {
			t.Errorf("docs/operations.md does not say what to do about %s", m[1])
		}
	}
	for _, m := range regexp.MustCompile("`(Catbridge\\w+)`").FindAllStringSubmatch(page, -1) {
		if !defined[m[1]] {
			t.Errorf("unknown alert %s", m[1])
		}
	}
}

// TestContributingNamesTheTargets compares the page with the Makefile.
func TestContributingNamesTheTargets(t *testing.T) {
	page := root.Read(t, "CONTRIBUTING.md")
	makefile := root.Read(t, "Makefile")
	for _, target := range regexp.MustCompile(`(?m)^([a-z-]+):.*## `).FindAllStringSubmatch(makefile, -1) {
		if name := target[1]; name != "help" && !strings.Contains(page, "`make "+name) {
			t.Errorf("make %s is not named", name)
		}
	}
}
