// Command release checks what goreleaser built, and prints the notes of a release.
//
//	go run ./test/release check dist/release v1.2.3
//	go run ./test/release notes v1.2.3
//	go run ./test/release notes Unreleased
//
// check opens every archive and package of the folder, and reports what is missing or wrong. Lines that
// begin with "not tried: " name what it could not check on this machine. notes prints a section of
// CHANGELOG.md as the body of a release on GitHub.
package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"

	"golang.org/x/mod/semver"
)

var errUsage = errors.New("usage: go run ./test/release check <folder> <version> | notes <version> | notes Unreleased, with a version such as v1.2.3")

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	root, err := exec.Command("git", "rev-parse", "--show-toplevel").Output()
	if err != nil {
		return fmt.Errorf("git rev-parse: %w", err)
	}
	if err := os.Chdir(strings.TrimSpace(string(root))); err != nil {
		return err
	}
	switch {
	case len(args) == 3 && args[0] == "check" && semver.IsValid(args[2]):
		return check(args[1], args[2])
	case len(args) == 2 && args[0] == "notes" && (args[1] == "Unreleased" || semver.IsValid(args[1])):
		changelog, err := os.ReadFile("CHANGELOG.md")
		if err != nil {
			return err
		}
		text, err := notes(string(changelog), args[1])
		if err != nil {
			return err
		}
		_, err = os.Stdout.WriteString(text)
		return err
	}
	return errUsage
}
