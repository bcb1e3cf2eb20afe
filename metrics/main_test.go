package metrics

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/prometheus/common/expfmt"
	"go.uber.org/goleak"

	"github.com/catbridge/catbridge/follower"
	"github.com/catbridge/catbridge/gateway"
	"github.com/catbridge/catbridge/leader"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type fixedLeader struct{ stats leader.Stats }

func (l fixedLeader) Stats() leader.Stats { return l.stats }

type fixedFollower struct{ stats follower.Stats }

func (f fixedFollower) Stats() follower.Stats { return f.stats }

// text returns the metrics of a collector in the format of Prometheus.
func text(t testing.TB, c prometheus.Collector) string {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	if err := registry.Register(c); err != nil {
		t.Fatal(err)
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for _, f := range families {
		if _, err := expfmt.MetricFamilyToText(&b, f); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

func lint(t testing.TB, c prometheus.Collector) {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	if err := registry.Register(c); err != nil {
		t.Fatal(err)
	}
	problems, err := testutil.GatherAndLint(registry)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

func wantLines(t testing.TB, text string, lines ...string) {
	t.Helper()
	all := "\n" + text
	for _, line := range lines {
		if !strings.Contains(all, "\n"+line+"\n") {
			name, _, _ := strings.Cut(line, "{")
			var have strings.Builder
			for l := range strings.Lines(text) {
				if strings.HasPrefix(l, name) {
					have.WriteString(l)
				}
			}
			t.Errorf("no line %s, but\n%s", line, have.String())
		}
	}
}

var testNow = time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)

// at collects a family at a fixed time.
type at[S any] struct {
	family[S]
	stats S
}

func (a at[S]) Describe(to chan<- *prometheus.Desc) { a.describe(to) }

func (a at[S]) Collect(to chan<- prometheus.Metric) {
	a.collect(to, &a.stats, testNow, []string{"main"}[:len(a.labels)]...)
}

func fullLeader() leader.KeyStats {
	return leader.KeyStats{
		Name: "main", State: leader.StateSteady, Since: testNow.Add(-time.Hour), LastContact: testNow, LastAnswer: testNow.Add(-time.Minute),
		PollError: "x", WriteError: "x", Rev: testNow.UnixMilli(), HeldUntil: testNow,
	}
}

func fullFollower() follower.Stats {
	return follower.Stats{State: follower.StateLive, Source: follower.SourceBlob, LastConfirmed: testNow.Add(-time.Second)}
}

func fullGateway() gateway.Stats {
	return gateway.Stats{Answers: map[int]uint64{200: 1, 304: 2, 404: 1, 503: 1}, OtherAnswers: map[gateway.Answer]uint64{{Route: "/api/{sdkId}/eval", Status: 200}: 1}, Agents: map[string]uint64{"ConfigCat-Node/a-11.3.1": 1}}
}

func TestNamesUnitsAndHelpsPassPrometheusLint(t *testing.T) {
	lint(t, at[leader.KeyStats]{leaderFamily, fullLeader()})
	lint(t, at[follower.Stats]{followerFamily, fullFollower()})
	lint(t, at[gateway.Stats]{gatewayFamily, fullGateway()})
	lint(t, NewReloadCollector())
	lint(t, NewLeaderCollector(fixedLeader{leader.Stats{ID: "X"}}))
}

func TestEveryNameHasItsPrefix(t *testing.T) {
	for _, m := range leaderFamily.metrics {
		if !strings.HasPrefix(m.name, "catbridge_leader_") {
			t.Error(m.name)
		}
	}
	for _, m := range followerFamily.metrics {
		if !strings.HasPrefix(m.name, "catbridge_follower_") {
			t.Error(m.name)
		}
	}
	for _, m := range gatewayFamily.metrics {
		if !strings.HasPrefix(m.name, "catbridge_gateway_") {
			t.Error(m.name)
		}
	}
}
