package repo

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

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

// settingsOfPages are the blocks of YAML in README.md and docs that are settings.
func settingsOfPages(t *testing.T) (all []fence) {
	t.Helper()
	for page, text := range pages(t) {
		blocks, _ := fencesOf(page, text)
		for _, f := range blocks {
			if f.language != "yaml" || !inDocs(page) {
				continue
			}
			var object map[string]any
			if err := yaml.Unmarshal([]byte(f.text), &object); err != nil {
				t.Errorf("%s: %v", f, err)
			}
			if object["apiVersion"] == nil {
				all = append(all, f)
			}
		}
	}
	return all
}

// The program accepts the settings on the pages. What a block lacks is in the environment.
func TestSettingsOnThePagesAreAccepted(t *testing.T) {
	path := program.Path(t)
	blocks := settingsOfPages(t)
	if len(blocks) < 5 {
		t.Errorf("%d blocks", len(blocks))
	}
	for _, f := range blocks {
		t.Run(f.String(), func(t *testing.T) {
			dir := t.TempDir()
			for name, text := range map[string]string{
				"catbridge.yaml": strings.ReplaceAll(f.text, "/run/secrets/catbridge", dir),
				"sdk-keys":       "shop=" + playgroundKey + "\n", "redis-password": "secret\n", "shop.key": playgroundKey + "\n", "redis.password": "secret\n",
				"serve.tokens": "Zm9yLW1vbml0b3Jpbmctb25seS4u rights=status\n",
				"ui-tokens":    "Zm9yLXBlb3BsZS1vbmx5LWhlcmUu rights=explain,control name=ada@example.com\n",
			} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			cmd := exec.CommandContext(t.Context(), path, "config", "check", "--config", filepath.Join(dir, "catbridge.yaml"))
			cmd.Env = []string{
				"SHOP_SDK_KEY=" + playgroundKey, "API_SDK_KEY=" + strings.Replace(playgroundKey, "local", "other", 1),
				"SHOP_WEBHOOK_KEYS=configcat_whsk_VN3juirnVh5pNvCKd81RYRYchxUX4j3NykbZG2fAy88=",
			}
			if !strings.Contains(f.text, "sdk_key") {
				cmd.Env = append(cmd.Env, "CATBRIDGE_SDK_KEY="+playgroundKey)
			}
			if !strings.Contains(f.text, "redis:") {
				cmd.Env = append(cmd.Env, "CATBRIDGE_REDIS_URL=redis://localhost:6379")
			}
			if out, err := cmd.CombinedOutput(); err != nil || strings.Contains(string(out), "warning") {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}
