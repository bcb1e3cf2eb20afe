package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/internal/testenv/root"
)

func TestTheChartHasTheVersionOfTheModules(t *testing.T) {
	number := strings.TrimPrefix(repository(t).version, "v")
	for _, want := range []string{"\nversion: \"" + number + "\"\n", "\nappVersion: \"" + number + "\"\n"} {
		if text := root.Read(t, chartFile); !strings.Contains(text, want) {
			t.Errorf("%s lacks %q: run make release RELEASE=v%s\n%s", chartFile, want, number, text)
		}
	}
}

func TestAReleaseSetsTheVersionsOfTheChart(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, filepath.FromSlash(chartFile))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"name: x\nversion: \"0.0.0\"\n# c\nappVersion: 1\nkubeVersion: y\n": "name: x\nversion: \"1.2.3-rc.1\"\n# c\nappVersion: \"1.2.3-rc.1\"\nkubeVersion: y\n",
		"name: x\nversion: 1\n": "",
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		err := setChart(dir, "v1.2.3-rc.1")
		if (err != nil) != (want == "") {
			t.Errorf("%q: %v", text, err)
		}
		if have, err := os.ReadFile(file); err != nil || want != "" && string(have) != want || want == "" && string(have) != text {
			t.Errorf("%q becomes %q, want %q (%v)", text, have, want, err)
		}
	}
	if err := setChart(t.TempDir(), "v1.2.3"); err == nil {
		t.Error("a chart that does not exist has a version")
	}
}
