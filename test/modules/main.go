// Command modules maintains the Go modules of this repository, which go.work lists.
//
//	go run ./test/modules tidy
//	go run ./test/modules require v1.2.3
//	go run ./test/modules dry-run v1.2.3
//	go run ./test/modules tagged v1.2.3
//
// tidy runs go mod tidy for every module. require makes the modules require each other at a
// version, for its release, and gives the Helm chart that version. dry-run releases the last commit at a version in a temporary folder, and
// uses the released modules as somebody else would. tagged fails unless the last commit is a release of all modules.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"

	"golang.org/x/mod/semver"
)

var errUsage = errors.New("usage: go run ./test/modules tidy | require <version> | dry-run <version> | tagged <version>, with a version such as v1.2.3")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "modules:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errUsage
	}
	output, err := exec.CommandContext(ctx, "go", "env", "GOWORK").Output()
	if err != nil {
		return fmt.Errorf("go env GOWORK: %w", err)
	}
	file := strings.TrimSpace(string(output))
	if filepath.Base(file) != "go.work" {
		return errors.New("run it in the repository, without GOWORK=off")
	}
	root := filepath.Dir(file)
	switch {
	case args[0] == "tidy" && len(args) == 1:
		return tidy(ctx, root)
	case args[0] == "require" && len(args) == 2 && isVersion(args[1]):
		return require(root, args[1])
	case args[0] == "dry-run" && len(args) == 2 && isVersion(args[1]):
		return dryRun(ctx, root, args[1])
	case args[0] == "tagged" && len(args) == 2 && isVersion(args[1]):
		return tagged(ctx, root, args[1])
	}
	return errUsage
}

// isVersion reports whether text is the version of a release or a pre-release. A major version from 2 on
// needs other module paths.
func isVersion(text string) bool {
	return semver.Canonical(text) == text && (semver.Major(text) == "v0" || semver.Major(text) == "v1")
}
