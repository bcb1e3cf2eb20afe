package interop

import (
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/internal/testenv/fakecdn"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/leader"
)

// The official SDK reads the entry again and again, while leaders start and stop, the
// config changes and keys get lost: the entry can always be parsed, and is never older
// (I9).
func TestF35_OfficialSDKReadsThroughout(t *testing.T) {
	rounds := 0
	t.Cleanup(func() {
		reportRounds(t, "F35", "OfficialSDKReadsThroughout", leader.DefaultTimings().LeaseDuration, rounds)
	})
	server := redistest.Start(t)
	client := server.Client(t, nil)
	keys := cachekeys.For(sdkKey, "", 0)
	cdn := fakecdn.New()
	_, refresh := startLeader(t, client, cdn)
	awaitVersion(t, server, cdn.Version())
	sdk := startSDK(t, server.URL())
	last := sdk.first(t)
	for round := range numberFrom(t, "ROUNDS", 12) {
		version := cdn.Publish()
		switch round % 4 {
		case 0:
			_, _ = startLeader(t, client, cdn) // one more candidate
		case 1:
			client.Del(t.Context(), keys.Lock) // the leader loses its lock
		case 2:
			client.Del(t.Context(), keys.Blob, keys.Meta)
		case 3:
			server.Pause(t)
			time.AfterFunc(100*time.Millisecond, func() { server.Resume(t) })
		}
		refresh()
		for deadline := time.Now().Add(time.Minute); ; {
			now := sdk.next(t)
			if len(now.Errors) > 0 {
				t.Fatalf("round %d: the official SDK says %q", round, now.Errors)
			}
			if versionOf(now) < versionOf(last) || now.FetchTime < last.FetchTime {
				t.Fatalf("round %d: version %v of %d after %v of %d", round, versionOf(now), now.FetchTime, versionOf(last), last.FetchTime)
			}
			last = now
			if versionOf(now) == float64(version) {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("round %d: version %v, want %d", round, versionOf(now), version)
			}
			refresh() // a leader may have received a request just before its end
		}
		rounds++
	}
}

// reportRounds adds a row to the report of make faults, if there is one.
func reportRounds(t *testing.T, row, name string, lease time.Duration, rounds int) {
	path := os.Getenv("REPORT")
	if path == "" || t.Skipped() {
		return
	}
	state := "ok"
	if t.Failed() {
		state = "FAILED"
	}
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err == nil {
		_, err = fmt.Fprintf(file, "| %s | %s | %.4g s | %d | | | 0 | 0 | 0 | %s |\n",
			row, name, lease.Seconds(), rounds, state)
		err = errors.Join(err, file.Close())
	}
	if err != nil {
		t.Error(err)
	}
}

func versionOf(r reading) float64 {
	version, _ := r.Flags[fakecdn.VersionFlag].Value.(float64)
	return version
}

// awaitVersion waits until the entry has that version.
func awaitVersion(t *testing.T, server *redistest.Process, version int64) {
	t.Helper()
	client := server.Client(t, nil)
	want := string(fakecdn.Config{Version: version}.JSON())
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		entry, err := cachekeys.ParseEntry([]byte(client.Get(t.Context(), cacheKey).Val()))
		if err == nil && string(entry.JSON) == want {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the entry does not have version %d", version)
		}
	}
}
