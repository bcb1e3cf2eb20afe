package main

import (
	"fmt"
	"regexp"
	"strings"
)

const repository = "https://github.com/catbridge/catbridge/blob/"

var relativeLink = regexp.MustCompile(`\]\(([^)#:]+(?:#[^)]*)?)\)`)

// notes returns the section of a version, or of Unreleased, in the form of a release on GitHub: there
// each line break is one, and links need a host.
func notes(changelog, title string) (string, error) {
	heading, revision := "## ["+strings.TrimPrefix(title, "v")+"]", title
	if title == "Unreleased" {
		revision = "main"
	}
	_, section, found := strings.Cut("\n"+changelog, "\n"+heading)
	if !found {
		return "", fmt.Errorf("CHANGELOG.md has no section %s", heading)
	}
	_, section, _ = strings.Cut(section, "\n") // the date
	section, _, _ = strings.Cut(section, "\n## ")
	if strings.TrimSpace(section) == "" {
		return "", fmt.Errorf("CHANGELOG.md: the section %s is empty", heading)
	}
	return relativeLink.ReplaceAllString(unwrapped(section), "]("+repository+revision+"/$1)"), nil
}

// unwrapped joins the lines of each paragraph and of each item of a list.
func unwrapped(text string) string {
	var lines []string
	for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		last := len(lines) - 1
		if last < 0 || line == "" || lines[last] == "" || strings.HasPrefix(lines[last], "#") || startsBlock(line) {
			lines = append(lines, line)
			continue
		}
		lines[last] += " " + strings.TrimSpace(line)
	}
	return strings.Join(lines, "\n") + "\n"
}

// startsBlock reports whether a line is a heading, an item, a row or code.
func startsBlock(line string) bool {
	return strings.HasPrefix(line, "#") || strings.HasPrefix(strings.TrimSpace(line), "- ") || strings.HasPrefix(line, "|") || strings.HasPrefix(line, "    ")
}
