package metrics

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/catbridge/catbridge/follower"
	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/leader"
)

const testKey = "configcat-sdk-1/aaaaaaaaaaaaaaaaaaaaaa/bbbbbbbbbbbbbbbbbbbbbb"

// A real leader and follower, in virtual time.
func TestRunningBridgeIsExported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, cdn := redistest.Virtual(t), fakecdn.New()
		l, err := leader.New(leader.Config{
			Redis: server.Client(t, nil), Transport: cdn, SDKKeys: []leader.SDKKey{{Key: testKey, BaseURL: "http://cdn.test"}},
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() { _ = l.Run(ctx) })
		defer wg.Wait()
		defer cancel()
		time.Sleep(10 * time.Second)
		client, err := follower.New(follower.Config{SDKKey: testKey, Redis: server.Client(t, nil)})
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		<-client.Ready()
		cdn.Publish()
		time.Sleep(time.Minute)
		client.GetBoolValue("none", false, nil)
		synctest.Wait()

		followers := NewFollowerCollector()
		if err := followers.Add("shop", client); err != nil {
			t.Fatal(err)
		}
		leaders := NewLeaderCollector(l)
		lint(t, leaders)
		lint(t, followers)
		leads, follows := text(t, leaders), text(t, followers)
		const key = `sdk_key="…bbbbbb"`
		wantLines(t, leads,
			`catbridge_leader_is_leader{`+key+`} 1`, `catbridge_leader_state{`+key+`,state="steady"} 1`, `catbridge_leader_state{`+key+`,state="warm"} 0`,
			`catbridge_leader_commits_total{`+key+`} 2`, `catbridge_leader_polls_total{outcome="config",`+key+`} 2`,
			`catbridge_leader_poll_interval_seconds{`+key+`} 55`, `catbridge_leader_info{leader_id="`+l.ID()+`"} 1`)
		wantLines(t, follows,
			`catbridge_follower_state{sdk_key="shop",state="live"} 1`, `catbridge_follower_messages_total{sdk_key="shop",type="change"} 1`,
			`catbridge_follower_evaluation_errors_total{reason="no_such_key",sdk_key="shop"} 1`,
			`catbridge_follower_publish_to_apply_seconds_count{sdk_key="shop"} 1`, `catbridge_follower_apply_duration_seconds_count{sdk_key="shop"} 1`)
		for _, secret := range []string{testKey, "aaaaaaaaaaaaaaaaaaaaaa", "bbbbbbbbb"} {
			if strings.Contains(leads+follows, secret) {
				t.Errorf("%q is exported (I13)", secret)
			}
		}
	})
}

func TestAmbiguousOrRevealingNamesAreRejected(t *testing.T) {
	c := NewFollowerCollector()
	if err := c.Add("shop", fixedFollower{}); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"":         "needs a name",
		"shop":     `duplicate client name "shop"`,
		"\xff":     "not valid UTF-8",
		testKey:    "is an SDK key",
		"no value": "no client",
	} {
		var client Follower = fixedFollower{}
		if name == "no value" {
			client = nil
		}
		err := c.Add(name, client)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), testKey) {
			t.Errorf("%q: %v", name, err)
		}
	}
	if err := c.Add("other", fixedFollower{}); err != nil {
		t.Fatal(err)
	}
	if out := text(t, c); strings.Count(out, "\ncatbridge_follower_rev{") != 2 {
		t.Errorf("not two clients:\n%s", out)
	}
	c.Remove("shop")
	c.Remove("never there")
	if out := text(t, c); strings.Contains(out, "shop") || !strings.Contains(out, `sdk_key="other"`) {
		t.Errorf("after Remove:\n%s", out)
	}
}

// While SDK keys are renamed, two may briefly have the same name.
func TestAnyNamesOfALeaderLeaveTheMetricsUsable(t *testing.T) {
	names := []string{"a", "a", "\xff", "\xfe", "", "b\n\"", strings.Repeat("x", 1000)}
	var stats leader.Stats
	for _, name := range names {
		stats.Keys = append(stats.Keys, leader.KeyStats{Name: name})
	}
	if out := text(t, NewLeaderCollector(fixedLeader{stats})); strings.Count(out, "\ncatbridge_leader_rev{") != 5 {
		t.Errorf("%s", out)
	}
}

func TestARejectedReloadIsExportedUntilOneIsApplied(t *testing.T) {
	c := NewReloadCollector()
	const name = "catbridge_settings_last_reload_successful "
	wantLines(t, text(t, c), name+"1")
	c.Rejected()
	wantLines(t, text(t, c), name+"0")
	c.Applied()
	wantLines(t, text(t, c), name+"1")
}

func TestConcurrentCollectingIsSafe(t *testing.T) {
	followers := NewFollowerCollector()
	leaders := NewLeaderCollector(fixedLeader{leader.Stats{ID: "X", Keys: []leader.KeyStats{fullLeader()}}})
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(followers, leaders)
	var wg sync.WaitGroup
	for i := range 4 {
		name := string(rune('a' + i))
		wg.Go(func() {
			for range 50 {
				_ = followers.Add(name, fixedFollower{fullFollower()})
				if _, err := registry.Gather(); err != nil {
					t.Error(err)
				}
				followers.Remove(name)
			}
		})
	}
	wg.Wait()
}

func BenchmarkCollect(b *testing.B) {
	registry := prometheus.NewRegistry()
	registry.MustRegister(NewLeaderCollector(fixedLeader{leader.Stats{Keys: []leader.KeyStats{fullLeader()}}}))
	for b.Loop() {
		if _, err := registry.Gather(); err != nil {
			b.Fatal(err)
		}
	}
}
