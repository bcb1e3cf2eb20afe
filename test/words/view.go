package main

import (
	"bytes"
	"cmp"
	"go/scanner"
	"go/token"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// hump is put between the words of an identifier, and underscore stands for an underscore,
// since \b does not match beside a real one. Patterns have a space for both.
const (
	hump       = '\x1f'
	underscore = '\x1e'
)

// written undoes what separate did.
var written = strings.NewReplacer(string(hump), "", string(underscore), "_")

// A view is a part of a file in the form that patterns are matched with. The lines of a
// paragraph or a comment are joined by a space, so that a phrase is found across lines.
// The words of identifiers are separated by hump.
type view struct {
	text   strings.Builder
	starts []start
}

// A start is the offset at which a line of the file begins.
type start struct{ offset, line int }

// add appends a line of the file, or what belongs to it. It is joined to the one before
// if it continues that.
func (v *view) add(line int, text string, continues bool) {
	switch {
	case v.text.Len() == 0:
	case continues:
		v.text.WriteByte(' ')
	default:
		v.text.WriteByte('\n')
	}
	v.starts = append(v.starts, start{v.text.Len(), line})
	v.text.WriteString(separate(text))
}

// line returns the line of the file that holds the offset.
func (v *view) line(offset int) int {
	i, found := slices.BinarySearchFunc(v.starts, offset, func(s start, offset int) int { return cmp.Compare(s.offset, offset) })
	if !found {
		i--
	}
	return v.starts[i].line
}

// separate puts a hump between the words of identifiers: of fellBack, fell_back and
// FELL_BACK alike.
func separate(text string) string {
	var b strings.Builder
	var before rune
	for i, r := range text {
		if unicode.IsUpper(r) && (unicode.IsLower(before) || unicode.IsDigit(before) || unicode.IsUpper(before) && startsWord(text[i:])) {
			b.WriteRune(hump)
		}
		if before = r; r == '_' {
			r = underscore
		}
		b.WriteRune(r)
	}
	return b.String()
}

// startsWord reports whether text begins as Keeper does in SDKKeeper.
func startsWord(text string) bool {
	_, size := utf8.DecodeRuneInString(text)
	next, _ := utf8.DecodeRuneInString(text[size:])
	return unicode.IsLower(next)
}

// views are the views of a file, by scope.
type views [scopes]view

// read makes the views of a file.
func read(file string, data []byte) *views {
	var v views
	leader := leaders[cmp.Or(path.Ext(file), path.Base(file))]
	before := "" // what the line before began with; empty if nothing can continue it
	number := 0
	for text := range strings.Lines(string(data)) {
		number++
		text = strings.TrimSpace(text)
		begin := ""
		switch {
		case text == "":
		case leader == "" && !strings.ContainsAny(text[:1], "|#-*>"):
			begin = "prose"
		case leader != "":
			if rest, ok := strings.CutPrefix(text, leader); ok && rest != "" {
				begin, text = leader, strings.TrimSpace(rest)
			}
		}
		v[everywhere].add(number, text, begin != "" && begin == before)
		if before = begin; begin == "" && leader == "" && text != "" {
			before = "prose" // the next line may continue an item of a list
		}
	}
	if path.Ext(file) == ".go" {
		v.addGo(data)
	}
	return &v
}

// leaders are what a line of comment begins with, by the file's extension or name. Files of
// other kinds are prose.
var leaders = map[string]string{
	".go": "//", ".mod": "//", ".work": "//", ".mjs": "//", ".js": "//", ".java": "//", ".php": "//",
	".lua":  "--",
	".yaml": "#", ".yml": "#", ".sh": "#", ".py": "#", ".rb": "#", ".acl": "#", ".service": "#", ".txtar": "#", ".conf": "#",
	"Makefile": "#", "Dockerfile": "#",
	".json": "\x00",
}

// addGo adds what is special to Go: comments, strings and identifiers.
func (v *views) addGo(data []byte) {
	files := token.NewFileSet()
	file := files.AddFile("", -1, len(data))
	var s scanner.Scanner
	s.Init(file, data, nil, scanner.ScanComments) // errors are the compiler's
	lastComment, lastToken := -1, -1              // lines
	for {
		pos, kind, literal := s.Scan()
		line := file.Line(pos)
		switch kind {
		case token.EOF:
			return
		case token.COMMENT:
			continues := lastComment == line-1 && lastToken < line-1
			for i, text := range strings.Split(literal, "\n") {
				text = strings.TrimSpace(strings.TrimLeft(strings.TrimSuffix(text, "*/"), "/* \t"))
				v[comments].add(line+i, text, (continues || i > 0) && text != "")
			}
			if lastComment = line + strings.Count(literal, "\n"); bytes.Equal(bytes.TrimSpace(bytes.TrimLeft([]byte(literal), "/")), nil) {
				lastComment = -1 // an empty line ends a paragraph
			}
			continue
		case token.STRING:
			for i, text := range strings.Split(literal, "\n") {
				v[literals].add(line+i, text, false)
			}
		case token.IDENT:
			v[identifiers].add(line, literal, false)
		}
		if kind != token.SEMICOLON || literal != "\n" {
			lastToken = line
		}
	}
}
