package settings

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// unknown says that there is no such setting, and which one may be meant.
func unknown(prefix string, key *yaml.Node, table []*setting) string {
	name := strings.TrimSuffix(quote(prefix+key.Value), `"`)
	if key.Kind != yaml.ScalarNode || !strings.HasPrefix(name, `"`) {
		return "there is no such setting"
	}
	var names []string
	for _, s := range table {
		rest, ok := strings.CutPrefix(s.path, prefix)
		if !ok {
			continue
		}
		group, _, _ := strings.Cut(rest, ".")
		names = append(names, group, s.path)
	}
	text := fmt.Sprintf("there is no setting %s\"", name)
	if key.Value == "<<" {
		text = "merge keys (<<) are not known here"
	}
	if near := nearest(key.Value, names, 1+len(key.Value)/3); near != "" {
		text += "; did you mean " + strings.TrimPrefix(near, prefix) + "?"
	}
	return text
}

// nearest gives the name that differs least, by so many letters at most; empty: there
// is none.
func nearest(word string, names []string, least int) string {
	best := ""
	for _, name := range names {
		if last := name[strings.LastIndexByte(name, '.')+1:]; word == last {
			return name
		}
		if d := distance(word, name); d <= least && (best == "" || d < distance(word, best)) {
			best = name
		}
	}
	return best
}

// distance is Levenshtein's: how many letters differ.
func distance(a, b string) int {
	const most = 64
	if len(a) > most || len(b) > most {
		return most
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
