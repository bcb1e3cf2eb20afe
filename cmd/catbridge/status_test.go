package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/inspect"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
)

// TestStatusWatchSurvivesAnOutageOfRedis runs status --watch while Redis stops.
func TestStatusWatchSurvivesAnOutageOfRedis(t *testing.T) {
	server := redistest.Start(t)
	p := startProcess(t, []string{"CATBRIDGE_SDK_KEY=main=" + testKey, "CATBRIDGE_REDIS_URL=" + server.URL()},
		"status", "--watch", "--json", "--interval", "100ms", "--timeout", "2s")
	await := func(what string, wanted func(statusReport) bool) {
		t.Helper()
		for {
			select {
			case line := <-p.lines:
				var report statusReport
				if err := json.Unmarshal([]byte(line), &report); err != nil {
					t.Fatalf("%v in %s", err, line)
				}
				if wanted(report) {
					return
				}
			case <-p.ended:
				t.Fatalf("it ended before: %s", what)
			case <-time.After(time.Minute):
				t.Fatalf("not within a minute: %s", what)
			}
		}
	}
	nobodyLeads := func(r statusReport) bool { return r.Error == "" && len(r.Keys) == 1 && !r.OK && !r.Keys[0].OK }
	await("nobody leads", nobodyLeads)
	server.Kill()
	await("Redis is gone", func(r statusReport) bool {
		return !r.OK && strings.HasPrefix(r.Error, "Redis at "+server.Addr()+" cannot be read: main: ")
	})
	server.Restart(t)
	await("Redis is back", nobodyLeads)
	p.interrupt(t)
}

func TestStatusAsText(t *testing.T) {
	report := statusReport{Keys: []inspect.Key{{
		Name:   "main",
		Faults: []string{"1 of 2 followers that report are behind; see their logs"}, Remarks: []string{"unknown: the number of subscribers (NOPERM)"},
		Leader:  &inspect.Leader{ID: "ABCDEFGHIJ", Epoch: 1, Leads: 5400, Left: new(13.24)},
		Content: &inspect.Content{Rev: 1767225600000, Age: new(23.04), Poll: 55},
		Entry:   &inspect.Part{State: inspect.Matches, Bytes: 123456}, Blob: &inspect.Part{State: inspect.Missing},
		Fleet: &inspect.Fleet{Following: 2, Current: 1, Behind: 1, Silent: 3, Laggards: []inspect.Follower{
			{ID: "shop-1~AB", Version: "v1", State: "polling", Rev: 1767225500000, Hash: "0123456789abcdef", Reported: 12.3},
		}},
	}, {Name: "other", Leader: &inspect.Leader{ID: "web-1/ABC", Host: "web-1"}}}}
	want := `  NAME   LEADER     SINCE  LOCK   REV            CDN      ENTRY   BLOB     SUBS  FLEET
✗ main   …CDEFGHIJ  1h30m  13.2s  1767225600000  23s/55s  123 KB  missing  –     1 of 2
✗ other  web-1      –      –      –              –        –       –        –     –
✗ main: 1 of 2 followers that report are behind; see their logs
– main: of the followers that report, 1 behind, 3 silent
↓ main: shop-1~AB (version v1, polling) has rev 1767225500000, hash 0123456789abcdef; reported 12s ago
– main: unknown: the number of subscribers (NOPERM)
`
	text := func() string {
		var text strings.Builder
		for _, line := range statusText(report, fits) {
			text.WriteString(line.Plain() + "\n")
		}
		return text.String()
	}
	want = strings.Replace(want, "✗ other  web-1      –      –    ", "✗ other  web-1      0s     –    ", 1)
	if have := text(); have != want {
		t.Errorf("have\n%s\nwant\n%s", have, want)
	}
	for place, named := range map[string]statusReport{
		"  database 2\n":                   {DB: 2},
		"  namespace team-a\n":             {Namespace: "team-a"},
		"  database 2, namespace team-a\n": {DB: 2, Namespace: "team-a"},
	} {
		report.DB, report.Namespace = named.DB, named.Namespace
		if have := text(); have != place+want {
			t.Errorf("have\n%s\nwant\n%s", have, place+want)
		}
	}
}

// TestTheStatusTableFitsItsTerminal uses the longest possible cells.
func TestTheStatusTableFitsItsTerminal(t *testing.T) {
	key := inspect.Key{
		Name:    strings.Repeat("n", 128),
		Leader:  &inspect.Leader{ID: "x", Host: strings.Repeat("h", 36), Leads: 5400 * 3, Left: new(13.24)},
		Content: &inspect.Content{Rev: 1767225600000, Age: new(23.04), Poll: 55},
		Entry:   &inspect.Part{State: inspect.Matches, Bytes: 1234567}, Blob: &inspect.Part{State: inspect.Matches, Bytes: 234567},
		Subscribers: new(int64(20)), Fleet: &inspect.Fleet{Following: 12, Current: 12},
	}
	for _, width := range []int{100, 90} {
		for _, line := range statusTable([]inspect.Key{key}, width) {
			if n := utf8.RuneCountInString(line.Plain()); n > width {
				t.Errorf("%d characters, want at most %d:\n%s", n, width, line.Plain())
			}
		}
	}
}
