package interop

import (
	"strconv"
	"strings"
)

var versions = []string{
	"1.2.3", "1.2.4", "1.10.0", "0.0.0", "2.0.0", "1.2.3-alpha", "1.2.3-alpha.1", "1.2.3-alpha.10", "1.2.3-alpha.2", "1.2.3-ALPHA",
	"1.2.3-beta", "1.2.3-0", "1.2.3-00", "1.2.3-01", "1.2.3-0a", "1.2.3+build", "1.2.3+build.1", "1.2.3+001", "1.2.3-alpha+build", "1.2.3-a-b", "1.2.3--",
	"1.2.3-", "1.2.3+", "1.2.3-a..b", "1.2.3-a.", "1.2.3-+b", "1.2.3+a+b", "01.2.3", "1.02.3", "1.2.03", "1.2", "1", "1.2.3.4", "", " ", "v1.2.3", "V1.2.3",
	"=1.2.3", " 1.2.3 ", "\u00a01.2.3\ufeff", "1. 2.3", "1.2.3 -a", "-1.2.3", "+1.2.3", "1.2.x", "1.2.*", "^1.2.3", "1..3", ".1.2", "a.b.c", "1.2.3-é", "１.2.3",
	"9007199254740991.0.0", "9007199254740992.0.0", "0.9007199254740992.0", "0.0.9007199254740992", "18446744073709551616.0.0",
	"1.0.0-9007199254740991", "1.0.0-9007199254740992", "1.0.0-9007199254740993", "1.0.0-18446744073709551615", "1.0.0-18446744073709551616",
	"1.0.0-99999999999999999999", "1.0.0-99999999999999999998", "1.0.0-9.99999999999999999999", "1.0.0-10",
	"1.0.0-" + strings.Repeat("a", 250), "1.0.0-" + strings.Repeat("a", 251), "1.0.0+" + strings.Repeat("0", 250), " 1.0.0-" + strings.Repeat("a", 250) + " ",
	"1.0.0-" + strings.Repeat("9", 249), "1.0.0-" + strings.Repeat("é", 130), "\n1.2.3", "1.2.3\n", "1.2.3\x00",
}

// version returns a SemVer version, or nearly one.
func (g *generator) version() string {
	if g.chance(60) {
		return pick(g, g.versions...)
	}
	return g.anyVersion()
}

func (g *generator) anyVersion() string {
	if g.chance(30) {
		text := pick(g, versions...)
		for g.chance(20) {
			text = g.mutate(text, "0123456789...--++ vaA")
		}
		return text
	}
	small := func() string { return strconv.Itoa(g.IntN(3)) }
	text := small() + "." + small() + "." + small()
	if g.chance(40) {
		text += "-" + g.identifiers()
	}
	if g.chance(15) {
		text += "+" + g.identifiers()
	}
	return text
}

func (g *generator) identifiers() string {
	var list []string
	for range 1 + g.IntN(3) {
		list = append(list, pick(g, "0", "1", "2", "10", "a", "b", "A", "rc", "rc1", "rc-1", "-", "alpha"))
	}
	return strings.Join(list, ".")
}
