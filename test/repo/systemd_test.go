package repo

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/internal/testenv/missing"
	"github.com/catbridge/catbridge/internal/testenv/root"
)

func TestUnitIsSoundAndHardened(t *testing.T) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		missing.Skip(t, "systemd-analyze is missing: install the Debian package systemd (%v)", err)
	}
	text := root.Read(t, "deploy/systemd/catbridge.service")
	const installed = "/usr/local/bin/catbridge"
	if !strings.Contains(text, "ExecStart="+installed+" leader --config /etc/catbridge/catbridge.yaml\n") {
		t.Error("what is started is something else")
	}
	for _, setting := range []string{
		"Type=notify", "TimeoutStartSec=infinity", "ExecReload=/bin/kill -HUP $MAINPID", "Restart=always",
		"RestartPreventExitStatus=78", "ConfigurationDirectory=catbridge",
	} {
		if !strings.Contains(text, "\n"+setting+"\n") {
			t.Errorf("missing line %s", setting)
		}
	}
	unit := filepath.Join(t.TempDir(), "catbridge.service")
	if err := os.WriteFile(unit, []byte(strings.ReplaceAll(text, installed, "/bin/true")), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), analyze, "verify", unit).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
	out, err := exec.CommandContext(t.Context(), analyze, "security", "--offline=yes", "--threshold=20", unit).CombinedOutput()
	if err != nil {
		t.Errorf("systemd-analyze security: %v\n%s", err, out)
	}
}
