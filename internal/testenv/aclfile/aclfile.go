// Package aclfile reads the users of Redis in the files of deploy/acl.
package aclfile

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/internal/testenv/root"
)

var passwordMark = regexp.MustCompile(`#([a-z]+)-password-sha256`)

// Read returns a file, with the password that password returns for each user.
func Read(t testing.TB, file string, password func(user string) string) string {
	t.Helper()
	return passwordMark.ReplaceAllStringFunc(root.Read(t, "deploy/acl", file), func(mark string) string {
		sum := sha256.Sum256([]byte(password(passwordMark.FindStringSubmatch(mark)[1])))
		return "#" + hex.EncodeToString(sum[:])
	})
}

// Rules returns the rules of a user in a file, without its password.
func Rules(t testing.TB, file, user string) []string {
	t.Helper()
	for line := range strings.Lines(root.Read(t, "deploy/acl", file)) {
		if fields := strings.Fields(line); len(fields) > 4 && fields[1] == user {
			return fields[4:] // after: user, name, on, password
		}
	}
	t.Fatalf("deploy/acl/%s has no user %s", file, user)
	return nil
}
