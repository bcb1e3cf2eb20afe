package main

import (
	"os"
	"strings"
	"testing"
)

// An argument that names no file may be an SDK key, whatever the reason is that it cannot be opened.
func TestAnUnreadableArgumentIsNotQuoted(t *testing.T) {
	c := newControlled(t)
	t.Chdir(t.TempDir())
	secret := "configcat-sdk-1/" + strings.Repeat("k", 22) + "/" + strings.Repeat("l", 22)
	try := func(name, argument, reason string) {
		t.Helper()
		for _, command := range [][]string{{"diff", argument}, {"diff", "current", argument}, {"pin", argument, "--for", "1h", "--reason", "x", "--yes"}} {
			var out, errs strings.Builder
			code := run(c.Context(), command, strings.NewReader(""), &out, &errs)
			if said := out.String() + errs.String(); strings.Contains(said, "kkkk") || code == exitOK {
				t.Errorf("%s: %s: exit %d, %s", name, command[0], code, said)
			} else if code != exitUsage || !strings.Contains(said, "neither") || !strings.Contains(said, reason) {
				t.Errorf("%s: %s: exit %d, %s", name, command[0], code, said)
			}
		}
	}
	try("missing", secret, "a file")
	if err := os.WriteFile("configcat-sdk-1", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	try("below a file", secret, "not a directory")
	try("too long", strings.Repeat("k", 300), "file name too long")
}
