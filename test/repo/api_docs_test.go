package repo

import (
	"go/ast"
	"slices"
	"strings"
	"testing"
)

// Every exported name has a comment. One of a group of constants or variables may have that of
// the group.
func TestAPIIsDocumented(t *testing.T) {
	for _, a := range publicPackages(t) {
		for _, name := range undocumented(a.files) {
			t.Errorf("package %s: %s has no doc comment", a.dir, name)
		}
	}
}

func undocumented(files []*ast.File) []string {
	var names []string
	check := func(name *ast.Ident, prefix string, comments ...*ast.CommentGroup) {
		if name.IsExported() && !slices.ContainsFunc(comments, func(c *ast.CommentGroup) bool { return strings.TrimSpace(c.Text()) != "" }) {
			names = append(names, prefix+name.Name)
		}
	}
	for _, file := range files {
		for _, decl := range file.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				of := receiver(d)
				isError := d.Name.Name == "Error" && of != ""
				if !isError && (of == "" || ast.IsExported(of)) {
					check(d.Name, of, d.Doc)
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					switch s := spec.(type) {
					case *ast.ValueSpec:
						for _, name := range s.Names {
							check(name, "", d.Doc, s.Doc, s.Comment)
						}
					case *ast.TypeSpec:
						check(s.Name, "", d.Doc, s.Doc, s.Comment)
						checkFields(s, check)
					}
				}
			}
		}
	}
	return names
}

// checkFields checks the fields of a struct and the methods of an interface.
func checkFields(s *ast.TypeSpec, check func(*ast.Ident, string, ...*ast.CommentGroup)) {
	if !s.Name.IsExported() {
		return
	}
	var list *ast.FieldList
	switch of := s.Type.(type) {
	case *ast.StructType:
		list = of.Fields
	case *ast.InterfaceType:
		list = of.Methods
	default:
		return
	}
	for _, field := range list.List {
		for _, name := range field.Names {
			check(name, s.Name.Name+".", field.Doc, field.Comment)
		}
	}
}
