package main

import (
	"errors"
	"log/slog"
	"net/http/httptest"
	"os/exec"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/redis/go-redis/v9"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/localcdn"
)

// Two well-formed SDK keys. Their last parts show whether one was printed.
const (
	testKey      = "configcat-sdk-1/AAAAAAAAAAAAAAAAAAAAAA/secretsecretsecret1111"
	otherTestKey = "configcat-sdk-1/BBBBBBBBBBBBBBBBBBBBBB/secretsecretsecret2222"
	testPassword = "pa55word-of-redis"
)

// TestMain makes the test binary the command catbridge for scripts and other tests.
func TestMain(m *testing.M) {
	redis.SetLogger(&redisLog)
	testscript.Main(m, programs)
}

// programs are the programs that tests start as processes.
var programs = map[string]func(){"catbridge": main}

// TestScripts runs the scripts in testdata/script. Each has its own CDN at $CDN, a
// Redis at $REDIS, and one with a password ($PASSWORD) at $SECURED.
func TestScripts(t *testing.T) {
	startsPrograms(t)
	testscript.Run(t, testscript.Params{
		Dir:   "testdata/script",
		Setup: setUpScript,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":   exits,
			"publish": publish,
			"until":   until,
		},
	})
}

type serverKey struct{}

func setUpScript(env *testscript.Env) error {
	for name, password := range map[string]string{"REDIS": "", "SECURED": testPassword} {
		mini := miniredis.NewMiniRedis()
		mini.ClockTTL(true)
		if password != "" {
			mini.RequireAuth(password)
		}
		if err := mini.StartAddr("127.0.0.1:0"); err != nil {
			return err
		}
		env.Defer(mini.Close)
		env.Setenv(name, "redis://"+mini.Addr())
		env.Setenv(name+"_ADDR", mini.Addr())
	}
	content, err := localcdn.NewContent([]byte(`{"f":{"text":{"t":1,"v":{"s":"one"}}}}`))
	if err != nil {
		return err
	}
	cdn := localcdn.New(content, slog.New(slog.DiscardHandler))
	server := httptest.NewServer(cdn)
	env.Defer(server.Close)
	env.Values[serverKey{}] = cdn
	env.Setenv("CDN", server.URL)
	env.Setenv("KEY", testKey)
	env.Setenv("OTHER_KEY", otherTestKey)
	env.Setenv("PASSWORD", testPassword)
	env.Setenv("HOME", env.WorkDir)
	env.Setenv("TMPDIR", env.WorkDir)
	env.Setenv("GORACE", "atexit_sleep_ms=0") // otherwise each process takes a second longer
	return nil
}

// exits runs catbridge and checks its exit code: exits CODE args…
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: exits CODE args…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	if code := exitCode(ts, args[1:]); code != want {
		ts.Fatalf("exit code %d, want %d", code, want)
	}
}

func exitCode(ts *testscript.TestScript, args []string) int {
	err := ts.Exec("catbridge", args...)
	if err == nil {
		return 0
	}
	exit, ok := errors.AsType[*exec.ExitError](err)
	if !ok {
		ts.Fatalf("%v", err)
	}
	return exit.ExitCode()
}

// until runs catbridge repeatedly until it exits with 0 and its output matches:
// until PATTERN args…
func until(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: until PATTERN args…")
	}
	pattern, err := regexp.Compile(args[0])
	ts.Check(err)
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if exitCode(ts, args[1:]) == 0 && pattern.MatchString(ts.ReadFile("stdout")) {
			return
		}
	}
	ts.Fatalf("not within a minute")
}

// publish makes the script's CDN serve a file.
func publish(ts *testscript.TestScript, _ bool, args []string) {
	content, err := localcdn.NewContent([]byte(ts.ReadFile(args[0])))
	ts.Check(err)
	ts.Value(serverKey{}).(*localcdn.Server).Publish(content)
}
