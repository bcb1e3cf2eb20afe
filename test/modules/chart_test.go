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
		if text := root.Read(t, chart); !strings.Contains(text, want) {
			t.Errorf("%s lacks %q: run make release RELEASE=v%s\n%s", chart, want, number, text)
		}
	}
}

func TestAReleaseIsTheVersionOfTheChart(t *testing.T) {
	dir := files(t, replaceAll, nil)
	file := filepath.Join(dir, filepath.FromSlash(chart))
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
		err := requireChart(dir, "v1.2.3-rc.1")
		if (err != nil) != (want == "") {
			t.Errorf("%q: %v", text, err)
		}
		if have, err := os.ReadFile(file); err != nil || want != "" && string(have) != want || want == "" && string(have) != text {
			t.Errorf("%q becomes %q, want %q (%v)", text, have, want, err)
		}
	}
}
