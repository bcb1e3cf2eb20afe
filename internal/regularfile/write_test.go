package regularfile

import (
	"os"
	"path/filepath"
	"testing"
)

func TestWriteReplacesTheFileAtomically(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "file")
	for _, text := range []string{"one", "two"} {
		before, _ := os.Stat(path)
		if err := Write(path, []byte(text)); err != nil {
			t.Fatal(err)
		}
		wantContent(t, path, text)
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%v, %v: others may read it", info.Mode(), err)
		}
		if before != nil && os.SameFile(before, info) {
			t.Error("it was written in place")
		}
	}
	wantEntries(t, folder, 1)
}

// The links are relative, absolute, in a chain, dangling, and behind a link to a folder, where
// ".." is not the lexical parent.
func TestWriteOfALinkReplacesItsTarget(t *testing.T) {
	for name, target := range map[string]func(folder string) string{
		"relative": func(string) string { return "../far/real" },
		"absolute": func(folder string) string { return filepath.Join(folder, "far", "real") },
		"in a chain": func(folder string) string {
			link(t, "real", filepath.Join(folder, "far", "next"))
			return "../far/next"
		},
		"behind a link to a folder": func(folder string) string {
			link(t, "../far/deep", filepath.Join(folder, "near", "short"))
			return "short/../real"
		},
	} {
		for _, dangling := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				folder := t.TempDir()
				for _, name := range []string{"near", "far/deep"} {
					if err := os.MkdirAll(filepath.Join(folder, name), 0o700); err != nil {
						t.Fatal(err)
					}
				}
				path, real := filepath.Join(folder, "near", "link"), filepath.Join(folder, "far", "real")
				if !dangling {
					write(t, real, "old")
				}
				link(t, target(folder), path)
				if err := Write(path, []byte("new")); err != nil {
					t.Fatal(err)
				}
				wantContent(t, real, "new")
				wantContent(t, path, "new")
				if info, err := os.Lstat(path); err != nil || info.Mode().Type() != os.ModeSymlink {
					t.Errorf("the link is replaced: %v, %v", info.Mode(), err)
				}
			})
		}
	}
}

func TestWriteInAMissingFolder(t *testing.T) {
	path := filepath.Join(t.TempDir(), "missing", "file")
	if err := Write(path, nil); !os.IsNotExist(err) {
		t.Error(err)
	}
}
