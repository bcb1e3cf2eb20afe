package repo

import (
	"regexp"
	"testing"

	"github.com/catbridge/catbridge/internal/testenv/root"
)

// linkedVersion is the variable that builds of a release set. The linker ignores the name of a variable that does not exist.
const linkedVersion = module + "/internal/version.release"

func TestBuildsSetTheVersion(t *testing.T) {
	set := regexp.MustCompile(`-X ([^ =]+)=([^\s"']+)`)
	for file, want := range map[string]string{"Makefile": "$(VERSION)", "Dockerfile": "$VERSION", ".goreleaser.yaml": "v{{.Version}}"} {
		all := set.FindAllStringSubmatch(root.Read(t, file), -1)
		if len(all) != 1 || all[0][1] != linkedVersion || all[0][2] != want {
			t.Errorf("%s sets %q, want %s to %s", file, all, linkedVersion, want)
		}
	}
}
