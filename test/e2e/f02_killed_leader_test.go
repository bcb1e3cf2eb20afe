package e2e

import (
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/catbridge/catbridge/test/harness"
)

func TestF02_KilledProcessIsReplaced(t *testing.T) {
	harness.OnProcesses(t, func(f *harness.Fleet) {
		all := f.LaunchAll(2, 3)
		for range f.Rounds(1) {
			f.Pass(f.RandomBelow(f.Leader.RenewInterval))
			f.Signal(all[0], syscall.SIGKILL)
			killed := time.Now()
			f.AwaitHolder(all[1])
			f.Recovered(killed, f.TakeoverBound())
			f.AwaitVersion(f.CDN.Publish(), f.PollBound())
			all = []*harness.Process{all[1], f.Launch()}
		}
		f.Settle()
	})
}

func TestF02_KilledLeaderIsReplacedWhenItsLockExpires(t *testing.T) {
	harness.Scenario(t, func(env *harness.Environment) {
		first, second := env.StartAll(3)
		for i := range env.Rounds(2) {
			env.Pass(env.RandomBelow(env.Leader.RenewInterval))
			first.Kill()
			killed := time.Now()
			env.Eventually(env.TakeoverBound(), "the other leads", second.Leads)
			env.Recovered(killed, env.TakeoverBound())
			if took := time.Since(killed); env.Virtual && took < env.Leader.LeaseDuration-env.Leader.RenewInterval-time.Second {
				env.Errorf("took over after %v though the lock was held", took)
			}
			env.AwaitVersion(env.CDN.Publish(), env.PollBound())
			first, second = second, env.Lead("leader "+strconv.Itoa(i+3))
		}
		env.Settle()
	})
}
