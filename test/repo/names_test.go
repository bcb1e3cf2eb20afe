package repo

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/internal/testenv/root"
)

// exported returns the exported names of a package: X for package level, T.X for methods
// and fields.
func exported(t *testing.T, dir string) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	files, err := filepath.Glob(root.Path(t, dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range parsed.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				names[receiver(d)+d.Name.Name] = true
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					addSpec(names, spec)
				}
			}
		}
	}
	if len(names) == 0 {
		t.Fatalf("no names in %s", dir)
	}
	return names
}

func receiver(d *ast.FuncDecl) string {
	if d.Recv == nil {
		return ""
	}
	of := d.Recv.List[0].Type
	if star, ok := of.(*ast.StarExpr); ok {
		of = star.X
	}
	if name, ok := of.(*ast.Ident); ok {
		return name.Name + "."
	}
	return "?."
}

func addSpec(names map[string]bool, spec ast.Spec) {
	switch s := spec.(type) {
	case *ast.ValueSpec:
		for _, name := range s.Names {
			names[name.Name] = true
		}
	case *ast.TypeSpec:
		names[s.Name.Name] = true
		if fields, ok := s.Type.(*ast.StructType); ok {
			for _, field := range fields.Fields.List {
				for _, name := range field.Names {
					names[s.Name.Name+"."+name.Name] = true
				}
			}
		}
	}
}

var documentedName = regexp.MustCompile("`(follower|Config|Client|Hooks|Snapshot)\\.([A-Z]\\w*)")

// TestMigrationPageNamesWhatExists looks up each name of this project on the page that
// maps the official SDKs' options and methods.
func TestMigrationPageNamesWhatExists(t *testing.T) {
	page := root.Read(t, "docs/migration.md")
	names := exported(t, "follower")
	seen := 0
	for row := range strings.Lines(page) {
		cells := strings.SplitN(row, "|", 3) // the first column names what the official SDK has
		if len(cells) < 3 {
			continue
		}
		for _, m := range documentedName.FindAllStringSubmatch(cells[2], -1) {
			name := m[1] + "." + m[2]
			if m[1] == "follower" {
				name = m[2]
			}
			seen++
			if !names[name] {
				t.Errorf("package follower has no %s: %s", name, strings.TrimSpace(row))
			}
		}
	}
	if seen == 0 {
		t.Error("the page names nothing")
	}
	t.Logf("%d names", seen)
}

// TestGuideNamesWhatExists looks up each name of the library on the pages about running it.
func TestGuideNamesWhatExists(t *testing.T) {
	names, all, seen := exported(t, "follower"), pages(t), 0
	for _, page := range []string{"docs/guarantees.md", "docs/operations.md", "docs/redis.md", "docs/security.md", "docs/upgrade.md"} {
		for _, m := range documentedName.FindAllStringSubmatch(all[page], -1) {
			seen++
			if name := strings.TrimPrefix(m[1]+"."+m[2], "follower."); !names[name] {
				t.Errorf("%s: package follower has no %s", page, name)
			}
		}
	}
	if seen == 0 {
		t.Error("nothing is named")
	}
}

var spanName = regexp.MustCompile(`(?m)^\tspan\w+ += "(\S+)"$`)

func TestSpansAreDocumented(t *testing.T) {
	_, traces, _ := strings.Cut(root.Read(t, "docs/operations.md"), "\n## Traces\n")
	traces, _, _ = strings.Cut(traces, "\n## ")
	spans := spanName.FindAllStringSubmatch(root.Read(t, "leader/trace.go"), -1)
	if len(spans) < 5 {
		t.Fatalf("leader/trace.go has %d spans", len(spans))
	}
	for _, m := range spans {
		if !slices.Contains(strings.Fields(traces), m[1]) {
			t.Errorf("docs/operations.md, Traces: the span %s is missing", m[1])
		}
	}
}
