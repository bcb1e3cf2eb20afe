package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"

	"golang.org/x/mod/modfile"
)

// tidy writes the go.mod and go.sum of every module as go mod tidy would, and go.work.sum.
func tidy(ctx context.Context, root string) error {
	w, err := load(root)
	if err != nil {
		return err
	}
	for _, m := range w.modules {
		mod, sum, err := w.tidied(ctx, m)
		if err != nil {
			return err
		}
		if err := errors.Join(write(m.goMod(root), mod), write(m.goSum(root), sum)); err != nil {
			return err
		}
	}
	return writeWorkSum(ctx, root)
}

// writeWorkSum makes the go command write the checksums that only the workspace needs. After an error
// the file is as before.
func writeWorkSum(ctx context.Context, root string) error {
	name := filepath.Join(root, "go.work.sum")
	before, err := os.ReadFile(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	default:
		if err := os.Remove(name); err != nil {
			return err
		}
	}
	if _, err := goCommand(ctx, root, nil, "list", "-m", "all"); err != nil {
		if before != nil {
			err = errors.Join(err, write(name, before))
		}
		return err
	}
	return nil
}

// write writes a file unless that is its content.
func write(name string, data []byte) error {
	if before, err := os.ReadFile(name); err == nil && bytes.Equal(before, data) {
		return nil
	}
	return os.WriteFile(name, data, 0o644) // #nosec G306 -- a source file
}

// tidied returns the tidy go.mod and go.sum of a module. go mod tidy does not know the workspace: it runs
// with a copy of go.mod that replaces the other modules by their folders.
func (w *workspace) tidied(ctx context.Context, m ownModule) (mod, sum []byte, err error) {
	dir, err := os.MkdirTemp("", "modules")
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	name := filepath.Join(dir, "go.mod")
	if mod, err = os.ReadFile(m.goMod(w.root)); err != nil {
		return nil, nil, err
	}
	file, err := modfile.Parse(m.goMod(w.root), mod, nil)
	if err != nil {
		return nil, nil, err
	}
	if err := w.replace(file, m); err != nil {
		return nil, nil, err
	}
	if sum, err = os.ReadFile(m.goSum(w.root)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, err
	}
	if err := errors.Join(write(name, modfile.Format(file.Syntax)), write(filepath.Join(dir, "go.sum"), sum)); err != nil {
		return nil, nil, err
	}
	if _, err := goCommand(ctx, filepath.Join(w.root, m.dir), []string{"GOWORK=off"}, "mod", "tidy", "-modfile="+name); err != nil {
		return nil, nil, err
	}
	if mod, err = os.ReadFile(name); err != nil {
		return nil, nil, err
	}
	if file, err = modfile.Parse(name, mod, nil); err != nil {
		return nil, nil, err
	}
	for _, other := range w.modules {
		if err := file.DropReplace(other.path, w.version); err != nil {
			return nil, nil, err
		}
	}
	file.Cleanup()
	if sum, err = os.ReadFile(filepath.Join(dir, "go.sum")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, nil, err
	}
	return modfile.Format(file.Syntax), sum, nil
}

// replace replaces all modules but m by their folders.
func (w *workspace) replace(file *modfile.File, m ownModule) error {
	for _, other := range w.modules {
		if other.path == m.path {
			continue
		}
		if err := file.AddReplace(other.path, w.version, filepath.Join(w.root, other.dir), ""); err != nil {
			return err
		}
	}
	return nil
}

// goCommand runs the go command and returns its output. The error has what it printed.
func goCommand(ctx context.Context, dir string, env []string, args ...string) (string, error) {
	return quietly(ctx, dir, env, "go", args...)
}

// gitCommand does the same with git.
func gitCommand(ctx context.Context, dir string, args ...string) (string, error) {
	return quietly(ctx, dir, nil, "git", args...)
}

func quietly(ctx context.Context, dir string, env []string, program string, args ...string) (string, error) {
	var stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir, cmd.Env, cmd.Stderr = dir, append(os.Environ(), env...), &stderr
	output, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("in %s: %s %s: %w\n%s", dir, program, args[0], err, &stderr)
	}
	return string(output), nil
}
