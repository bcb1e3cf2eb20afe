package harness

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestMonitorLinesAreParsed(t *testing.T) {
	for server, line := range map[string]string{
		"Redis":  `1339518083.107412 [0 lua] "set" "a b" "" "x\n\"y\" \"\\z"`,
		"Valkey": `1339518083.107412 [0 lua] "set" "a b" "" "x\n"y"\z"`,
	} {
		r, err := parseRan(line)
		if err != nil || !r.script || r.at != 1339518083107412*time.Microsecond || len(r.args) != 4 ||
			!slices.Equal(r.args[:3], []string{"SET", "a b", ""}) || !strings.HasPrefix(r.args[3], `x\n`) {
			t.Errorf("%s: %+v, %v", server, r, err)
		}
	}
	if r, err := parseRan(`1.000002 [0 127.0.0.1:60866] "ping"`); err != nil || r.script || r.args[0] != "PING" {
		t.Errorf("%+v, %v", r, err)
	}
	for _, line := range []string{"", "OK", `1.2 [0 lua]`, `1.2 [0 lua] set`, `1 [0 lua] "set"`, `1.2 [0 lua] "set`, `1.2 [0 lua] "`} {
		if r, err := parseRan(line); err == nil {
			t.Errorf("%q is %+v", line, r)
		}
	}
}
