package repo

import (
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/internal/testenv/generated"
	"github.com/catbridge/catbridge/internal/testenv/root"
)

// apiPackage is a public package with its types and comments.
type apiPackage struct {
	dir   string // from the module's root
	types *types.Package
	files []*ast.File
}

// publicPackages returns the packages that other modules can import.
func publicPackages(t *testing.T) []apiPackage {
	t.Helper()
	exports := map[string]string{}
	var public []goPackage
	for _, p := range goList(t, "-export", "-deps", "work") {
		exports[p.ImportPath] = p.Export
		if !p.DepOnly && p.Name != "main" && isPublic(relative(p.ImportPath)) {
			public = append(public, p)
		}
	}
	var all []apiPackage
	for _, p := range public {
		fset := token.NewFileSet()
		imported := importer.ForCompiler(fset, "gc", func(path string) (io.ReadCloser, error) { return os.Open(exports[path]) })
		a := apiPackage{dir: relative(p.ImportPath)}
		for _, name := range p.GoFiles {
			file, err := parser.ParseFile(fset, filepath.Join(p.Dir, name), nil, parser.ParseComments|parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			a.files = append(a.files, file)
		}
		var err error
		if a.types, err = (&types.Config{Importer: imported}).Check(p.ImportPath, fset, a.files, nil); err != nil {
			t.Fatal(err)
		}
		all = append(all, a)
	}
	if len(all) < 7 {
		t.Fatalf("only %d public packages", len(all))
	}
	return all
}

// relative returns the path of a package from the module's root, if it is of this module.
func relative(path string) string { return strings.TrimPrefix(path, module+"/") }

func isPublic(dir string) bool {
	folders := strings.Split(dir, "/")
	return !slices.Contains(folders, "internal") && !slices.Contains([]string{"cmd", "examples", "test"}, folders[0])
}

// api returns a line for each exported name of a package, field and method, sorted.
func (a apiPackage) api() []string {
	var lines []string
	add := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	for _, name := range a.types.Scope().Names() {
		object := a.types.Scope().Lookup(name)
		if !object.Exported() {
			continue
		}
		switch o := object.(type) {
		case *types.Const:
			add("const %s %s = %s", name, a.text(o.Type()), o.Val().ExactString())
		case *types.Var:
			add("var %s %s", name, a.text(o.Type()))
		case *types.Func:
			add("func %s%s", name, a.signature(o.Signature()))
		case *types.TypeName:
			lines = append(lines, a.typeLines(o)...)
		}
	}
	slices.Sort(lines)
	return slices.Compact(lines)
}

func (a apiPackage) typeLines(o *types.TypeName) []string {
	name := o.Name()
	if o.IsAlias() {
		of := o.Type()
		if alias, ok := of.(*types.Alias); ok {
			of = alias.Rhs()
		}
		return []string{"type " + name + " = " + a.text(of)}
	}
	named := o.Type().(*types.Named)
	lines := []string{"type " + name + a.parameters(named.TypeParams()) + " "}
	switch under := named.Underlying().(type) {
	case *types.Struct:
		lines[0] += "struct"
		lines = append(lines, a.fieldLines(name, under)...)
	case *types.Interface:
		lines[0] += "interface"
		for method := range under.Methods() {
			if !method.Exported() {
				lines = append(lines, "method ("+name+") of this package only")
				continue
			}
			lines = append(lines, "method ("+name+") "+method.Name()+a.signature(method.Signature()))
		}
		return lines
	default:
		lines[0] += a.text(under)
	}
	values := types.NewMethodSet(named)
	for selection := range types.NewMethodSet(types.NewPointer(named)).Methods() {
		method := selection.Obj().(*types.Func)
		if !method.Exported() {
			continue
		}
		receiver := "*" + name
		if values.Lookup(a.types, method.Name()) != nil {
			receiver = name
		}
		lines = append(lines, "method ("+receiver+") "+method.Name()+a.signature(selection.Type().(*types.Signature)))
	}
	return lines
}

// fieldLines includes the fields that an unexported embedded struct promotes.
func (a apiPackage) fieldLines(name string, of *types.Struct) []string {
	var lines []string
	for i := range of.NumFields() {
		field, tag := of.Field(i), of.Tag(i)
		if tag != "" {
			tag = " `" + tag + "`"
		}
		switch embedded, isStruct := field.Type().Underlying().(*types.Struct); {
		case field.Exported():
			lines = append(lines, "field "+name+"."+field.Name()+" "+a.text(field.Type())+tag)
		case field.Embedded() && isStruct:
			lines = append(lines, a.fieldLines(name, embedded)...)
		}
	}
	return lines
}

// text returns a type. Only types of other packages have the path of their package.
func (a apiPackage) text(of types.Type) string {
	return types.TypeString(of, func(p *types.Package) string {
		if p == a.types {
			return ""
		}
		return relative(p.Path())
	})
}

// signature returns the parameters, without their names, and the results of a function.
func (a apiPackage) signature(s *types.Signature) string {
	unnamed := func(tuple *types.Tuple) *types.Tuple {
		var vars []*types.Var
		for v := range tuple.Variables() {
			vars = append(vars, types.NewVar(v.Pos(), v.Pkg(), "", v.Type()))
		}
		return types.NewTuple(vars...)
	}
	text := a.text(types.NewSignatureType(nil, nil, nil, unnamed(s.Params()), unnamed(s.Results()), s.Variadic()))
	return a.parameters(s.TypeParams()) + strings.TrimPrefix(text, "func")
}

func (a apiPackage) parameters(list *types.TypeParamList) string {
	if list.Len() == 0 {
		return ""
	}
	var parts []string
	for p := range list.TypeParams() {
		parts = append(parts, p.Obj().Name()+" "+a.text(p.Constraint()))
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

func apiFile(dir string) string { return "api/" + dir + ".txt" }

const apiAdvice = "\nIf callers can live with that, run make api and say in CHANGELOG.md what they have to change."

// The files in api contain the exported API, so that no change of it goes unnoticed.
func TestAPIIsThatOfTheFiles(t *testing.T) {
	wanted := map[string]bool{}
	for _, a := range publicPackages(t) {
		name := apiFile(a.dir)
		wanted[name] = true
		have := a.api()
		generated.Write(t, name, strings.Join(have, "\n")+"\n")
		file, err := os.ReadFile(root.Path(t, name))
		if err != nil {
			t.Errorf("package %s has no file: %v%s", a.dir, err, apiAdvice)
			continue
		}
		if changes := changedLines(strings.Split(strings.TrimSuffix(string(file), "\n"), "\n"), have); len(changes) > 0 {
			t.Errorf("the exported API of package %s is not that of %s:\n%s%s", a.dir, name, strings.Join(changes, "\n"), apiAdvice)
		}
	}
	files, err := filepath.Glob(root.Path(t, "api", "*"))
	deeper, err2 := filepath.Glob(root.Path(t, "api", "*", "*"))
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	for _, file := range append(files, deeper...) {
		name, err := filepath.Rel(root.Path(t), file)
		if err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(file); err == nil && !info.IsDir() && !wanted[filepath.ToSlash(name)] {
			t.Errorf("%s: there is no such public package%s", name, apiAdvice)
		}
	}
}

// changedLines returns the removed lines with a minus and the added ones with a plus.
func changedLines(before, after []string) []string {
	var changes []string
	for _, line := range before {
		if !slices.Contains(after, line) {
			changes = append(changes, "  - "+line)
		}
	}
	for _, line := range after {
		if !slices.Contains(before, line) {
			changes = append(changes, "  + "+line)
		}
	}
	return changes
}

// Callers can neither name nor look up types of internal packages.
func TestAPIHasNoTypesOfInternalPackages(t *testing.T) {
	for _, a := range publicPackages(t) {
		for _, line := range a.api() {
			if strings.Contains(line, "internal/") {
				t.Errorf("package %s: %s\nA type of an internal package is not documented for callers: define it in the public package.", a.dir, line)
			}
		}
	}
}

func TestAPILinesShowWhatCallersCanUse(t *testing.T) {
	const source = `package p
import "io"
// A doc.
const (
	A Kind = iota + 1
	hidden
)
var B, c = 1.5, 2
// F doc.
func F[T any](name string, list ...T) (n int, err error) { return 0, nil }
// Kind doc.
type Kind uint8
func (Kind) String() string { return "" }
func (*Kind) Set(s string) {}
// Old doc.
type Old = io.Reader
// S doc.
type S struct {
	X    int ` + "`json:\"x\"`" + ` // X doc
	Y, z map[string]Kind
	inner
}
type inner struct{ Deep bool }
func (*inner) Do() {}
// I doc.
type I interface {
	M(io.Writer)
	m()
}
type e struct{}
func (e) Error() string { return "" }
`
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "p.go", source, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	a := apiPackage{dir: "p", files: []*ast.File{file}}
	if a.types, err = (&types.Config{Importer: importer.ForCompiler(fset, "source", nil)}).Check("p", fset, a.files, nil); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"const A Kind = 1", "field S.Deep bool", "field S.X int `json:\"x\"`", "field S.Y map[string]Kind", "func F[T any](string, ...T) (int, error)",
		"method (*Kind) Set(string)", "method (*S) Do()", "method (I) M(io.Writer)", "method (I) of this package only", "method (Kind) String() string",
		"type I interface", "type Kind uint8", "type Old = io.Reader", "type S struct", "var B float64",
	}
	if have := a.api(); !slices.Equal(have, want) {
		t.Errorf("have\n%s\nwant\n%s", strings.Join(have, "\n"), strings.Join(want, "\n"))
	}
	if have, want := undocumented(a.files), []string{"B", "Kind.String", "Kind.Set", "S.Y", "I.M"}; !slices.Equal(have, want) {
		t.Errorf("undocumented: %q, want %q", have, want)
	}
	if have, want := changedLines([]string{"a", "b"}, []string{"b", "c"}), []string{"  - a", "  + c"}; !slices.Equal(have, want) {
		t.Errorf("%q, want %q", have, want)
	}
}
