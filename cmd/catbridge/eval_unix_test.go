//go:build unix

package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/internal/testenv/oddfile"
)

// TestEvalReadsFilesPipesAndStandardInput, all of them with a byte order mark.
func TestEvalReadsFilesPipesAndStandardInput(t *testing.T) {
	config := "\ufeff" + `{"f": {"text": {"t": 1, "v": {"s": "one"}}}}`
	file := t.TempDir() + "/config.json"
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	fmt.Fprint(w, config)
	w.Close()
	for _, path := range []string{file, fmt.Sprintf("/dev/fd/%d", r.Fd()), "-", "/dev/stdin"} {
		if c, err := readConfig(t.Context(), strings.NewReader(config), path); err != nil || len(c.Keys()) != 1 {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestEvalRejectsIrregularFiles(t *testing.T) {
	for _, odd := range oddfile.All(t) {
		t.Run(odd.Name, func(t *testing.T) {
			want := odd.Says
			if strings.Contains(odd.Name, "pipe") {
				want = "invalid JSON" // no writer: the pipe is empty
			}
			if _, err := readConfig(t.Context(), nil, odd.Path); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v, want %q", err, want)
			}
		})
	}
}
