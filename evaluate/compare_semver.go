package evaluate

import (
	"strings"

	"github.com/Masterminds/semver/v3"
)

// maxVersionLength bounds the versions that are compared, as the official SDKs do.
const maxVersionLength = 256

// parseVersion reads a strict SemVer 2.0 version with spaces around it; nil if
// the text is none (S29).
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

// version is the attribute as SemVer comparators see it, nil if it is no version.
func (a *attribute) version() *semver.Version {
	if a.kind != attributeText || strings.IndexByte(a.text, '.') < 0 {
		return nil
	}
	return parseVersion(a.text)
}

// compareVersion applies a SemVer comparator. An invalid comparison value makes
// the condition false, whatever it asks (S38).
func (c *Condition) compareVersion(version *semver.Version) outcome {
	o := c.operand
	if o.invalidVersion {
		return noMatch
	}
	switch c.comparator {
	case SemVerIsOneOf, SemVerIsNotOneOf:
		found := false
		for _, item := range o.versions {
			if found = version.Compare(item) == 0; found {
				break
			}
		}
		return outcomeOf(found != (c.comparator == SemVerIsNotOneOf))
	case SemVerLess:
		return outcomeOf(version.Compare(o.versions[0]) < 0)
	case SemVerLessOrEquals:
		return outcomeOf(version.Compare(o.versions[0]) <= 0)
	case SemVerGreater:
		return outcomeOf(version.Compare(o.versions[0]) > 0)
	default:
		return outcomeOf(version.Compare(o.versions[0]) >= 0)
	}
}
