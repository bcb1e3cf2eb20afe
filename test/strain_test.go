package test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/catbridge/catbridge/cachekeys"
)

// eventLeading stands in the log of a leader when a term begins.
const eventLeading = 6100

// One processor, a garbage collector that never rests, and the race detector: the leader
// keeps its lock.
func TestF36_BusyProcessKeepsItsLock(t *testing.T) {
	requireRaceDetector(t)
	onProcessesOf(t, racing, func(f *fleet) {
		strain := []string{"GOMAXPROCS=1", "GOGC=1"}
		all := []*process{f.launch(strain...)}
		f.awaitHolder(all[0])
		all = append(all, f.launch(strain...))
		f.join(2, 20)
		for range f.rounds(1) {
			for end := time.Now().Add(2 * f.leader.LeaseDuration); time.Now().Before(end); {
				changed, bound := time.Now(), f.poll()
				f.reached(f.cdn.SetMinBytes(f.random.IntN(200<<10)), bound)
				f.recovered(changed, bound)
			}
			if n := all[0].events(eventLeading) + all[1].events(eventLeading); n != 1 {
				f.Errorf("%d terms", n)
			}
		}
		f.settle()
	})
}

// The SDK key stands in no log at any level, in no output, in no key and no command of
// Redis, and in no metric, whatever goes wrong (I13). Logs and commands are looked
// through in every test; here go wrong those things whose errors have the URL in them.
func TestF34_SDKKeyIsNowhereToBeSeen(t *testing.T) {
	onProcesses(t, func(f *fleet) {
		serving := []string{"CATBRIDGE_LISTEN=127.0.0.1:0", "CATBRIDGE_STATUS=true", "CATBRIDGE_PPROF=true"}
		all := []*process{f.launch(serving...)}
		f.awaitHolder(all[0])
		all = append(all, f.launch(serving...))
		f.join(2, 3)
		url, _ := f.forbidden()
		for range f.rounds(1) {
			for name, fault := range hostile(url) {
				if strings.Contains(name, "MB") || name == "gzip bomb" || name == "1 B/s" || name == "hanging" {
					continue // takes long, and is refused like others
				}
				failed := all[0].lines(`"level":"error"`)
				f.cdn.Break(fault)
				f.cdn.Publish()
				f.eventually(10*time.Second, name+": a poll fails", func() bool { return all[0].lines(`"level":"error"`) > failed })
			}
			f.cdn.Mend()
			f.do(f.server, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
			f.do(f.server, "CLIENT", "KILL", "TYPE", "pubsub")
			f.reached(f.cdn.Publish(), f.poll()+f.takeover())
			f.searchRedis()
			for _, p := range all {
				f.searchPages(p)
			}
			f.settle()
		}
	})
}

// searchPages looks for the SDK key in all that a process serves.
func (f *fleet) searchPages(p *process) {
	f.Helper()
	for _, page := range []string{"/metrics", "/status", "/readyz", "/healthz", "/debug/pprof/", "/debug/pprof/goroutine?debug=2", "/debug/pprof/cmdline", "/nothing"} {
		response, err := http.Get("http://" + p.listens + page)
		if err != nil {
			f.Fatal(err)
		}
		text, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if err != nil || len(text) == 0 {
			f.Errorf("%s: %d bytes, %v", page, len(text), err)
		}
		if secretIn(text) {
			f.Errorf("the SDK key stands in %s", page)
		}
	}
	http.DefaultClient.CloseIdleConnections()
}

// searchRedis looks for the SDK key in all that Redis tells of itself.
func (f *fleet) searchRedis() {
	f.Helper()
	keys, err := f.admin.Keys(f.Context(), "*").Result()
	if err != nil {
		f.Fatal(err)
	}
	for _, key := range keys {
		value := f.admin.Dump(f.Context(), key).Val()
		if key == f.keys.Meta {
			value = strings.Join(f.admin.HVals(f.Context(), key).Val(), "\n")
		} else if text, err := f.admin.Get(f.Context(), key).Result(); err == nil {
			value = text
		}
		if secretIn([]byte(key)) || secretIn([]byte(value)) {
			f.Errorf("the SDK key stands at %s: %.200q", key, value)
		}
	}
	for _, command := range [][]any{{"CLIENT", "LIST"}, {"SLOWLOG", "GET", "100"}, {"INFO", "everything"}, {"PUBSUB", "CHANNELS"}, {"ACL", "LOG"}} {
		reply := f.do(f.server, command...)
		if text := strings.TrimSpace(fmt.Sprint(reply)); secretIn([]byte(text)) {
			f.Errorf("the SDK key stands in %v: %.300s", command, text)
		}
	}
	if len(keys) < 4 || !strings.Contains(strings.Join(keys, " "), cachekeys.For(sdkKey, "", 0).Blob) {
		f.Errorf("keys that were looked at: %q", keys)
	}
}
