package repo

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/internal/testenv/root"
)

// TestCodeOfTheMigrationPageIsThatOfTheExample looks for each paragraph of the page's blocks in the service before and
// after, apart from indentation. Tests of the example run the code after; nothing here compiles the code before.
func TestCodeOfTheMigrationPageIsThatOfTheExample(t *testing.T) {
	var code strings.Builder
	code.WriteString("\n")
	for _, folder := range []string{"before", "after"} {
		files, err := filepath.Glob(root.Path(t, "examples/migration", folder, "*.go"))
		if err != nil || len(files) < 3 {
			t.Fatalf("%d files in %s, %v", len(files), folder, err)
		}
		for _, file := range files {
			code.WriteString(unindented(root.Read(t, "examples/migration", folder, filepath.Base(file))))
		}
	}
	paragraphs := 0
	for _, block := range fences(root.Read(t, "docs/migration.md"), "go") {
		for paragraph := range strings.SplitSeq(strings.TrimSpace(block), "\n\n") {
			paragraphs++
			if !strings.Contains(code.String(), "\n"+unindented(paragraph)) {
				t.Errorf("examples/migration does not have this code of docs/migration.md:\n%s", paragraph)
			}
		}
	}
	if paragraphs < 8 {
		t.Errorf("%d paragraphs of code", paragraphs)
	}
}

func unindented(code string) string {
	var b strings.Builder
	for line := range strings.Lines(code) {
		b.WriteString(strings.TrimSpace(line) + "\n")
	}
	return b.String()
}
