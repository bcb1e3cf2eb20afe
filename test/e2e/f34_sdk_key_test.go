package e2e

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/test/harness"
)

// The SDK key is in no log of any level, no output, no key and command of Redis, and no
// metric, whatever fails (I13). Every test checks logs and commands; in this one operations
// fail whose errors contain the URL.
func TestF34_SDKKeyNeverAppears(t *testing.T) {
	harness.OnProcesses(t, func(f *harness.Fleet) {
		serving := []string{"CATBRIDGE_LISTEN=127.0.0.1:0", "CATBRIDGE_STATUS=true", "CATBRIDGE_PPROF=true"}
		all := []*harness.Process{f.Launch(serving...)}
		f.AwaitHolder(all[0])
		all = append(all, f.Launch(serving...))
		f.Join(2, 3)
		url, _ := f.ForbiddenServer()
		for range f.Rounds(1) {
			for name, fault := range hostile(url) {
				if strings.Contains(name, "MB") || name == "gzip bomb" || name == "1 B/s" || name == "hanging" {
					continue // takes long, and is refused like others
				}
				failed := all[0].CountLines(`"level":"error"`)
				f.CDN.Break(fault)
				f.CDN.Publish()
				f.Eventually(10*time.Second, name+": a poll fails", func() bool { return all[0].CountLines(`"level":"error"`) > failed })
			}
			f.CDN.Repair()
			f.DisconnectAll()
			f.AwaitVersion(f.CDN.Publish(), f.PollBound()+f.TakeoverBound())
			searchRedis(f)
			for _, p := range all {
				searchPages(f, p)
			}
			f.Settle()
		}
	})
}

// searchPages searches all pages that a process serves for the SDK key.
func searchPages(f *harness.Fleet, p *harness.Process) {
	f.Helper()
	for _, page := range []string{"/metrics", "/status", "/readyz", "/healthz", "/debug/pprof/", "/debug/pprof/goroutine?debug=2", "/debug/pprof/cmdline", "/nothing"} {
		response, err := http.Get("http://" + p.Addr + page)
		if err != nil {
			f.Fatal(err)
		}
		text, err := io.ReadAll(response.Body)
		_ = response.Body.Close()
		if err != nil || len(text) == 0 {
			f.Errorf("%s: %d bytes, %v", page, len(text), err)
		}
		if harness.HasSecret(text) {
			f.Errorf("the SDK key stands in %s", page)
		}
	}
	http.DefaultClient.CloseIdleConnections()
}

// searchRedis searches all that Redis reports of itself for the SDK key.
func searchRedis(f *harness.Fleet) {
	f.Helper()
	keys, err := f.Admin.Keys(f.Context(), "*").Result()
	if err != nil {
		f.Fatal(err)
	}
	for _, key := range keys {
		value := f.Admin.Dump(f.Context(), key).Val()
		if key == f.Keys.Meta {
			value = strings.Join(f.Admin.HVals(f.Context(), key).Val(), "\n")
		} else if text, err := f.Admin.Get(f.Context(), key).Result(); err == nil {
			value = text
		}
		if harness.HasSecret([]byte(key)) || harness.HasSecret([]byte(value)) {
			f.Errorf("the SDK key stands at %s: %.200q", key, value)
		}
	}
	for _, command := range [][]any{{"CLIENT", "LIST"}, {"SLOWLOG", "GET", "100"}, {"INFO", "everything"}, {"PUBSUB", "CHANNELS"}, {"ACL", "LOG"}} {
		reply := f.Do(f.Server, command...)
		if text := strings.TrimSpace(fmt.Sprint(reply)); harness.HasSecret([]byte(text)) {
			f.Errorf("the SDK key stands in %v: %.300s", command, text)
		}
	}
	if len(keys) < 4 || !strings.Contains(strings.Join(keys, " "), cachekeys.For(harness.SDKKey, "", 0).Blob) {
		f.Errorf("keys that were searched: %q", keys)
	}
}
