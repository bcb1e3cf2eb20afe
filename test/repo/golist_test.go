package repo

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"testing"

	"github.com/catbridge/catbridge/internal/testenv/missing"
	"github.com/catbridge/catbridge/internal/testenv/root"
)

// goPackage is a package as go list describes it.
type goPackage struct {
	ImportPath, Name, Dir     string
	Export                    string // with -export: the file with its types
	GoFiles                   []string
	DepOnly, Standard         bool
	Imports                   []string
	TestImports, XTestImports []string // of its tests
	Module                    struct{ Path, Version string }
}

// goList lists packages with the go command. The pattern work matches those of all modules.
func goList(t *testing.T, args ...string) []goPackage {
	t.Helper()
	return goListIn(t, root.Path(t), args...)
}

// goListIn lists packages of the workspace in a folder.
func goListIn(t *testing.T, dir string, args ...string) []goPackage {
	t.Helper()
	program, err := exec.LookPath("go")
	if err != nil {
		missing.Skip(t, "the go command is missing (%v)", err)
	}
	var stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), program, append([]string{"list", "-json=ImportPath,Name,Dir,Export,GoFiles,DepOnly,Standard,Imports,TestImports,XTestImports,Module"}, args...)...)
	cmd.Dir = dir
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list %q: %v\n%s", args, err, &stderr)
	}
	var list []goPackage
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p goPackage
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return list
		} else if err != nil {
			t.Fatal(err)
		}
		list = append(list, p)
	}
}
