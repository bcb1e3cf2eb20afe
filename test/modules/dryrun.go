package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/module"
	"golang.org/x/mod/zip"
)

// dryRun releases the last commit in a copy of the repository, serves the tagged modules from a module
// proxy in a folder, and gets and installs them from there, without go.work. It prints the steps. Modules
// of others come from this machine's module cache or else from its proxy.
func dryRun(ctx context.Context, root, version string) (err error) {
	dir, err := os.MkdirTemp("", "release")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()

	fmt.Printf("==> the release of %s, in a copy of the last commit\n", version)
	clone, err := cloned(ctx, root, dir)
	if err != nil {
		return err
	}
	w, err := tagAll(ctx, clone, version)
	if err != nil {
		return err
	}
	proxy := filepath.Join(dir, "proxy")
	for _, m := range w.modules {
		if err := publish(clone, proxy, m, version); err != nil {
			return err
		}
	}

	u, err := newUser(ctx, dir, proxy)
	if err != nil {
		return err
	}
	fmt.Println("==> go get of the packages of each module, and go build of a program that imports them")
	for _, m := range w.modules {
		if err := u.get(ctx, clone, w, m, version); err != nil {
			return err
		}
	}
	fmt.Println("==> go install of the programs")
	for _, m := range w.modules {
		if err := u.install(ctx, clone, m, version); err != nil {
			return err
		}
	}
	catbridge := filepath.Join(u.bin, "catbridge"+map[bool]string{true: ".exe"}[runtime.GOOS == "windows"])
	if err := command(ctx, dir, nil, catbridge, "version"); err != nil {
		return err
	}
	fmt.Printf("==> all modules of %s can be used\n", version)
	return nil
}

// cloned clones the repository in a folder, and returns the clone.
func cloned(ctx context.Context, root, dir string) (string, error) {
	clone := filepath.Join(dir, "clone")
	return clone, command(ctx, dir, nil, "git", "clone", "--quiet", "--no-tags", root, clone)
}

// tagAll commits and tags a release as CONTRIBUTING.md says.
func tagAll(ctx context.Context, clone, version string) (*workspace, error) {
	if err := require(clone, version); err != nil {
		return nil, err
	}
	w, err := load(clone)
	if err != nil {
		return nil, err
	}
	for _, args := range [][]string{
		{"add", "--all"},
		{"-c", "user.name=dry run", "-c", "user.email=dry-run@example.com", "commit", "--quiet", "--allow-empty", "--message", "release " + version},
	} {
		if err := command(ctx, clone, nil, "git", args...); err != nil {
			return nil, err
		}
	}
	for _, m := range w.modules {
		if err := command(ctx, clone, nil, "git", "tag", m.tag(version)); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// publish adds the tagged version of a module to a proxy: https://go.dev/ref/mod#goproxy-protocol.
func publish(clone, proxy string, m ownModule, version string) error {
	escaped, err := module.EscapePath(m.path)
	if err != nil {
		return err
	}
	dir := filepath.Join(proxy, filepath.FromSlash(escaped), "@v")
	info, err := json.Marshal(map[string]any{"Version": version, "Time": time.Now().UTC()})
	if err != nil {
		return err
	}
	mod, err := os.ReadFile(m.goMod(clone))
	if err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return err
	}
	file, err := os.Create(filepath.Join(dir, version+".zip"))
	if err != nil {
		return err
	}
	err = errors.Join(m.zip(file, clone, m.tag(version), version), file.Close(), write(filepath.Join(dir, "list"), []byte(version+"\n")),
		write(filepath.Join(dir, version+".info"), info), write(filepath.Join(dir, version+".mod"), mod))
	if err != nil {
		return fmt.Errorf("%s: %w", m.path, err)
	}
	return nil
}

// zip writes the module's files at a revision of the repository.
func (m ownModule) zip(to *os.File, root, revision, version string) error {
	subdirectory := m.dir
	if subdirectory == "." {
		subdirectory = ""
	}
	return zip.CreateFromVCS(to, module.Version{Path: m.path, Version: version}, root, revision, subdirectory)
}

// user is somebody with an empty module cache.
type user struct {
	dir, bin string
	env      []string
}

func newUser(ctx context.Context, dir, proxy string) (*user, error) {
	output, err := goCommand(ctx, dir, []string{"GOWORK=off"}, "env", "GOPROXY", "GOMODCACHE")
	if err != nil {
		return nil, err
	}
	ordinary, cache, _ := strings.Cut(strings.TrimSpace(output), "\n")
	u := &user{dir: dir, bin: filepath.Join(dir, "bin")}
	u.env = []string{
		"GOWORK=off", "GOFLAGS=-modcacherw", "GOBIN=" + u.bin, "GOMODCACHE=" + filepath.Join(dir, "cache"),
		"GONOSUMDB=github.com/catbridge/*", "GONOPROXY=", "GOPRIVATE=",
		"GOPROXY=file://" + filepath.ToSlash(proxy) + ",file://" + filepath.ToSlash(filepath.Join(cache, "cache", "download")) + "," + ordinary,
	}
	return u, nil
}

// get gets the packages of a module that others can import, and builds a program that imports them.
func (u *user) get(ctx context.Context, clone string, w *workspace, m ownModule, version string) error {
	packages, err := list(ctx, filepath.Join(clone, m.dir), `{{if ne .Name "main"}}{{if .GoFiles}}{{.ImportPath}}{{end}}{{end}}`)
	if err != nil {
		return err
	}
	packages = slices.DeleteFunc(packages, func(path string) bool { return slices.Contains(strings.Split(path, "/"), "internal") })
	if len(packages) == 0 {
		return nil // only programs
	}
	get := []string{"get"}
	var program strings.Builder
	program.WriteString("package main\n\n")
	for _, path := range packages {
		get = append(get, path+"@"+version)
		program.WriteString(fmt.Sprintf("import _ %q\n", path))
	}
	program.WriteString("\nfunc main() {}\n")
	dir := filepath.Join(u.dir, "users", m.dir)
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return err
	}
	if err := write(filepath.Join(dir, "main.go"), []byte(program.String())); err != nil {
		return err
	}
	if _, err := goCommand(ctx, dir, u.env, "mod", "init", "example.com/user"); err != nil {
		return err
	}
	if err := command(ctx, dir, u.env, "go", get...); err != nil {
		return err
	}
	if _, err := goCommand(ctx, dir, u.env, "build", "-o", os.DevNull, "."); err != nil {
		return err
	}
	modules, err := goCommand(ctx, dir, u.env, "list", "-m", "all")
	if err != nil {
		return err
	}
	own := 0
	for _, of := range w.versions(version) {
		if strings.Contains(modules, "\n"+of.Path+" "+of.Version+"\n") {
			own++
		}
	}
	fmt.Printf("    it builds; go list -m all: %d modules, %d of them of this repository\n", strings.Count(modules, "\n")-1, own)
	return nil
}

// install installs the programs of a module.
func (u *user) install(ctx context.Context, clone string, m ownModule, version string) error {
	programs, err := list(ctx, filepath.Join(clone, m.dir), `{{if eq .Name "main"}}{{.ImportPath}}{{end}}`)
	if err != nil || len(programs) == 0 {
		return err
	}
	var args []string
	for _, program := range programs {
		args = append(args, program+"@"+version)
	}
	return command(ctx, u.dir, u.env, "go", append([]string{"install"}, args...)...)
}

// list lists the packages of the module in a folder of the workspace.
func list(ctx context.Context, dir, format string) ([]string, error) {
	output, err := goCommand(ctx, dir, nil, "list", "-f", format, "./...")
	return strings.Fields(output), err
}

// command prints a command, runs it and prints its output.
func command(ctx context.Context, dir string, env []string, name string, args ...string) error {
	fmt.Println("   ", filepath.Base(name), strings.Join(args, " "))
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	output, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %s: %w\n%s", filepath.Base(name), args[0], err, output)
	}
	if name != "go" && len(output) > 0 {
		fmt.Printf("    %s", output)
	}
	return nil
}
