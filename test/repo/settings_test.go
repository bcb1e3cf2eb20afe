package repo

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/catbridge/catbridge/internal/testenv/program"
	"github.com/catbridge/catbridge/internal/testenv/root"
)

// The program accepts its settings in deploy. Webhooks need keys, which are optional.
func TestConfigurationsAreAccepted(t *testing.T) {
	path := program.Path(t)
	dir := t.TempDir()
	for name, text := range map[string]string{
		"sdk-keys": "shop=configcat-sdk-1/TEST_KEY-0123456789012/1234567890123456789012\n", "redis-password": "secret\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{"kubernetes/catbridge.yaml", "systemd/catbridge.yaml"} {
		text, err := os.ReadFile(root.Path(t, "deploy", file))
		if err != nil {
			t.Fatal(err)
		}
		config := filepath.Join(dir, "catbridge.yaml")
		if err := os.WriteFile(config, bytes.ReplaceAll(text, []byte("/run/secrets/catbridge"), []byte(dir)), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), path, "config", "check", "--config", config)
		if file == "systemd/catbridge.yaml" { // as in the unit
			cmd.Env = []string{"CATBRIDGE_SDK_KEY_FILE=" + dir + "/sdk-keys", "CATBRIDGE_REDIS_PASSWORD_FILE=" + dir + "/redis-password"}
		}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", file, err, out)
		}
		if file != "kubernetes/catbridge.yaml" {
			continue
		}
		text = bytes.ReplaceAll(text, []byte("\n# webhook_key_files:"), []byte("\nwebhook_key_files:"))
		if err := os.WriteFile(config, bytes.ReplaceAll(text, []byte("/run/secrets/catbridge"), []byte(dir)), 0o600); err != nil {
			t.Fatal(err)
		}
		keys := filepath.Join(dir, "webhook-keys")
		if out, err := exec.CommandContext(t.Context(), path, "config", "check", "--config", config).CombinedOutput(); err == nil || !bytes.Contains(out, []byte(keys)) {
			t.Errorf("the keys for webhooks are not read: %v\n%s", err, out)
		}
		if err := os.WriteFile(keys, []byte("configcat_whsk_VN3juirnVh5pNvCKd81RYRYchxUX4j3NykbZG2fAy88=\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.CommandContext(t.Context(), path, "config", "check", "--config", config).CombinedOutput(); err != nil {
			t.Errorf("with webhooks: %v\n%s", err, out)
		}
	}
}
