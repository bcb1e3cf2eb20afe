package interop

import (
	"fmt"
	"maps"
	"math/big"
	"regexp"
	"slices"
	"strings"
)

// The questions for the official SDK where it interprets a string differently, see
// [deliberate].

// askForDigits converts whole numbers that float64 may not represent to strings.
func askForDigits(s *subject) bool {
	user, _ := clone(s.evaluation.User).(object)
	custom, _ := user["Custom"].(object)
	changed := false
	for name, value := range custom {
		typed, _ := value.(object)
		digits, _ := typed["$int"].(string)
		if whole, ok := new(big.Int).SetString(digits, 10); ok && whole.CmpAbs(big.NewInt(1<<53)) > 0 {
			custom[name] = digits
			s.evaluation.User, s.ownLog, changed = user, true, true
		}
	}
	return changed
}

// askWithoutHalves replaces halves of surrogate pairs by U+FFFD.
func askWithoutHalves(s *subject) bool {
	changed := false
	whole := func(text string) string {
		replaced := strings.ReplaceAll(text, loneSurrogate, "\ufffd")
		changed = changed || replaced != text
		return replaced
	}
	s.config = mapTree(s.config, whole)
	s.evaluation.Key = whole(s.evaluation.Key)
	s.evaluation.Default = mapTree(s.evaluation.Default, whole)
	s.evaluation.User = mapTree(s.evaluation.User, whole)
	return askFor(s, " without halves", []comparatorKind{listComparators}, func(text string) (any, bool) {
		replaced := loneEscape.ReplaceAllString(text, "\ufffd$1")
		return replaced, replaced != text
	}, nil) || changed
}

const space = `[\s\p{Zs}\x{2028}\x{2029}\x{feff}\v]`

var (
	zeroAndSpace = regexp.MustCompile(`^` + space + `*0` + space + `+$`)
	vPrefix      = regexp.MustCompile(`^` + space + `*v`)
	loneEscape   = regexp.MustCompile(`\\ud83d($|[^\\]|\\[^u])`) // in a string that is a JSON array
	longDigits   = regexp.MustCompile(`[1-9][0-9]{15,}`)
)

// askForZeros replaces zeros with trailing spaces by numbers, in comparisons of numbers.
func askForZeros(s *subject) bool {
	return askFor(s, " as a number", []comparatorKind{numberComparators, dateComparators}, func(text string) (any, bool) {
		return 0, zeroAndSpace.MatchString(text)
	}, nil)
}

// askWithoutPrefixes replaces versions with the prefix v by versions that the SDK considers
// invalid.
func askWithoutPrefixes(s *subject) bool {
	change := func(text string) (any, bool) { return "no version", vPrefix.MatchString(text) }
	return askFor(s, " without v", []comparatorKind{versionComparators}, change, change)
}

// askForShortIdentifiers replaces numbers in pre-releases that JavaScript cannot represent
// by numbers that it can, in the same order.
func askForShortIdentifiers(s *subject) bool {
	const from = 9_007_199_254_740_000
	all := map[string]*big.Int{}
	for _, digits := range longDigits.FindAllString(jsonText(s.config)+jsonText(s.evaluation.User), -1) {
		if number, _ := new(big.Int).SetString(digits, 10); number.Cmp(big.NewInt(from)) >= 0 {
			all[digits] = number
		}
	}
	order := slices.SortedFunc(maps.Values(all), (*big.Int).Cmp)
	change := func(text string) (any, bool) {
		before, pre, found := strings.Cut(text, "-")
		if !found || len(strings.TrimSpace(text)) > 256 || strings.ContainsRune(before, '+') {
			return text, false
		}
		pre, build, built := strings.Cut(pre, "+")
		identifiers := strings.Split(pre, ".")
		for i, id := range identifiers {
			trimmed := strings.TrimSpace(id)
			if number, ok := all[trimmed]; ok {
				identifiers[i] = strings.Replace(id, trimmed, fmt.Sprint(from+slices.Index(order, number)), 1)
			}
		}
		changed := before + "-" + strings.Join(identifiers, ".")
		if built {
			changed += "+" + build
		}
		return changed, changed != text
	}
	return askFor(s, " with short identifiers", []comparatorKind{versionComparators}, change, change)
}

// askFor changes what conditions with comparators of some kinds compare. If it changes an
// attribute, these conditions use a new attribute, so that the original one stays for other
// conditions and percentage options. The log differs then, too.
func askFor(s *subject, suffix string, kinds []comparatorKind, attribute, comparand func(text string) (any, bool)) bool {
	user, _ := clone(s.evaluation.User).(object) // nil: none
	custom, _ := user["Custom"].(object)
	changed := false
	s.config = mapObjects(s.config, func(o object) object {
		comparator, ok := o["c"].(int)
		name, named := o["a"].(string)
		if !ok || !named || !slices.Contains(kinds, kindOf(comparator)) {
			return o
		}
		o = maps.Clone(o)
		text, ok := user[name].(string)
		if !ok {
			text, ok = custom[name].(string)
		}
		if value, wanted := attribute(text); ok && wanted {
			if custom == nil {
				custom = object{}
				user["Custom"] = custom
			}
			o["a"], custom[name+suffix], changed = name+suffix, value, true
		}
		if comparand != nil {
			for _, operand := range []string{"s", "l"} {
				o[operand] = mapTree(o[operand], func(text string) string {
					value, wanted := comparand(text)
					if !wanted {
						return text
					}
					changed = true
					return value.(string)
				})
			}
		}
		return o
	})
	if user != nil {
		s.evaluation.User = user
	}
	s.ownLog = s.ownLog || changed
	return changed
}
