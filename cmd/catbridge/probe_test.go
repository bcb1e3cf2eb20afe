package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

func TestHealthAndReadyAskTheProcess(t *testing.T) {
	s := startServing(t, map[string]string{"serve.yaml": "sdk_keys: [{name: shop, key: " + testKey + "}, {name: none, key: " + thirdTestKey + "}]\nserve: {listen: '127.0.0.1:0'}"})
	address := strings.TrimPrefix(s.base, "http://")
	s.until("/readyz", "shop: ready")
	for _, c := range []struct {
		args []string
		env  string
		code int
		text string
	}{
		{[]string{"health", "--address", address}, "", 0, "alive"},
		{[]string{"health"}, "CATBRIDGE_SERVE_LISTEN=" + address, 0, "alive"},
		{[]string{"health"}, "CATBRIDGE_LISTEN=" + address, 0, "alive"},
		{[]string{"ready", "--address", address}, "", 1, "none: no config yet"},
		{[]string{"ready", "--address", "127.0.0.1:1"}, "", 1, "refused"},
		{[]string{"ready", "--address", "127.0.0.1"}, "", 2, "is not host:port or unix:/path"},
		{[]string{"ready", "--address", address, "--timeout", "0s"}, "", 2, "--timeout"},
		{[]string{"ready", "--address", "127.0.0.1:1", "--if-listening"}, "", 0, "127.0.0.1:1: nothing listens"},
		{[]string{"ready", "--address", "unix:/none", "--if-listening"}, "", 0, "unix:/none: nothing listens"},
		{[]string{"health", "--address", "127.0.0.1:1", "--address", address, "--if-listening"}, "", 0, "alive"},
		{[]string{"health", "--address", "127.0.0.1:1", "--address", address}, "", 1, "refused"},
		{[]string{"ready", "--address", "127.0.0.1:1", "--address", address, "--if-listening"}, "", 1, "none: no config yet"},
		{[]string{"health", "--address", address}, "CATBRIDGE_CONFIG=/none", 0, "alive"},
		{[]string{"health"}, "CATBRIDGE_CONFIG=/none", 2, "/none"},
	} {
		cmd := exec.CommandContext(t.Context(), "catbridge", c.args...)
		cmd.Env = append(os.Environ(), c.env)
		out, _ := cmd.CombinedOutput()
		if cmd.ProcessState.ExitCode() != c.code || !strings.Contains(string(out), c.text) {
			t.Errorf("%v %s: exit code %d, %s", c.args, c.env, cmd.ProcessState.ExitCode(), out)
		}
	}
	s.interrupt(t)
}
