package test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/internal/testenv/program"
)

// eventLeading is in the log of a leader when a term begins.
const eventLeading = 6100

// On one processor, with constant garbage collection and the race detector, the leader
// keeps its lock.
func TestF36_BusyProcessKeepsItsLock(t *testing.T) {
	program.RequireRaceDetector(t)
	onProcessesOf(t, program.Racing, func(f *fleet) {
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

// The SDK key is in no log of any level, no output, no key and command of Redis, and no
// metric, whatever fails (I13). Every test checks logs and commands; in this one operations
// fail whose errors contain the URL.
func TestF34_SDKKeyNeverAppears(t *testing.T) {
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
			f.cdn.Repair()
			f.disconnectAll()
			f.reached(f.cdn.Publish(), f.poll()+f.takeover())
			f.searchRedis()
			for _, p := range all {
				f.searchPages(p)
			}
			f.settle()
		}
	})
}

// searchPages searches all pages that a process serves for the SDK key.
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

// searchRedis searches all that Redis reports of itself for the SDK key.
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
		f.Errorf("keys that were searched: %q", keys)
	}
}
