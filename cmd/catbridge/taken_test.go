package main

import (
	"net"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/internal/testenv/redistest"
)

// Every command that listens reports a taken port with the same error and exit code.
func TestEveryCommandReportsATakenPortAlike(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	want := `--listen: cannot listen on "` + listener.Addr().String() + `": another process listens there; stop it, or choose another port: `
	for _, args := range [][]string{
		{"cdn", "--flags", "internal/demo/config.json"},
		{"leader", "--sdk-key", testKey, "--redis", redistest.Start(t).URL()},
	} {
		s := startSession(t, append(args, "--listen", listener.Addr().String())...)
		s.end(t, exitFailure)
		if !strings.Contains(s.err.String(), want) {
			t.Errorf("%s: have %q, want %q", args[0], s.err, want)
		}
	}
}
