package evaluate

import (
	"strings"

	"github.com/Masterminds/semver/v3"
)

// maxVersionLength is the greatest length of a valid version, as in the official SDKs.
const maxVersionLength = 256

// parseVersion parses a strict SemVer 2.0 version surrounded by optional white space. It returns
// nil if the string is not a valid version (S29).
func parseVersion(text string) *semver.Version {
	text = trimSpace(text)
	if len(text) > maxVersionLength {
		return nil
	}
	version, err := semver.StrictNewVersion(text)
	if err != nil || version.Major() > maxInteger || version.Minor() > maxInteger || version.Patch() > maxInteger {
		return nil
	}
	return version
}

// version returns nil if the attribute is not a valid version.
func (a *attribute) version() *semver.Version {
	if a.kind != attributeText || strings.IndexByte(a.text, '.') < 0 {
		return nil
	}
	return parseVersion(a.text)
}

// compareVersion applies a SemVer comparator. With an invalid comparison value, no condition
// matches, not even a negated one (S38).
func (c *Condition) compareVersion(version *semver.Version) outcome {
	o := c.operand
	if o.invalidVersion {
		return noMatch
	}
	switch c.comparator {
	case semVerIsOneOf, semVerIsNotOneOf:
		found := false
		for _, item := range o.versions {
			if found = version.Compare(item) == 0; found {
				break
			}
		}
		return outcomeOf(found != (c.comparator == semVerIsNotOneOf))
	case semVerLess:
		return outcomeOf(version.Compare(o.versions[0]) < 0)
	case semVerLessOrEquals:
		return outcomeOf(version.Compare(o.versions[0]) <= 0)
	case semVerGreater:
		return outcomeOf(version.Compare(o.versions[0]) > 0)
	default:
		return outcomeOf(version.Compare(o.versions[0]) >= 0)
	}
}
