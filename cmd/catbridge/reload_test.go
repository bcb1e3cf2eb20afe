package main

import (
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/localcdn"
	"github.com/catbridge/catbridge/cmd/catbridge/internal/settings"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/metrics"
)

const thirdTestKey = "configcat-sdk-1/CCCCCCCCCCCCCCCCCCCCCC/secretsecretsecret3333"

// reloads is a leader process with a configuration file that changes, on a real
// redis-server.
type reloads struct {
	*testing.T
	folder string
	cdn    string
	client *redis.Client
	*process
	mark int
}

// startReloads starts a leader with the file's first text.
func startReloads(t *testing.T, text string) *reloads {
	t.Helper()
	server := redistest.Start(t)
	cdn := httptest.NewServer(localcdn.New(testContent(t, "one"), slog.New(slog.DiscardHandler)))
	t.Cleanup(cdn.Close)
	r := &reloads{T: t, folder: t.TempDir(), cdn: cdn.URL, client: redis.NewClient(&redis.Options{Addr: server.Addr()})}
	t.Cleanup(func() { r.client.Close() })
	r.write("catbridge.yaml", text)
	r.process = startProcess(t, []string{"CATBRIDGE_REDIS_URL=" + server.URL(), "CATBRIDGE_BASE_URL=" + cdn.URL},
		"leader", "--config", filepath.Join(r.folder, "catbridge.yaml"))
	return r
}

// write replaces a file as editors do.
func (r *reloads) write(name, text string) {
	r.Helper()
	path := filepath.Join(r.folder, name)
	if err := os.WriteFile(path+"~", []byte(text), 0o600); err != nil {
		r.Fatal(err)
	}
	if err := os.Rename(path+"~", path); err != nil {
		r.Fatal(err)
	}
}

// logs waits for lines, in any order, after the previous ones.
func (r *reloads) logs(patterns ...string) {
	r.Helper()
	end := r.mark
	for _, pattern := range patterns {
		end = max(end, r.expect(r.T, r.mark, pattern))
	}
	r.mark = end
}

// lock returns the value of an SDK key's lock.
func (r *reloads) lock(sdkKey string) string {
	r.Helper()
	lock, err := r.client.Get(r.Context(), cachekeys.For(sdkKey, "", 0).Lock).Result()
	if err != nil && err != redis.Nil {
		r.Fatal(err)
	}
	return lock
}

func (r *reloads) end() {
	r.Helper()
	r.interrupt(r.T)
	if strings.Contains(r.all(), "secretsecret") {
		r.Errorf("an SDK key shows up")
	}
}

func TestAddedRemovedAndRotatedSDKKeysAreAppliedWhileRunning(t *testing.T) {
	r := startReloads(t, "sdk_keys: [{name: a, key: "+testKey+"}]")
	r.logs(`"sdk_key":"a".*A new config was published`)
	first := r.lock(testKey)

	r.write("catbridge.yaml", "sdk_keys: [{name: a, key: "+testKey+"}, {name: b, key: "+otherTestKey+"}]")
	r.logs(`"added":\["b"\].*"message":"changed settings are in effect"`, `"sdk_key":"b".*A new config was published`)
	second := r.lock(otherTestKey)
	if lock := r.lock(testKey); lock != first {
		t.Errorf("the lock of the SDK key that stayed was %q, and is %q", first, lock)
	}

	// After a rotation, the leader releases the lock of the old SDK key, and leads the new one.
	r.write("catbridge.yaml", "sdk_keys: [{name: a, key: "+thirdTestKey+"}, {name: b, key: "+otherTestKey+"}]")
	r.logs(`"changed":\["a"\].*"message":"changed settings are in effect"`, `"sdk_key":"a".*A new config was published`, gaveUp)
	r.gone(testKey)
	if r.lock(thirdTestKey) == "" {
		t.Error("the new SDK key is not led")
	}

	r.write("catbridge.yaml", "sdk_keys: [{name: b, key: "+otherTestKey+"}]")
	r.logs(`"removed":\["a"\].*"message":"changed settings are in effect"`, gaveUp)
	r.gone(thirdTestKey)
	if lock := r.lock(otherTestKey); lock != second {
		t.Errorf("the lock of the SDK key that stayed was %q, and is %q", second, lock)
	}
	r.end()
}

const gaveUp = `\[6101\] Stopped leading.*`

// gone checks that an SDK key's lock is released.
func (r *reloads) gone(sdkKey string) {
	r.Helper()
	if lock := r.lock(sdkKey); lock != "" {
		r.Errorf("the lock is still %q", lock)
	}
}

func TestAnInvalidFileIsRejectedAndTheOldSettingsStayInEffect(t *testing.T) {
	good := "sdk_keys: [{name: a, key: " + testKey + "}]\n"
	r := startReloads(t, good)
	r.logs(`A new config was published`)
	before := r.lock(testKey)
	r.write("catbridge.yaml", good+"listen: here\nlog: {level: loud}\n")
	r.logs(`"where":".*catbridge.yaml:2","error":"listen: it is not an address.*the running ones stay in effect"`)
	r.logs(`"where":".*catbridge.yaml:3","error":"log.level: .*the running ones stay in effect"`)
	if err := os.Remove(filepath.Join(r.folder, "catbridge.yaml")); err != nil {
		t.Fatal(err)
	}
	r.logs(`"where":"--config","error":"read .*: no such file or directory","message":"the changed settings are invalid`)
	r.write("catbridge.yaml", "sdk_keys: []")
	r.logs(`"error":"no SDK key: .*the running ones stay in effect"`)

	// On SIGHUP, the error is logged again. A file with its old content again is not a change.
	r.signal(t, syscall.SIGHUP)
	r.logs(`"error":"no SDK key: .*the running ones stay in effect"`)
	r.write("catbridge.yaml", good)
	r.logs(`"message":"the settings have not changed"`)
	if lock := r.lock(testKey); lock != before {
		t.Errorf("the lock was %q, and is %q", before, lock)
	}
	if strings.Contains(r.all(), "in force\"") {
		t.Error("something was taken over")
	}
	r.end()
}

func TestTheLogLevelIsAppliedAndOtherSettingsNeedARestart(t *testing.T) {
	text := "sdk_keys: [{name: a, key: " + testKey + "}]\n"
	r := startReloads(t, text+"log: {level: info}")
	r.logs(`A new config was published`)
	r.write("catbridge.yaml", text+"log: {level: debug, format: text}\ntimings: {renew_interval: 2s}\nredis: {pool_size: 7}\n")
	r.logs(`"log_level":"debug","message":"changed settings are in effect"`)
	r.logs(`"settings":\["redis.pool_size","timings.renew_interval","log.format"\],"message":"changes of these settings need a restart"`)
	r.signal(t, syscall.SIGHUP)
	r.logs(`\{"level":"info".*"message":"the settings have not changed"`)
	r.end()
}

// TestRotatedKeyFilesAreApplied changes files that the configuration file names:
// another SDK key ends the term, another signing key does not.
func TestRotatedKeyFilesAreApplied(t *testing.T) {
	r := startReloads(t, "sdk_keys: [{name: a, key_file: a.key, webhook_key_files: [hook]}]")
	r.logs(`"where":".*catbridge.yaml:1|a.key: no such file`)
	<-r.ended // rejected at the start: the files do not exist

	folder := t.TempDir()
	r.folder = folder
	r.write("a.key", testKey+"\n")
	r.write("hook", "configcat_whsk_aaaaaaaaaaaaaaaa")
	r.write("catbridge.yaml", "sdk_keys: [{name: a, key_file: a.key, webhook_key_files: [hook]}]")
	r.process, r.mark = startProcess(t, []string{"CATBRIDGE_REDIS_URL=redis://" + r.client.Options().Addr, "CATBRIDGE_BASE_URL=" + r.cdn},
		"leader", "--config", filepath.Join(folder, "catbridge.yaml")), 0
	r.logs(`A new config was published`)
	before := r.lock(testKey)
	r.write("hook", "configcat_whsk_aaaaaaaaaaaaaaaa\nconfigcat_whsk_bbbbbbbbbbbbbbbb")
	r.logs(`"changed":\["a"\].*"message":"changed settings are in effect"`)
	if lock := r.lock(testKey); lock != before {
		t.Errorf("a signing key ended the term: the lock was %q, and is %q", before, lock)
	}
	r.write("a.key", otherTestKey+"\n")
	r.logs(`"changed":\["a"\].*"message":"changed settings are in effect"`, `A new config was published`, gaveUp)
	r.gone(testKey)
	if strings.Contains(r.all(), "whsk_") {
		t.Error("a signing key shows up")
	}
	r.end()
}

// TestAConfigMapsLinksAreFollowed changes the file as Kubernetes does: by changing the
// target of a link in the same folder.
func TestAConfigMapsLinksAreFollowed(t *testing.T) {
	server := redistest.Start(t)
	cdn := httptest.NewServer(localcdn.New(testContent(t, "one"), slog.New(slog.DiscardHandler)))
	defer cdn.Close()
	folder := t.TempDir()
	version := func(name, text string) {
		t.Helper()
		if err := os.Mkdir(filepath.Join(folder, name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, name, "catbridge.yaml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(name, filepath.Join(folder, "..data_tmp")); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(filepath.Join(folder, "..data_tmp"), filepath.Join(folder, "..data")); err != nil {
			t.Fatal(err)
		}
	}
	version("..1", "sdk_keys: [{name: a, key: "+testKey+"}]")
	path := filepath.Join(folder, "catbridge.yaml")
	if err := os.Symlink(filepath.Join("..data", "catbridge.yaml"), path); err != nil {
		t.Fatal(err)
	}
	p := startProcess(t, []string{"CATBRIDGE_REDIS_URL=" + server.URL(), "CATBRIDGE_BASE_URL=" + cdn.URL}, "leader", "--config", path)
	mark := p.expect(t, 0, `A new config was published`)
	version("..2", "sdk_keys: [{name: a, key: "+testKey+"}, {name: b, key: "+otherTestKey+"}]")
	p.expect(t, mark, `"added":\["b"\].*"message":"changed settings are in effect"`)
	p.expect(t, mark, `"sdk_key":"b".*A new config was published`)
	p.interrupt(t)
}

// TestASecondSignalEndsALeaderAtOnce uses a Redis that does not answer the release of the lock.
func TestASecondSignalEndsALeaderAtOnce(t *testing.T) {
	r := startReloads(t, "sdk_keys: [{name: a, key: "+testKey+"}]")
	r.logs(`A new config was published`)
	r.client.Do(r.Context(), "CLIENT", "PAUSE", "60000", "ALL")
	// On the first signal, the leader tries to release the lock for two seconds. The kernel
	// merges a signal with a pending one, so the test sends more than two.
	for ended := false; !ended; {
		_ = r.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
		select {
		case <-r.ended:
			ended = true
		case <-time.After(20 * time.Millisecond):
		}
	}
	if status, ok := r.cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || !status.Signaled() {
		t.Errorf("it ended with %v, not by the signal", r.cmd.ProcessState)
	}
	if !strings.Contains(r.all(), "locks that a leader still holds expire on their own") {
		t.Error("it does not say what becomes of its lock")
	}
}

// TestTheSameFaultIsLoggedOnce reads the same bad settings again and again.
func TestTheSameFaultIsLoggedOnce(t *testing.T) {
	var out strings.Builder
	bad := &settings.Settings{Read: "bad"}
	r := &reloader{
		load:  func() (*settings.Settings, error) { return bad, settings.Faults{{Where: "f:1", Text: "wrong"}} },
		apply: func(*settings.Settings) error { t.Error("bad settings are applied"); return nil }, log: slog.New(slog.NewTextHandler(&out, nil)),
		current: &settings.Settings{Read: "good"}, read: "good", metrics: metrics.NewReloadCollector(),
	}
	for range 3 {
		r.look(false)
	}
	if n := strings.Count(out.String(), "where=f:1 error=wrong"); n != 1 {
		t.Errorf("it is told %d times:\n%s", n, &out)
	}
	r.look(true)
	if n := strings.Count(out.String(), "where=f:1 error=wrong"); n != 2 {
		t.Errorf("asked for, it is told %d times:\n%s", n, &out)
	}
}
