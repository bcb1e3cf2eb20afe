package e2e

import (
	"testing"
	"time"

	"github.com/catbridge/catbridge/test/harness"
)

// Every packet takes 100 to 300 ms each way: the leader stays, and no follower gives up its
// connection.
func TestF31_LatencyDoesNotReplaceTheLeader(t *testing.T) {
	harness.OnToxic(t, harness.DefaultProfile(), func(env *harness.Environment, x *harness.Toxic) {
		for _, stream := range []string{"upstream", "downstream"} {
			x.Corrupt("latency", stream, map[string]int{"latency": 200, "jitter": 100})
		}
		env.Route = x.Proxy.Listen
		first, _ := env.StartAll(3)
		asked := time.Now()
		if err := first.RequestRefresh(env.Context(), first.Stats().Name); err != nil || time.Since(asked) < 200*time.Millisecond {
			env.Errorf("a round trip took %v: %v", time.Since(asked), err)
		}
		env.SteadyFor(first, 2*env.Leader.LeaseDuration)
		env.Settle()
	})
}
