package chart

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/catbridge/catbridge/internal/testenv/program"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/internal/testenv/root"
)

// secrets are the contents of all files from Secrets.
func secrets(t *testing.T) map[string]string {
	t.Helper()
	authority := redistest.NewAuthority(t)
	certificate := authority.Issue(t, "client")
	read := func(path string) string {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	const shop, api = "configcat-sdk-1/TEST_KEY-0123456789012/1234567890123456789012", "configcat-sdk-1/TEST_KEY-0123456789012/abcdefghijklmnopqrstuv"
	return map[string]string{
		"sdk-keys": "shop=" + shop + "\napi=" + api + "\n", "shop": shop, "api": api,
		"redis-password": "secret\n", "sentinel-password": "secret\n",
		"webhook-keys": "configcat_whsk_VN3juirnVh5pNvCKd81RYRYchxUX4j3NykbZG2fAy88=\n",
		"serve-tokens": "Zm9yLW1vbml0b3Jpbmctb25seS4u rights=status\n", "event-keys": strings.Repeat("0123456789abcdef", 4) + "\n",
		"redis-ca.crt": read(authority.CAFile), "redis-client.crt": read(certificate.CertFile), "redis-client.key": read(certificate.KeyFile),
		"serve.crt": read(certificate.CertFile), "serve.key": read(certificate.KeyFile), "serve-client-ca.crt": read(authority.CAFile),
	}
}

// settingsPath is the path of the settings in all pods.
const settingsPath = "/etc/catbridge/catbridge.yaml"

var listenLine = regexp.MustCompile(`(?m)^( *listen:) .*$`)

// install writes the files of a workload's pod into a folder, and returns the path of its settings. They
// listen on a free port of this machine.
func install(t *testing.T, o objects, w workload, contents map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, source := range sources(w.pod.Spec) {
		if len(source.Items) == 0 {
			for _, name := range []string{"shop", "api"} {
				write(name, contents[name])
			}
		}
		for _, item := range source.Items {
			if contents[item.Path] == "" {
				t.Fatalf("the test has no %s", item.Path)
			}
			write(item.Path, contents[item.Path])
		}
	}
	text := o.all["ConfigMap/"+w.GetName()].(*corev1.ConfigMap).Data["catbridge.yaml"]
	text = strings.ReplaceAll(text, "/run/secrets/catbridge", dir)
	text = strings.ReplaceAll(text, "/var/lib/catbridge", dir)
	write("catbridge.yaml", listenLine.ReplaceAllString(text, "$1 127.0.0.1:0"))
	return filepath.Join(dir, "catbridge.yaml")
}

// Every pod of every case starts with its command and its settings, and is alive although Redis is unreachable.
func TestTheProcessesStart(t *testing.T) {
	catbridge, contents := program.Path(t), secrets(t)
	forEachCase(t, func(t *testing.T, _ string, o objects) {
		for _, w := range workloads(o) {
			config := install(t, o, w, contents)
			if w.component() == "leader" {
				if out, err := exec.CommandContext(t.Context(), catbridge, "config", "check", "--config", config).CombinedOutput(); err != nil {
					t.Errorf("%s: config check: %v\n%s", w.GetName(), err, out)
				}
			}
			start(t, catbridge, w, config)
		}
	})
}

// start runs the process of a workload until it says that it listens, asks whether it is alive, and stops it.
func start(t *testing.T, catbridge string, w workload, config string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // for one that neither starts nor ends
	defer cancel()
	var args []string
	for _, arg := range w.container(t).Args {
		args = append(args, strings.ReplaceAll(arg, settingsPath, config))
	}
	cmd := exec.CommandContext(ctx, catbridge, args...)
	cmd.Env = []string{} // not nil: no variables
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines, log := bufio.NewScanner(stderr), ""
	for lines.Scan() {
		log += lines.Text() + "\n"
		var line struct {
			Level, Message, Listen string
			EventID                int `json:"event_id"`
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			continue // not a log line, but the message of a program that does not start
		}
		if line.Level == "warn" && line.EventID == 0 {
			t.Errorf("%s warns of its settings: %s", w.GetName(), lines.Text())
		}
		if line.Message != "started" {
			continue
		}
		_, port, err := net.SplitHostPort(line.Listen)
		if err != nil {
			t.Errorf("%s listens on %q: %v", w.GetName(), line.Listen, err)
			break
		}
		if out, err := exec.CommandContext(ctx, catbridge, "health", "--address=127.0.0.1:"+port).CombinedOutput(); err != nil {
			t.Errorf("%s is not alive: %v\n%s", w.GetName(), err, out)
		}
		_ = cmd.Process.Signal(syscall.SIGTERM)
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); errors.As(err, &exit) || err != nil {
		t.Errorf("%s: %v\n%s", w.GetName(), err, log)
	}
}

// helm test runs catbridge doctor, which finds the settings in order and no Redis.
func TestThePodsOfHelmTestRun(t *testing.T) {
	catbridge, contents := program.Path(t), secrets(t)
	for name, redis := range map[string]string{"serve as a Deployment": "single", "all secrets": "sentinel"} {
		o := render(t, required, topologies[redis], cases[name].values)
		for _, w := range workloads(o) {
			config := install(t, o, w, contents)
			pod := o.all["Pod/"+w.GetName()+"-doctor"].(*corev1.Pod).Spec
			if !reflect.DeepEqual(sources(pod), sources(w.pod.Spec)) || !reflect.DeepEqual(pod.Containers[0].VolumeMounts, w.container(t).VolumeMounts) {
				t.Errorf("%s: the doctor has other files than %s", name, w.GetName())
			}
			var args []string
			for _, arg := range pod.Containers[0].Args {
				args = append(args, strings.ReplaceAll(arg, settingsPath, config))
			}
			cmd := exec.CommandContext(t.Context(), catbridge, append(args, "--timeout=1s")...)
			cmd.Env = []string{"CATBRIDGE_BASE_URL=http://127.0.0.1:1"} // not ConfigCat's CDN
			out, err := cmd.CombinedOutput()
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.ExitCode() != 1 || !strings.Contains(string(out), "✓ settings: 2 SDK key(s)") || !strings.Contains(string(out), "✗ redis network") {
				t.Errorf("%s: catbridge %q: %v\n%s", name, args, err, out)
			}
		}
	}
}

var (
	commentedSetting = regexp.MustCompile(`(?m)^( *)# ((?:  )?[a-z_]+:(?: \S.*)?)$`)
	secretSetting    = regexp.MustCompile(`(?m)^ *webhook_keys: .*\n`)
)

// Every setting of deploy/catbridge.yaml can be a value, and becomes a setting of both components as it is.
func TestEverySettingCanBeAValue(t *testing.T) {
	text := commentedSetting.ReplaceAllString(root.Read(t, "deploy/catbridge.yaml"), "$1$2")
	if len(secretSetting.FindAllString(text, -1)) != 2 {
		t.Error("deploy/catbridge.yaml has other secrets")
	}
	var want map[string]any
	if err := yaml.Unmarshal([]byte(secretSetting.ReplaceAllString(text, "")), &want); err != nil {
		t.Fatal(err)
	}
	want["listen"] = ":8080" // where the Service leads
	want["serve"].(map[string]any)["listen"] = ":8093"
	values, err := yaml.Marshal(map[string]any{"config": want, "serve": map[string]any{"enabled": true}})
	if err != nil {
		t.Fatal(err)
	}
	o := render(t, string(values))
	for _, w := range workloads(o) {
		if have := settings(t, o, w.GetName()); !reflect.DeepEqual(have, want) {
			for _, name := range slices.Sorted(maps.Keys(want)) {
				if !reflect.DeepEqual(have[name], want[name]) {
					t.Errorf("%s: %s is %v, want %v", w.GetName(), name, have[name], want[name])
				}
			}
		}
	}
}

// The settings of a component win, even if they are false or zero. Large numbers stay whole.
func TestSettingsOfAComponentWin(t *testing.T) {
	o := render(t, required, topologies["single"], cases["settings"].values)
	text := o.all["ConfigMap/flags-catbridge"].(*corev1.ConfigMap).Data["catbridge.yaml"]
	for _, want := range []string{"\nstatus: false\n", "\n  entries: 0\n", "expected_followers: 100000000\n", "\nlisten: :9090\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("the leaders' settings lack %q:\n%s", want, text)
		}
	}
	text = o.all["ConfigMap/flags-catbridge-serve"].(*corev1.ConfigMap).Data["catbridge.yaml"]
	for _, want := range []string{"\nstatus: true\n", "\n  entries: 100\n", "\n  listen: :9093\n", "\n  hold: 5s\n", "\n  snapshot_dir: /var/lib/catbridge\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("the settings of serve lack %q:\n%s", want, text)
		}
	}
}
