package repo

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/internal/testenv/root"
)

// make race chooses by this how it runs the suite.
func TestIdleIsTheShareOfTheProcessorsTime(t *testing.T) {
	t.Parallel()
	script := root.Path(t, ".ci", "idle")
	counters := func(line string) string {
		path := filepath.Join(t.TempDir(), "stat")
		if err := os.WriteFile(path, []byte(line+"\ncpu0 1 1 1 1 1 1 1 1 0 0\nintr 1 2 3\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	before := counters("cpu  1000 100 500 90000 300 10 20 30 7 8")
	for after, want := range map[string]string{
		"cpu  1000 100 500 90200 300 10 20 30 7 8":  "100", // all idle
		"cpu  1050 125 510 90100 350 15 30 80 99 8": "50",  // half: what waits for a disk is idle, what the host gives to others is not
		"cpu  1200 100 500 90000 300 10 20 30 7 8":  "0",
		"cpu  1000 100 500 90000 300 10 20 30 7 8":  "100", // nothing was counted
	} {
		out, err := exec.Command(script, before, counters(after)).CombinedOutput()
		if got := strings.TrimSpace(string(out)); err != nil || got != want {
			t.Errorf("%s: %q, %v; want %s", after, got, err, want)
		}
	}
	out, err := exec.Command(script, filepath.Join(t.TempDir(), "none")).CombinedOutput()
	if got := strings.TrimSpace(string(out)); err != nil || got != "100" {
		t.Errorf("without counters: %q, %v", got, err)
	}
}
