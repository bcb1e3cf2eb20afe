package evaluate

import (
	"strconv"
	"strings"

	"github.com/Masterminds/semver/v3"
)

// operand is a comparison value in the form that its comparator needs.
type operand struct {
	texts     map[string]struct{} // long lists in clear text
	salt      string              // for the hashes: see compiler.saltFor
	digests   []digest            // hashed strings
	digestSet map[digest]struct{} // digests of long lists
	slices    []hashedSlice       // hashed first or last bytes
	versions  []*semver.Version
	// invalidVersion reports that a version is invalid, which makes the condition false.
	invalidVersion bool
}

// hashedSlice is the hash of a string's first or last bytes.
type hashedSlice struct {
	length int64
	digest digest
	state  sliceState
}

type sliceState uint8

const (
	sliceMatchable sliceState = iota
	sliceNeverMatches
	sliceMalformed
)

// Lists up to these lengths are searched item by item; longer ones become sets.
const (
	maxSearchedTexts   = 4
	maxSearchedDigests = 8
)

func (c *compiler) compileOperand(condition *Condition, context string) {
	switch {
	case condition.comparator.isHashed():
		c.salted = true
		if c.saltErr != nil {
			condition.valueErr = c.saltErr
			return
		}
		condition.operand = hashedOperand(condition, c.saltFor(context))
	case condition.comparator <= textIsNotOneOf,
		condition.comparator == arrayContainsAnyOf, condition.comparator == arrayNotContainsAnyOf:
		if len(condition.list) > maxSearchedTexts {
			texts := make(map[string]struct{}, len(condition.list))
			for _, item := range condition.list {
				texts[item] = struct{}{}
			}
			condition.operand = &operand{texts: texts}
		}
	case condition.comparator >= semVerIsOneOf && condition.comparator <= semVerGreaterOrEquals:
		condition.operand = versionOperand(condition)
	}
}

func hashedOperand(condition *Condition, salt string) *operand {
	o := &operand{salt: salt}
	switch condition.comparator {
	case hashedTextEquals, hashedTextNotEquals:
		if d, ok := parseDigest(condition.text); ok {
			o.digests = []digest{d}
		}
	case hashedTextStartsWithAnyOf, hashedTextNotStartsWithAnyOf, hashedTextEndsWithAnyOf, hashedTextNotEndsWithAnyOf:
		o.slices = make([]hashedSlice, len(condition.list))
		for i, item := range condition.list {
			o.slices[i] = parseSlice(item)
		}
	default:
		o.setDigests(condition.list)
	}
	return o
}

func (o *operand) setDigests(list []string) {
	if len(list) <= maxSearchedDigests {
		o.digests = make([]digest, 0, len(list))
		for _, item := range list {
			if d, ok := parseDigest(item); ok {
				o.digests = append(o.digests, d)
			}
		}
		return
	}
	o.digestSet = make(map[digest]struct{}, len(list))
	for _, item := range list {
		if d, ok := parseDigest(item); ok {
			o.digestSet[d] = struct{}{}
		}
	}
}

// parseSlice parses "{length}_{hash}" (S37).
func parseSlice(item string) hashedSlice {
	lengthText, hash, found := strings.Cut(item, "_")
	if !found || hash == "" {
		return hashedSlice{state: sliceMalformed}
	}
	length, ok := parseLength(lengthText)
	if !ok {
		return hashedSlice{state: sliceMalformed}
	}
	d, ok := parseDigest(hash)
	if !ok {
		return hashedSlice{state: sliceNeverMatches}
	}
	return hashedSlice{length: length, digest: d}
}

// parseLength parses a whole number that is not negative. A sign and surrounding white space are
// allowed.
func parseLength(text string) (int64, bool) {
	length, err := strconv.ParseInt(trimSpace(text), 10, 64)
	if err != nil || length < 0 || length > maxInteger {
		return 0, false
	}
	return length, true
}

func versionOperand(condition *Condition) *operand {
	o := &operand{}
	items := condition.list
	if condition.comparator.comparand() == comparesText {
		items = []string{condition.text}
	}
	o.versions = make([]*semver.Version, 0, len(items))
	for _, item := range items {
		if item == "" && condition.comparator <= semVerIsNotOneOf {
			continue // S38: empty items are ignored
		}
		version := parseVersion(item)
		if version == nil {
			o.invalidVersion = true
			o.versions = nil
			break
		}
		o.versions = append(o.versions, version)
	}
	return o
}
