package main

import (
	"path"
	"regexp"
	"strings"
)

// A rule is a word or phrase that this project does not use.
type rule struct {
	name    string // for exceptions
	pattern string // a regular expression without regard to case, of whole words; see compile
	lawful  string // matches that break no rule: a regular expression, too
	in      scope
	below   string // the files that the rule is for, as in a list of folders; empty: all
	write   string // what to write instead
}

// scope is the part of a file that a rule is for.
type scope int

const (
	everywhere  scope = iota // each line, and the file's name
	comments                 // Go's comments
	literals                 // Go's strings
	identifiers              // Go's identifiers, each on a line of its own
	scopes
)

// compile returns the regular expression of a pattern. A space stands for a space, for a
// hyphen, and for what separates the words of an identifier: "fell back" matches fellBack
// and fell_back, too. A tilde stands for all but the space: "fell~back" matches only names.
func compile(pattern string) *regexp.Regexp {
	pattern = strings.ReplaceAll(pattern, " ", `[ \x1e\x1f-]`)
	pattern = strings.ReplaceAll(pattern, "~", `[\x1e\x1f-]`)
	return regexp.MustCompile(`(?im)(?:` + pattern + `)`)
}

// A matcher is a rule with its patterns compiled.
type matcher struct {
	rule
	pattern, lawful *regexp.Regexp // lawful: nil for none
}

func compileAll(rules []rule) []matcher {
	var all []matcher
	for _, r := range rules {
		m := matcher{rule: r, pattern: compile(r.pattern)}
		if r.lawful != "" {
			m.lawful = compile(r.lawful)
		}
		all = append(all, m)
	}
	return all
}

// checkFile applies the rules to a file and its name.
func checkFile(file string, data []byte, rules []matcher) []finding {
	lines := strings.Split(string(data), "\n")
	views := read(file, data)
	var name view
	name.add(0, file, false)
	var findings []finding
	for _, r := range rules {
		if !r.isFor(file) {
			continue
		}
		find := func(v *view, textOf func(line int) string) {
			for _, match := range r.find(v.text.String()) {
				line := v.line(match[0])
				matched := written.Replace(v.text.String()[match[0]:match[1]])
				findings = append(findings, finding{
					file: file, line: line, text: textOf(line), match: matched, rule: r.name, write: r.write,
				})
			}
		}
		if r.in == everywhere {
			find(&name, func(int) string { return path.Base(file) })
		}
		find(&views[r.in], func(line int) string { return lines[line-1] })
	}
	return findings
}

func (r *rule) isFor(file string) bool {
	if r.below == "" {
		return true
	}
	for folder := range strings.FieldsSeq(r.below) {
		if covers(folder, file) {
			return true
		}
	}
	return false
}

// find returns the places in text where the rule is broken.
func (m *matcher) find(text string) [][]int {
	var places [][]int
	for _, match := range m.pattern.FindAllStringIndex(text, -1) {
		if m.lawful == nil || !m.lawful.MatchString(text[match[0]:match[1]]) {
			places = append(places, match)
		}
	}
	return places
}
