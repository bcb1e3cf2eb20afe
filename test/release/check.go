package main

import (
	"bytes"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

const module = "github.com/catbridge/catbridge"

// target is a system for which a release has an archive.
type target struct{ system, architecture string }

var targets = []target{
	{"linux", "amd64"}, {"linux", "arm64"}, {"darwin", "amd64"}, {"darwin", "arm64"}, {"windows", "amd64"}, {"windows", "arm64"},
}

func (t target) program() string {
	if t.system == "windows" {
		return "catbridge.exe"
	}
	return "catbridge"
}

func (t target) archive(version string) string {
	name := "catbridge_" + strings.TrimPrefix(version, "v") + "_" + t.system + "_" + t.architecture
	if t.system == "windows" {
		return name + ".zip"
	}
	return name + ".tar.gz"
}

// check prints what it checked, and returns an error with all faults of a release in a folder.
func check(dist, version string) error {
	notices, err := os.ReadFile("THIRD_PARTY_NOTICES.txt")
	if err != nil {
		return err
	}
	var faults []string
	programs := map[target][]byte{}
	for _, t := range targets {
		name := t.archive(version)
		files, err := readArchive(filepath.Join(dist, name))
		if err != nil {
			faults = append(faults, fmt.Sprintf("%s: %v", name, err))
			continue
		}
		prefix := strings.TrimSuffix(strings.TrimSuffix(name, ".zip"), ".tar.gz") + "/"
		programs[t] = files[prefix+t.program()].content
		faults = append(faults, within(name, archiveFaults(t, prefix, files))...)
		faults = append(faults, within(name, programFaults(t, programs[t], string(notices)))...)
		fmt.Printf("    %s: %d files\n", name, len(files))
	}
	for _, architecture := range []string{"amd64", "arm64"} {
		program := programs[target{"linux", architecture}]
		faults = append(faults, checkDeb(dist, architecture, program)...)
		faults = append(faults, checkRPM(dist, architecture, program)...)
	}
	charts := filepath.Join(dist, "..", "chart")
	if _, err := one(charts, "catbridge-"+strings.TrimPrefix(version, "v")+".tgz"); err != nil {
		faults = append(faults, "the Helm chart: "+err.Error())
	}
	faults = append(faults, checksumFaults(dist, charts)...)
	faults = append(faults, startFaults(programs, version)...)
	if len(faults) > 0 {
		return errors.New(strings.Join(faults, "\nrelease: "))
	}
	fmt.Printf("==> the archives and packages of %s are complete\n", version)
	return nil
}

func within(name string, faults []string) []string {
	for i := range faults {
		faults[i] = name + ": " + faults[i]
	}
	return faults
}

// archiveFaults compares the files of an archive with what it must contain.
func archiveFaults(t target, prefix string, files map[string]file) []string {
	want := []wanted{
		{path: t.program(), mode: 0o755}, {path: "LICENSE", mode: 0o644}, {path: "THIRD_PARTY_NOTICES.txt", mode: 0o644}, {path: "CHANGELOG.md", mode: 0o644},
		{path: "completions/catbridge.bash", mode: 0o644}, {path: "completions/_catbridge", mode: 0o644},
		{path: "completions/catbridge.fish", mode: 0o644}, {path: "completions/catbridge.ps1", mode: 0o644},
		{path: "man/catbridge.1.gz", mode: 0o644}, {path: "man/catbridge-leader.1.gz", mode: 0o644}, {path: "man/catbridge-serve.1.gz", mode: 0o644},
	}
	for i := range want {
		want[i].path = prefix + want[i].path
	}
	faults := lacking(want, files)
	for name := range files {
		if !strings.HasPrefix(name, prefix) {
			faults = append(faults, name+" is outside of "+prefix)
		}
	}
	return faults
}

// wanted is a file that an archive or a package must contain.
type wanted struct {
	path   string
	mode   fs.FileMode
	config bool
}

// packaged is what packages contain, for the shells' folders of Debian or of Fedora.
func packaged(zsh string) []wanted {
	return []wanted{
		{path: "usr/bin/catbridge", mode: 0o755},
		{path: "usr/lib/systemd/system/catbridge.service", mode: 0o644},
		{path: "usr/lib/systemd/system/catbridge-serve.service", mode: 0o644},
		{path: "etc/catbridge/catbridge.yaml", mode: 0o644, config: true},
		{path: "etc/catbridge/serve.yaml", mode: 0o644, config: true},
		{path: "etc/catbridge/credentials", mode: 0o700 | fs.ModeDir},
		{path: "usr/share/bash-completion/completions/catbridge", mode: 0o644},
		{path: zsh, mode: 0o644},
		{path: "usr/share/fish/vendor_completions.d/catbridge.fish", mode: 0o644},
		{path: "usr/share/man/man1/catbridge.1.gz", mode: 0o644},
		{path: "usr/share/man/man1/catbridge-leader.1.gz", mode: 0o644},
		{path: "usr/share/doc/catbridge/copyright", mode: 0o644},
		{path: "usr/share/doc/catbridge/THIRD_PARTY_NOTICES.txt", mode: 0o644},
		{path: "usr/share/doc/catbridge/catbridge.yaml", mode: 0o644},
	}
}

// lacking returns what is missing, or has another mode.
func lacking(want []wanted, files map[string]file) []string {
	var faults []string
	for _, w := range want {
		f, ok := files[w.path]
		switch {
		case !ok:
			faults = append(faults, w.path+" is missing")
		case f.mode != w.mode:
			faults = append(faults, fmt.Sprintf("%s has the mode %v, want %v", w.path, f.mode, w.mode))
		case f.config != w.config:
			faults = append(faults, fmt.Sprintf("%s: an upgrade keeps changes: %t, want %t", w.path, f.config, w.config))
		case f.mode.IsRegular() && f.sum == "" && len(f.content) == 0:
			faults = append(faults, w.path+" is empty")
		}
	}
	return faults
}

// programFaults checks for what a program was built, and that the notices name its modules.
func programFaults(t target, program []byte, notices string) []string {
	info, err := buildinfo.Read(bytes.NewReader(program))
	if err != nil {
		return []string{err.Error()}
	}
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	var faults []string
	for key, want := range map[string]string{"GOOS": t.system, "GOARCH": t.architecture, "CGO_ENABLED": "0", "-trimpath": "true"} {
		if settings[key] != want {
			faults = append(faults, fmt.Sprintf("built with %s=%s, want %s", key, settings[key], want))
		}
	}
	for _, dep := range info.Deps {
		if own := dep.Path == module || strings.HasPrefix(dep.Path, module+"/"); !own && !strings.Contains(notices, "\n"+dep.Path+" "+dep.Version+"\n") {
			faults = append(faults, fmt.Sprintf("THIRD_PARTY_NOTICES.txt does not name %s %s: run make notices", dep.Path, dep.Version))
		}
	}
	slices.Sort(faults)
	return faults
}

// one returns the only file of a pattern.
func one(dist, pattern string) (string, error) {
	files, err := filepath.Glob(filepath.Join(dist, pattern))
	if err == nil && len(files) != 1 {
		err = fmt.Errorf("%d files match %s", len(files), pattern)
	}
	if err != nil {
		return "", err
	}
	return files[0], nil
}

func checkDeb(dist, architecture string, program []byte) []string {
	name, err := one(dist, "catbridge_*_"+architecture+".deb")
	if err != nil {
		return []string{err.Error()}
	}
	if _, err := exec.LookPath("dpkg-deb"); err != nil {
		fmt.Printf("not tried: the content of %s: dpkg-deb is not installed\n", filepath.Base(name))
		return nil
	}
	files, control, err := readDeb(name)
	if err != nil {
		return []string{err.Error()}
	}
	faults := lacking(packaged("usr/share/zsh/vendor-completions/_catbridge"), files)
	for _, script := range []string{"postinst", "prerm", "postrm"} {
		if !strings.Contains(string(control[script].content), "systemctl") {
			faults = append(faults, script+" is missing")
		}
	}
	if !bytes.Equal(files["usr/bin/catbridge"].content, program) {
		faults = append(faults, "the program is not that of the archive")
	}
	for _, unit := range []string{"catbridge.service", "catbridge-serve.service"} {
		faults = append(faults, unitFaults(unit, string(files["usr/lib/systemd/system/"+unit].content))...)
	}
	fmt.Printf("    %s: %d files\n", filepath.Base(name), len(files))
	return within(filepath.Base(name), faults)
}

// unitFaults checks that a unit starts the program of the package.
func unitFaults(name, text string) []string {
	if !strings.Contains(text, "\n[Unit]\n") || !strings.Contains(text, "\nExecStart=/usr/bin/catbridge ") || strings.Contains(text, "/usr/local/") {
		return []string{name + " does not start /usr/bin/catbridge"}
	}
	return nil
}

func checkRPM(dist, architecture string, program []byte) []string {
	name, err := one(dist, "catbridge-*."+map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[architecture]+".rpm")
	if err != nil {
		return []string{err.Error()}
	}
	if _, err := exec.LookPath("rpm"); err != nil {
		fmt.Printf("not tried: the content of %s: rpm is not installed\n", filepath.Base(name))
		return nil
	}
	files, scripts, err := readRPM(name)
	if err != nil {
		return []string{err.Error()}
	}
	faults := lacking(packaged("usr/share/zsh/site-functions/_catbridge"), files)
	for _, script := range []string{"postinstall", "preuninstall", "postuninstall"} {
		if !strings.Contains(scripts, script+" scriptlet") {
			faults = append(faults, script+" is missing")
		}
	}
	if sum := sha256.Sum256(program); files["usr/bin/catbridge"].sum != hex.EncodeToString(sum[:]) {
		faults = append(faults, "the program is not that of the archive")
	}
	fmt.Printf("    %s: %d files\n", filepath.Base(name), len(files))
	return within(filepath.Base(name), faults)
}

// checksumFaults compares checksums.txt with the files of the release, and the charts in another folder.
func checksumFaults(dist, charts string) []string {
	text, err := os.ReadFile(filepath.Join(dist, "checksums.txt"))
	if err != nil {
		return []string{err.Error()}
	}
	sums := map[string]string{}
	for line := range strings.Lines(string(text)) {
		sum, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		sums[name] = sum
	}
	var faults []string
	for _, pattern := range []string{dist + "/*.tar.gz", dist + "/*.zip", dist + "/*.deb", dist + "/*.rpm", charts + "/*.tgz"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			faults = append(faults, fmt.Sprintf("no file matches %s (%v)", pattern, err))
		}
		for _, path := range files {
			faults = append(faults, sumFaults(path, sums)...)
			delete(sums, filepath.Base(path))
		}
	}
	for name := range sums {
		faults = append(faults, "checksums.txt: "+name+" does not exist")
	}
	return faults
}

// sumFaults compares the sum of a file.
func sumFaults(path string, sums map[string]string) []string {
	content, err := os.ReadFile(path)
	if err != nil {
		return []string{err.Error()}
	}
	name := filepath.Base(path)
	if sum := sha256.Sum256(content); sums[name] != hex.EncodeToString(sum[:]) {
		return []string{"checksums.txt: the sum of " + name + " is missing or wrong"}
	}
	return nil
}

// startFaults runs this machine's program.
func startFaults(programs map[target][]byte, version string) []string {
	own := target{runtime.GOOS, runtime.GOARCH}
	if programs[own] == nil {
		fmt.Printf("not tried: the start of a program: the release has none for %s/%s\n", own.system, own.architecture)
		return nil
	}
	dir, err := os.MkdirTemp("", "release")
	if err != nil {
		return []string{err.Error()}
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, own.program())
	if err := os.WriteFile(path, programs[own], 0o700); err != nil { // #nosec G306 -- a program
		return []string{err.Error()}
	}
	out, err := output(path, "version")
	if err != nil {
		return []string{err.Error()}
	}
	if !strings.HasPrefix(string(out), "catbridge "+version+" ") {
		return []string{fmt.Sprintf("the program prints %q, want version %s", out, version)}
	}
	fmt.Printf("    %s", out)
	return nil
}
