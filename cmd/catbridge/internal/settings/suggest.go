package settings

import (
	"fmt"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// unknown returns the error for an unknown setting, with a suggestion. It quotes only names
// that cannot be secrets.
func unknown(prefix string, key *yaml.Node, table []*setting) string {
	switch {
	case key.Value == "<<":
		return "merge keys (<<) are not supported"
	case key.Kind != yaml.ScalarNode || !settingName.MatchString(key.Value):
		return "unknown setting"
	}
	var names []string
	for _, s := range table {
		if rest, ok := strings.CutPrefix(s.path, prefix); ok {
			group, _, _ := strings.Cut(rest, ".")
			names = append(names, prefix+group, s.path)
			names = append(names, s.oldNames()...)
		}
	}
	text := fmt.Sprintf("unknown setting %q", prefix+key.Value)
	if strings.Contains(key.Value, ".") && find(table, prefix+key.Value) != nil {
		return text + ": write nested settings with indentation, not with dots"
	}
	if near := similar(prefix+key.Value, names, min(1+len(key.Value)/3, (len(key.Value)-1)/2)); near != "" {
		return text + "; did you mean " + current(near) + "?"
	}
	return text + ": deploy/catbridge.yaml in the repository shows all settings"
}

// similar returns the name that word is probably meant to be: the nearest one, or else the only
// one that contains its words or that it abbreviates, as addrs does addresses. It returns "" if
// no name is similar.
func similar(word string, names []string, least int) string {
	if near := Nearest(word, names, least); near != "" {
		return near
	}
	found := ""
	for _, name := range names {
		switch {
		case !partOf(word, name) && !abbreviates(word, name) || current(name) == current(found):
		case found != "":
			return "" // ambiguous
		default:
			found = name
		}
	}
	return found
}

// lastName returns the groups of a setting, with the dot at their end, and its name in them.
func lastName(path string) (groups, name string) {
	dot := strings.LastIndexByte(path, '.') + 1
	return path[:dot], path[dot:]
}

// partOf reports whether the name consists of word and more words, in the same group.
func partOf(word, name string) bool {
	group, short := lastName(word)
	groupOfName, long := lastName(name)
	return group == groupOfName && len(short) > 2 && strings.Contains("_"+long+"_", "_"+short+"_")
}

// abbreviates reports whether word is the name without some of its letters, at most half of
// them.
func abbreviates(word, name string) bool {
	group, short := lastName(word)
	groupOfName, long := lastName(name)
	if group != groupOfName || len(short) < 4 || 2*len(short) < len(long) || short[0] != long[0] {
		return false
	}
	for i := range len(long) {
		if short != "" && short[0] == long[i] {
			short = short[1:]
		}
	}
	return short == ""
}

var settingName = regexp.MustCompile(`^[A-Za-z_.-]{1,40}$`)

// Nearest returns the name that is most similar to word, or "" if every name differs by more
// than least letters.
func Nearest(word string, names []string, least int) string {
	best := ""
	for _, name := range names {
		if strings.HasSuffix(name, "."+word) {
			return name
		}
		if d := distance(word, name); d <= least && (best == "" || d < distance(word, best)) {
			best = name
		}
	}
	return best
}

// distance returns the Levenshtein distance.
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
