package test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// exported returns the exported names of a package: X for package level, T.X for methods
// and fields.
func exported(t *testing.T, dir string) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	files, err := filepath.Glob(filepath.Join("..", dir, "*.go"))
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
	page, err := os.ReadFile("../docs/migration.md")
	if err != nil {
		t.Fatal(err)
	}
	names := exported(t, "follower")
	seen := 0
	for row := range strings.Lines(string(page)) {
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

// TestExamplesGiveGoRedisALogger looks at every example that makes a client: without one go-redis
// prints an outage's lines to standard error.
func TestExamplesGiveGoRedisALogger(t *testing.T) {
	makes := regexp.MustCompile(`redis\.New\w*Client\(`)
	var seen int
	for _, pattern := range []string{"../examples/*/main.go", "../examples/*/*/main.go"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if makes.Match(text) {
				seen++
				if !strings.Contains(string(text), "redis.SetLogger(") {
					t.Errorf("%s sets no logger", file)
				}
			}
		}
	}
	if seen < 3 {
		t.Errorf("%d examples are seen", seen)
	}
}

// TestContributingNamesTheTargets compares the page with the Makefile.
func TestContributingNamesTheTargets(t *testing.T) {
	page, err := os.ReadFile("../CONTRIBUTING.md")
	if err != nil {
		t.Fatal(err)
	}
	makefile, err := os.ReadFile("../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	for _, target := range regexp.MustCompile(`(?m)^([a-z-]+):.*## `).FindAllSubmatch(makefile, -1) {
		if name := string(target[1]); name != "help" && !strings.Contains(string(page), "`make "+name) {
			t.Errorf("make %s is not named", name)
		}
	}
}
