package test

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
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

// forbidden starts a server that counts the connections to it.
func (f *fleet) forbidden() (url string, asked *atomic.Int64) {
	f.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		f.Fatal(err)
	}
	asked = new(atomic.Int64)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			asked.Add(1)
			_ = conn.Close()
		}
	}()
	f.Cleanup(func() { _ = listener.Close(); <-done })
	return "http://" + listener.Addr().String(), asked
}

// status returns a number of /proc/…/status in bytes.
func (p *process) status(t *testing.T, field string) int64 {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, field+":"); ok {
			kb, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return kb << 10
		}
	}
	t.Fatalf("no %s", field)
	return 0
}

// Whatever the CDN serves, the last valid content stays, the process does not grow, and
// connects to no forbidden host.
func TestF26_HostileCDNDoesNotHarmAProcess(t *testing.T) {
	onProcesses(t, func(f *fleet) {
		leader := f.launch("CATBRIDGE_READ_TIMEOUT=2s")
		f.awaitHolder(leader)
		f.join(1, 2)
		url, asked := f.forbidden()
		base := leader.status(f.T, "VmHWM")
		for range f.rounds(1) {
			for name, fault := range hostile(url) {
				failed := leader.lines(`"level":"error"`)
				f.cdn.Break(fault)
				version := f.cdn.Publish()
				f.eventually(10*time.Second, name+": a poll fails", func() bool { return leader.lines(`"level":"error"`) > failed })
				f.has(version - 1)
				if grown := leader.status(f.T, "VmHWM") - base; grown > most {
					f.Errorf("%s: the process took %d MB more", name, grown>>20)
				}
				f.cdn.Repair()
				repaired, bound := time.Now(), f.poll()+2*time.Second // of Retry-After, or of a request that hangs
				f.reached(version, bound)
				f.recovered(repaired, bound)
			}
			if n := asked.Load(); n != 0 {
				f.Errorf("%d connections to a host that is not allowed", n)
			}
			f.settle()
		}
		f.Logf("the process took at most %d MB, %d MB at first", leader.status(f.T, "VmHWM")>>20, base>>20)
	})
}
