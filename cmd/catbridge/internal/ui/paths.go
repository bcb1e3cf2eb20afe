package ui

import (
	"fmt"
	"net/url"
	"strings"
)

// pathOf returns the path of a page of an SDK key, escaped: flags, or flags and the key of a flag.
func pathOf(kind, label string, rest ...any) string {
	parts := []string{"/ui/sdk", segment(label), kind}
	for _, part := range rest {
		parts = append(parts, segment(fmt.Sprint(part)))
	}
	return strings.Join(parts, "/")
}

// segment returns a name as a segment of a path. Browsers and servers resolve segments of dots, even
// escaped ones, and drop empty ones and slashes, so those get a mark in front.
func segment(name string) string {
	if strings.Trim(name, "./") == "" || strings.HasPrefix(name, segmentMark) {
		name = segmentMark + name
	}
	return url.PathEscape(name)
}

// segmentMark is what no other name starts with in a path.
const segmentMark = "~"

// fromSegment returns the name of an unescaped segment.
func fromSegment(text string) string { return strings.TrimPrefix(text, segmentMark) }
