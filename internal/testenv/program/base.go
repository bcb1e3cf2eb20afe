package program

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// BaseRevision is the revision with which the current one must work on the same Redis, leaders and
// followers of either: the first one that reads messages of later versions as far as it knows them.
// It cannot read patches. It changes only when a release is tagged.
const BaseRevision = "362cd64c0a4912902d87ee640a477975f3e3072e"

// absentError says that this clone does not contain the base revision.
type absentError struct{ reason string }

func (e *absentError) Error() string {
	return "revision " + BaseRevision + " is missing, from which the program is built: clone the repository with its whole history, " +
		"or run git fetch --unshallow (" + e.reason + ")"
}

// buildBase builds the program from the source of the base revision, which git's history contains.
func buildBase() (path string, err error) {
	if err := makeFolder(); err != nil {
		return "", err
	}
	run := func(dir, name string, args ...string) (string, error) {
		cmd := exec.Command(name, args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOWORK=off") // the base revision is one module
		out, err := cmd.CombinedOutput()
		text := strings.TrimSpace(string(out))
		if err != nil {
			return "", fmt.Errorf("%s: %w: %s", cmd, err, text)
		}
		return text, nil
	}
	top, err := run("", "git", "rev-parse", "--show-toplevel") // archive takes only what is below its folder
	if err == nil {
		_, err = run(top, "git", "cat-file", "-e", BaseRevision+"^{commit}")
	}
	if err != nil {
		return "", &absentError{err.Error()}
	}
	archive, source, path := filepath.Join(folder, "base.tar"), filepath.Join(folder, "base"), filepath.Join(folder, "catbridge-base")
	if err := os.Mkdir(source, 0o700); err != nil {
		return "", err
	}
	if _, err := run(top, "git", "archive", "--output", archive, BaseRevision); err != nil {
		return "", err
	}
	if _, err := run(source, "tar", "-xf", archive); err != nil {
		return "", err
	}
	// With -trimpath, Go's cache keeps what it built although the folder is new each time.
	if _, err := run(source, "go", "build", "-trimpath", "-o", path, "./cmd/catbridge"); err != nil {
		return "", err
	}
	return path, nil
}
