package e2e

import (
	"net/http"
	"testing"
	"time"

	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
	"github.com/catbridge/catbridge/test/harness"
)

// most is the limit for the growth of a leader process, whatever the CDN serves.
const most = 64 << 20

// hostile returns the answers of a malicious CDN, over real HTTP. forbidden is the URL of a
// server that must not be asked.
func hostile(forbidden string) map[string]fakecdn.Fault {
	return map[string]fakecdn.Fault{
		"500":                       fakecdn.Status(http.StatusInternalServerError),
		"429":                       fakecdn.TooMany(2 * time.Second),
		"closed":                    fakecdn.Down,
		"hanging":                   fakecdn.Hang(nil),
		"1 B/s":                     fakecdn.Slow(),
		"truncated":                 fakecdn.Truncated(),
		"HTML":                      fakecdn.HTML(),
		"100 MB":                    fakecdn.Huge(100 << 20),
		"gzip bomb":                 fakecdn.Bomb(1 << 30),
		"brackets":                  fakecdn.Nested(1_000_000),
		"redirect loop":             fakecdn.Location(""),
		"redirect":                  fakecdn.Location(forbidden),
		"redirect to link-local":    fakecdn.Location("http://169.254.169.254"),
		"preferences":               fakecdn.Preferences(forbidden),
		"preferences to link-local": fakecdn.Preferences("http://169.254.169.254"),
	}
}

// Whatever the CDN serves, the last valid content stays, the process does not grow, and
// connects to no forbidden host.
func TestF26_HostileCDNDoesNotHarmAProcess(t *testing.T) {
	harness.OnProcesses(t, func(f *harness.Fleet) {
		leader := f.Launch("CATBRIDGE_HTTP_TIMEOUT=2s")
		f.AwaitHolder(leader)
		f.Join(1, 2)
		url, asked := f.ForbiddenServer()
		base := leader.ProcStatus(f.T, "VmHWM")
		for range f.Rounds(1) {
			for name, fault := range hostile(url) {
				failed := leader.CountLines(`"level":"error"`)
				f.CDN.Break(fault)
				version := f.CDN.Publish()
				f.Eventually(10*time.Second, name+": a poll fails", func() bool { return leader.CountLines(`"level":"error"`) > failed })
				f.RequireVersion(version - 1)
				if grown := leader.ProcStatus(f.T, "VmHWM") - base; grown > most {
					f.Errorf("%s: the process took %d MB more", name, grown>>20)
				}
				f.CDN.Repair()
				repaired, bound := time.Now(), f.PollBound()+2*time.Second // of Retry-After, or of a request that hangs
				f.AwaitVersion(version, bound)
				f.Recovered(repaired, bound)
			}
			if n := asked.Load(); n != 0 {
				f.Errorf("%d connections to a host that is not allowed", n)
			}
			f.Settle()
		}
		f.Logf("the process took at most %d MB, %d MB at first", leader.ProcStatus(f.T, "VmHWM")>>20, base>>20)
	})
}
