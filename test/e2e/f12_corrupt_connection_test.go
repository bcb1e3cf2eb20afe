package e2e

import (
	"testing"
	"time"

	"github.com/catbridge/catbridge/follower"
	"github.com/catbridge/catbridge/test/harness"
)

// corruptions corrupt the data from Redis: it does not arrive, it ends within a frame, or
// the connection is reset.
var corruptions = map[string]func(x *harness.Toxic){
	"timeout":          func(x *harness.Toxic) { x.Corrupt("timeout", "downstream", map[string]int{"timeout": 0}) },
	"cut within frame": func(x *harness.Toxic) { x.Corrupt("limit_data", "downstream", map[string]int{"bytes": 1000}) },
	"reset":            func(x *harness.Toxic) { x.Corrupt("reset_peer", "downstream", map[string]int{"timeout": 0}) },
}

// Connections are cut, corrupted or silent. The follower detects it, and accepts no corrupt
// data.
func TestF12_CorruptConnectionsAreDetectedAndNothingIsMisread(t *testing.T) {
	for name, corrupt := range corruptions {
		t.Run(name, func(t *testing.T) {
			harness.OnToxic(t, harness.RealProfile(), func(env *harness.Environment, x *harness.Toxic) {
				env.StartAll(1)
				env.Route = x.Proxy.Listen
				affected := env.Follow()
				env.AwaitVersion(env.CDN.Version(), env.PollBound())
				for range env.Rounds(1) {
					disconnects := affected.Client.Stats().Disconnects
					env.Pass(env.RandomBelow(env.Leader.RenewInterval))
					corrupt(x)
					version := env.CDN.Publish()
					since, bound := time.Now(), env.Follower.Dead+harness.RoundTrip
					env.Eventually(bound, "it is noticed", func() bool { return affected.Client.Stats().Disconnects > disconnects })
					env.Recovered(since, bound)
					x.Clean()
					env.AwaitVersion(version, env.ReconnectBound()+env.Follower.Dead+env.PollBound())
					env.Settle()
				}
			})
		})
	}
}

// The same for all leaders, for longer than they may act: they write no corrupt data.
func TestF12_LeadersOnCorruptConnectionsWriteNothingWrong(t *testing.T) {
	for name, corrupt := range corruptions {
		t.Run(name, func(t *testing.T) {
			harness.OnToxic(t, harness.RealProfile(), func(env *harness.Environment, x *harness.Toxic) {
				env.Route = x.Proxy.Listen
				env.StartAll(1)
				for range env.Rounds(1) {
					env.Pass(env.RandomBelow(env.Leader.RenewInterval))
					corrupt(x)
					version := env.CDN.Publish()
					env.Pass(env.Leader.RenewDeadline)
					x.Clean()
					cleaned, bound := time.Now(), env.TakeoverBound()+env.ReconnectBound()+env.PollBound()
					env.AwaitVersion(version, bound)
					env.Recovered(cleaned, bound)
					env.Settle()
				}
			})
		})
	}
}

// Each byte arrives by itself.
func TestF12_SlicedConnectionsLoseNothing(t *testing.T) {
	harness.OnToxic(t, harness.RealProfile(), func(env *harness.Environment, x *harness.Toxic) {
		x.Corrupt("slicer", "downstream", map[string]int{"average_size": 1, "size_variation": 0, "delay": 0})
		x.Corrupt("slicer", "upstream", map[string]int{"average_size": 1, "size_variation": 0, "delay": 0})
		env.Route = x.Proxy.Listen
		first, _ := env.StartAll(1)
		for range env.Rounds(2) {
			changed := time.Now()
			env.AwaitVersion(env.CDN.Publish(), env.PollBound())
			env.Recovered(changed, env.PollBound())
			env.Settle()
		}
		if !harness.ManyRounds() {
			return // with other tests running, a proxy may be too slow with single bytes for any connection to last
		}
		if s := env.Followers[0].Client.Stats(); s.Disconnects != 0 || s.State != follower.StateLive {
			env.Errorf("%+v", s)
		}
		if s := first.Stats(); s.Terms != 1 || !first.Leads() {
			env.Errorf("%+v", s)
		}
	})
}
