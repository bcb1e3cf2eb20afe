package follower

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/follower/internal/eventid"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/internal/wire"
)

// reporterRights are the documented rights of a follower that reports.
var reporterRights = append(slices.Clone(followerRights), "~catbridge:{*}:fleet", "+zadd", "+zremrangebyscore")

func reportingSoon(c *Config) { c.FleetReport, c.FleetName = wire.MinFleetInterval, "shop-1" }

// awaitReport waits until the set has exactly one report, and wanted returns true for it.
func awaitReport(t *testing.T, client redis.Cmdable, what string, wanted func(wire.FleetReport) bool) wire.FleetReport {
	t.Helper()
	var members []string
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		members, _ = client.ZRange(t.Context(), cachekeys.For(testSDKKey, "", 0).Fleet, 0, -1).Result()
		if len(members) != 1 {
			continue
		}
		if r, err := wire.ParseFleetReport(members[0]); err == nil && wanted(r) {
			return r
		}
	}
	t.Fatalf("never: %s; the set is %q", what, members)
	return wire.FleetReport{}
}

func hasContent(json []byte) func(wire.FleetReport) bool {
	return func(r wire.FleetReport) bool {
		return strings.HasPrefix(wire.ContentHash(json), r.Hash) && r.Hash != ""
	}
}

// The documented rights suffice to report, and no other command is tried.
func TestRealDocumentedRightsAllowReports(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	admin := server.Client(t, nil)
	setUser(t, admin, reporterRights...)
	w := newWriter(t, admin)
	w.commit(configJSON(1))
	c := startReal(t, restricted(t, server), reportingSoon)
	awaitReport(t, admin, "the first", hasContent(configJSON(1)))
	w.commit(configJSON(2))
	awaitReport(t, admin, "the change", hasContent(configJSON(2)))
	c.Close()
	if n := admin.ZCard(t.Context(), w.keys.Fleet).Val(); n != 0 {
		t.Errorf("%d reports of a follower that ended", n)
	}
	denied, err := admin.Do(context.Background(), "ACL", "LOG").Slice()
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range denied {
		if text := fmt.Sprint(entry); !strings.Contains(text, "hello") {
			t.Errorf("denied: %v", text)
		}
	}
	if s := c.Stats(); s.FailedReports != 0 {
		t.Errorf("%+v", s)
	}
}

// A follower without the right to report works otherwise.
func TestRealFollowerWithoutTheRightToReport(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	admin := server.Client(t, nil)
	setUser(t, admin, followerRights...)
	w := newWriter(t, admin)
	w.commit(configJSON(1))
	log, logging := recorded(0)
	c := startReal(t, restricted(t, server), reportingSoon, logging)
	await(t, c, "refused", func() bool { return len(log.with(eventid.FleetDenied)) == 1 })
	w.commit(configJSON(2))
	awaitVersion(t, c, 2)
	if s := c.Stats(); s.FailedReads != 0 || s.FailedReports != 1 {
		t.Errorf("%+v", s)
	}
}

func TestRealReportsInACluster(t *testing.T) {
	t.Parallel()
	cluster := redistest.StartCluster(t, 3, 0)
	admin := cluster.Client(t, nil)
	w := newWriter(t, admin)
	w.commit(configJSON(1))
	startReal(t, cluster.Client(t, nil), reportingSoon)
	first := awaitReport(t, admin, "the first", hasContent(configJSON(1)))
	w.commit(configJSON(2))
	if r := awaitReport(t, admin, "the change", hasContent(configJSON(2))); r.ID != first.ID {
		t.Errorf("%+v", r)
	}
}

// After a failover the reports go to the new primary.
func TestRealReportsReachTheNewPrimary(t *testing.T) {
	t.Parallel()
	sentinel := redistest.StartSentinel(t, 1)
	admin := sentinel.Client(t, nil)
	w := newWriter(t, admin)
	w.commit(configJSON(1))
	c := startReal(t, sentinel.Client(t, nil), reportingSoon)
	awaitReport(t, admin, "the first", hasContent(configJSON(1)))
	sentinel.ReplaceSilent(t)
	sentinel.Primary(t).Kill()
	reports := c.Stats().Reports
	await(t, c, "reports again", func() bool {
		s := c.Stats()
		return s.Reports-s.FailedReports > reports && s.State != StateDisconnected
	})
	awaitReport(t, admin, "after the failover", hasContent(configJSON(1)))
}
