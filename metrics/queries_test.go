package metrics

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/follower"
	"github.com/catbridge/catbridge/gateway"
	"github.com/catbridge/catbridge/leader"
)

var exportedSeries = regexp.MustCompile(`(?m)^(catbridge_\w+?)(?:\{(.*)\})? \S+$`)

// series returns all metrics of the collectors by name, with the values of each label.
func series(t *testing.T) map[string]map[string][]string {
	t.Helper()
	all := map[string]map[string][]string{}
	out := text(t, at[leader.Stats]{processFamily, leader.Stats{ID: "X"}}) + text(t, at[leader.KeyStats]{leaderFamily, fullLeader()}) +
		text(t, at[follower.Stats]{followerFamily, fullFollower()}) + text(t, at[gateway.Stats]{gatewayFamily, fullGateway()}) +
		text(t, at[reload]{reloadFamily, reload{}})
	for _, m := range exportedSeries.FindAllStringSubmatch(out, -1) {
		if all[m[1]] == nil {
			all[m[1]] = map[string][]string{}
		}
		for _, pair := range matcher.FindAllStringSubmatch(m[2], -1) {
			all[m[1]][pair[1]] = append(all[m[1]][pair[1]], pair[3])
		}
	}
	if len(all) < 40 {
		t.Fatalf("only %d series", len(all))
	}
	return all
}

var (
	selector  = regexp.MustCompile(`\b(catbridge_\w+)(?:\{([^}]*)\})?`)
	matcher   = regexp.MustCompile(`(\w+)\s*(=~|!~|!=|=)\s*"([^"]*)"`)
	byClauses = regexp.MustCompile(`\b(?:by|on|without|group_left|group_right)\s*\(([^)]*)\)`)
)

// scrapeLabels are added by Prometheus.
var scrapeLabels = []string{"cluster", "namespace", "job", "instance", "endpoint"}

// checkQuery reports metrics, labels and values that no collector exports.
func checkQuery(t *testing.T, where, query string, all map[string]map[string][]string) {
	t.Helper()
	labels := map[string]bool{}
	for _, label := range scrapeLabels {
		labels[label] = true
	}
	for _, m := range selector.FindAllStringSubmatch(query, -1) {
		of, ok := all[m[1]]
		if !ok {
			t.Errorf("%s: there is no metric %s", where, m[1])
			continue
		}
		for label := range of {
			labels[label] = true
		}
		for _, pair := range matcher.FindAllStringSubmatch(m[2], -1) {
			checkMatcher(t, where+": "+m[1], pair[1], pair[2], pair[3], of)
		}
	}
	for _, by := range byClauses.FindAllStringSubmatch(query, -1) {
		for label := range strings.FieldsFuncSeq(by[1], func(r rune) bool { return r == ',' || r == ' ' }) {
			if !labels[label] {
				t.Errorf("%s: no metric of %q has a label %s", where, query, label)
			}
		}
	}
}

func checkMatcher(t *testing.T, where, label, op, value string, of map[string][]string) {
	t.Helper()
	values, ok := of[label]
	switch {
	case slices.Contains(scrapeLabels, label) || label == nameLabel && ok:
		return
	case !ok:
		t.Errorf("%s has no label %s", where, label)
		return
	case !strings.Contains(op, "~"):
		if !slices.Contains(values, value) {
			t.Errorf("%s is never of %s %q", where, label, value)
		}
		return
	}
	for part := range strings.SplitSeq(value, "|") {
		if !slices.Contains(values, part) {
			t.Errorf("%s is never of %s %q", where, label, part)
		}
	}
}
