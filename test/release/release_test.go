package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/internal/testenv/missing"
	"github.com/catbridge/catbridge/internal/testenv/root"
)

const changelog = `# Changelog

## [Unreleased]

Text of
two lines.

### Added

- One item
  of two lines, see [a page](docs/a.md#b) and [a host](https://example.com/x).
- Another.

## [0.2.0] - 2027-01-02

## [0.1.0] - 2026-12-01

- First.
`

func TestNotesAreASectionWithoutLineBreaks(t *testing.T) {
	for title, want := range map[string]string{
		"Unreleased": "Text of two lines.\n\n### Added\n\n- One item of two lines, see [a page](" + repository + "main/docs/a.md#b) and [a host](https://example.com/x).\n- Another.\n",
		"v0.1.0":     "- First.\n",
	} {
		if have, err := notes(changelog, title); err != nil || have != want {
			t.Errorf("%s: %q, %v, want\n%q", title, have, err, want)
		}
	}
	for title, want := range map[string]string{"v0.2.0": "is empty", "v0.3.0": "no section ## [0.3.0]"} {
		if _, err := notes(changelog, title); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", title, err, want)
		}
	}
}

// In the commit of a release, Unreleased is empty and the version's section is the next.
func TestTheChangelogHasNotes(t *testing.T) {
	text := root.Read(t, "CHANGELOG.md")
	titles := regexp.MustCompile(`(?m)^## \[(.*)\]`).FindAllStringSubmatch(text, 2)
	if len(titles) == 0 || titles[0][1] != "Unreleased" {
		t.Fatalf("the first section is not Unreleased: %q", titles)
	}
	for _, title := range titles {
		if _, err := notes(text, title[1]); err == nil {
			return
		}
	}
	t.Errorf("no notes in %q", titles)
}

// filesOf returns files that satisfy want.
func filesOf(want []wanted) map[string]file {
	files := map[string]file{}
	for _, w := range want {
		files[w.path] = file{mode: w.mode, content: []byte("x"), config: w.config}
	}
	return files
}

func TestMissingFilesOfPackagesAreDetected(t *testing.T) {
	want := packaged("zsh/_catbridge")
	if faults := lacking(want, filesOf(want)); len(faults) > 0 {
		t.Fatal(faults)
	}
	for path, test := range map[string]struct {
		f    file
		want string
	}{
		"usr/bin/catbridge":                        {file{mode: 0o644, content: []byte("x")}, "usr/bin/catbridge has the mode -rw-r--r--, want -rwxr-xr-x"},
		"etc/catbridge/credentials":                {file{mode: 0o755 | fs.ModeDir}, "etc/catbridge/credentials has the mode drwxr-xr-x, want drwx------"},
		"etc/catbridge/catbridge.yaml":             {file{mode: 0o644, content: []byte("x")}, "etc/catbridge/catbridge.yaml: an upgrade keeps changes: false, want true"},
		"usr/share/man/man1/catbridge-leader.1.gz": {file{mode: 0o644}, "usr/share/man/man1/catbridge-leader.1.gz is empty"},
	} {
		files := filesOf(want)
		files[path] = test.f
		if faults := lacking(want, files); !slices.Equal(faults, []string{test.want}) {
			t.Errorf("%q, want %q", faults, test.want)
		}
		delete(files, path)
		if faults := lacking(want, files); !slices.Equal(faults, []string{path + " is missing"}) {
			t.Errorf("%q", faults)
		}
	}
}

func TestFaultsOfArchivesAreDetected(t *testing.T) {
	windows := target{"windows", "arm64"}
	if name := windows.archive("v1.2.3"); name != "catbridge_1.2.3_windows_arm64.zip" {
		t.Error(name)
	}
	faults := archiveFaults(windows, "dir/", map[string]file{"dir/catbridge": {mode: 0o755}, "LICENSE": {mode: 0o644}})
	for _, want := range []string{"dir/catbridge.exe is missing", "dir/LICENSE is missing", "LICENSE is outside of dir/", "dir/man/catbridge.1.gz is missing"} {
		if !slices.Contains(faults, want) {
			t.Errorf("%q lacks %q", faults, want)
		}
	}
}

func TestFaultsOfProgramsAreDetected(t *testing.T) {
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Join(programFaults(target{"plan9", runtime.GOARCH}, program, ""), "\n")
	for _, want := range []string{"built with GOOS=" + runtime.GOOS + ", want plan9", "does not name golang.org/x/mod v"} {
		if !strings.Contains(text, want) {
			t.Errorf("%s\nlacks %q", text, want)
		}
	}
	if strings.Contains(text, "GOARCH") || strings.Contains(text, "name "+module) {
		t.Error(text)
	}
	if faults := programFaults(target{"linux", "amd64"}, []byte("#!/bin/sh"), ""); len(faults) != 1 {
		t.Errorf("%q", faults)
	}
}

func TestUnitsMustStartTheProgramOfThePackage(t *testing.T) {
	const unit = "# Text.\n\n[Unit]\n[Service]\nExecStart=/usr/bin/catbridge leader\n"
	if faults := unitFaults("u", unit); len(faults) > 0 {
		t.Error(faults)
	}
	for _, text := range []string{"", strings.Replace(unit, "/usr/bin", "/usr/local/bin", 1), strings.Replace(unit, "\n[Unit]", "", 1)} {
		if faults := unitFaults("u", text); len(faults) != 1 {
			t.Errorf("%q: %q", text, faults)
		}
	}
}

func TestChecksumsMustBeThoseOfTheFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	line := func(name, text string) string { return fmt.Sprintf("%x  %s\n", sha256.Sum256([]byte(text)), name) }
	var sums strings.Builder
	for _, name := range []string{"dist/a.tar.gz", "dist/a.zip", "dist/a.deb", "dist/a.rpm", "chart/a.tgz"} {
		write(name, name)
		sums.WriteString(line(filepath.Base(name), name))
	}
	all := sums.String()
	write("dist/metadata.json", "{}")
	check := func(text, want string) {
		t.Helper()
		write("dist/checksums.txt", text)
		if faults := strings.Join(checksumFaults(filepath.Join(dir, "dist"), filepath.Join(dir, "chart")), "\n"); (faults == "") != (want == "") || !strings.Contains(faults, want) {
			t.Errorf("%q, want %q", faults, want)
		}
	}
	check(all, "")
	check(strings.Replace(all, line("a.deb", "dist/a.deb"), "", 1), "the sum of a.deb is missing or wrong")
	check(strings.Replace(all, line("a.tgz", "chart/a.tgz"), line("a.tgz", "x"), 1), "the sum of a.tgz is missing or wrong")
	check(all+line("b.rpm", ""), "b.rpm does not exist")
	if err := os.Remove(filepath.Join(dir, "dist/a.zip")); err != nil {
		t.Fatal(err)
	}
	check(strings.Replace(all, line("a.zip", "dist/a.zip"), "", 1), "no file matches")
}

func TestArchivesAreRead(t *testing.T) {
	var tarred, zipped bytes.Buffer
	tw := tar.NewWriter(&tarred)
	zw := zip.NewWriter(&zipped)
	header := &zip.FileHeader{Name: "dir/x"}
	header.SetMode(0o755)
	z, err := zw.CreateHeader(header)
	if err != nil {
		t.Fatal(err)
	}
	if err := tw.WriteHeader(&tar.Header{Name: "./dir/x", Mode: 0o755, Size: 2, Typeflag: tar.TypeReg}); err != nil {
		t.Fatal(err)
	}
	for _, w := range []interface{ Write([]byte) (int, error) }{tw, z} {
		if _, err := w.Write([]byte("hi")); err != nil {
			t.Fatal(err)
		}
	}
	if tw.Close() != nil || zw.Close() != nil {
		t.Fatal("not closed")
	}
	fromTar, err := readTar(&tarred)
	if err != nil {
		t.Fatal(err)
	}
	fromZip, err := readZip(zipped.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	for _, files := range []map[string]file{fromTar, fromZip} {
		if f := files["dir/x"]; string(f.content) != "hi" || f.mode != 0o755 || len(files) != 1 {
			t.Errorf("%+v", files)
		}
	}
}

func TestPackagesOfDebianAreRead(t *testing.T) {
	if _, err := exec.LookPath("dpkg-deb"); err != nil {
		missing.Skip(t, "dpkg-deb is missing: it is part of Debian (%v)", err)
	}
	dir := t.TempDir()
	for name, text := range map[string]string{
		"DEBIAN/control":   "Package: x\nVersion: 1.0\nArchitecture: all\nMaintainer: A <a@example.com>\nDescription: d\n",
		"DEBIAN/conffiles": "/etc/x.yaml\n", "etc/x.yaml": "a: 1\n", "usr/bin/x": "program",
	} {
		path := filepath.Join(dir, "x", name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	name := filepath.Join(dir, "x.deb")
	if out, err := exec.CommandContext(t.Context(), "dpkg-deb", "--root-owner-group", "--build", filepath.Join(dir, "x"), name).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	files, control, err := readDeb(name)
	if err != nil {
		t.Fatal(err)
	}
	if f := files["etc/x.yaml"]; !f.config || f.mode != 0o644 || string(f.content) != "a: 1\n" || files["usr/bin/x"].config || !strings.Contains(string(control["control"].content), "Package: x\n") {
		t.Errorf("%+v\n%+v", files, control)
	}
	if err := os.WriteFile(name, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := readDeb(name); err == nil {
		t.Error("a broken package is read")
	}
}
