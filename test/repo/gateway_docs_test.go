package repo

import (
	"fmt"
	"go/ast"
	"go/types"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/internal/testenv/root"
)

var (
	gatewayRule = regexp.MustCompile(`^\| (G\d+) \|([^|]+)\|([^|]+)\|$`)
	gatewayRef  = regexp.MustCompile(`\bG\d+\b`)

	saysZero        = regexp.MustCompile(`\b0:|\b0\b|\b[Ee]mpty:|\bnil:|\bzero\b|\bRequired\b`)
	saysUnit        = regexp.MustCompile(`\b(requests|streams|answers|connections|bytes|letters|seconds)\b`)
	saysErrors      = regexp.MustCompile(`\berrors?\b`)
	saysConcurrency = regexp.MustCompile(`concurrent use|may change|copy it|copies it`)
)

// TestTheCommentsOfTheGatewayAreComplete requires of the comments on exported names of package gateway what
// CONTRIBUTING.md says: units, concurrency, the meaning of zero, errors, and the rule in docs/serve.md.
func TestTheCommentsOfTheGatewayAreComplete(t *testing.T) {
	rules := gatewayRules(t)
	packages := publicPackages(t)
	at := slices.IndexFunc(packages, func(a apiPackage) bool { return a.dir == "gateway" })
	if at < 0 {
		t.Fatal("package gateway is not public")
	}
	used := map[string]bool{}
	seen := 0
	for _, c := range gatewayComments(packages[at]) {
		seen++
		for _, fault := range c.faults() {
			t.Errorf("gateway.%s %s: %q", c.name, fault, c.text)
		}
		for _, rule := range gatewayRef.FindAllString(c.text, -1) {
			if used[rule] = true; !rules[rule] {
				t.Errorf("gateway.%s: docs/serve.md has no rule %s", c.name, rule)
			}
		}
	}
	if seen < 25 {
		t.Errorf("%d comments", seen)
	}
}

// gatewayRules returns the rules of docs/serve.md, whose tests must exist.
func gatewayRules(t *testing.T) map[string]bool {
	t.Helper()
	rules, tests := map[string]bool{}, map[string]map[string]bool{}
	for line := range strings.Lines(root.Read(t, "docs/serve.md")) {
		m := gatewayRule.FindStringSubmatch(strings.TrimSpace(line))
		if m == nil {
			continue
		}
		rules[m[1]] = true
		named := surfaceTest.FindAllStringSubmatch(m[3], -1)
		if len(named) == 0 {
			t.Errorf("%s has no test", m[1])
		}
		for _, of := range named {
			if tests[of[1]] == nil {
				tests[of[1]] = testNames(t, of[1])
			}
			if !tests[of[1]][of[2]] {
				t.Errorf("%s: there is no test %s.%s", m[1], of[1], of[2])
			}
		}
	}
	if len(rules) < 10 {
		t.Fatalf("%d rules", len(rules))
	}
	return rules
}

// gatewayComment is the comment on an exported name, and what it must say.
type gatewayComment struct {
	name, text                       string
	zero, unit, errors, concurrently bool
}

func (c gatewayComment) faults() (faults []string) {
	for _, must := range []struct {
		needed bool
		says   *regexp.Regexp
		fault  string
	}{
		{c.zero, saysZero, "does not say what the zero value means"},
		{c.unit, saysUnit, "has no unit"},
		{c.errors, saysErrors, "does not say what its error is"},
		{c.concurrently, saysConcurrency, "does not say who may use or change it meanwhile"},
		{true, gatewayRef, "names no rule of docs/serve.md"},
	} {
		if must.needed && !must.says.MatchString(c.text) {
			faults = append(faults, must.fault)
		}
	}
	return faults
}

func gatewayComments(a apiPackage) (all []gatewayComment) {
	comment := func(groups ...*ast.CommentGroup) string {
		var text strings.Builder
		for _, g := range groups {
			text.WriteString(g.Text() + " ")
		}
		return text.String()
	}
	for _, file := range a.files {
		for _, decl := range file.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				if of := receiver(d); !d.Name.IsExported() || of != "" && !ast.IsExported(of) {
					continue
				}
				returnsError := d.Type.Results != nil && slices.ContainsFunc(d.Type.Results.List, func(f *ast.Field) bool { return fmt.Sprint(f.Type) == "error" })
				all = append(all, gatewayComment{name: receiver(d) + d.Name.Name, text: comment(d.Doc), errors: returnsError})
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					switch s := spec.(type) {
					case *ast.ValueSpec:
						for _, name := range s.Names {
							if name.IsExported() {
								number, _ := unitOf(a.types.Scope().Lookup(name.Name).Type())
								all = append(all, gatewayComment{name: name.Name, text: comment(d.Doc, s.Doc, s.Comment), unit: number})
							}
						}
					case *ast.TypeSpec:
						if !s.Name.IsExported() {
							continue
						}
						text := comment(d.Doc, s.Doc, s.Comment)
						all = append(all, gatewayComment{name: s.Name.Name, text: text + typeRule(s), concurrently: true})
						all = append(all, fieldComments(a, s, text)...)
					}
				}
			}
		}
	}
	return all
}

// typeRule returns a rule for a type whose fields name theirs.
func typeRule(s *ast.TypeSpec) string {
	if of, ok := s.Type.(*ast.StructType); ok && of.Fields.NumFields() > 0 && of.Fields.List[0].Names[0].IsExported() {
		return " G1"
	}
	return ""
}

// fieldComments are those of the fields of a struct. The fields of a struct without a Config are results:
// their zero is none, and the comment of the type has their unit and rule.
func fieldComments(a apiPackage, s *ast.TypeSpec, of string) (all []gatewayComment) {
	structure, ok := s.Type.(*ast.StructType)
	if !ok {
		return nil
	}
	result := s.Name.Name == "Stats"
	fields := a.types.Scope().Lookup(s.Name.Name).Type().Underlying().(*types.Struct)
	i := 0
	for _, field := range structure.Fields.List {
		for _, name := range field.Names {
			kind := fields.Field(i).Type()
			i++
			if !name.IsExported() {
				continue
			}
			text := field.Doc.Text() + " " + field.Comment.Text()
			if result {
				text += " " + of
			}
			number, boolean := unitOf(kind)
			all = append(all, gatewayComment{name: s.Name.Name + "." + name.Name, text: text, zero: !boolean && !result, unit: number})
		}
	}
	return all
}

// unitOf reports whether a type is a number without a unit of its own, and whether it is a boolean.
func unitOf(of types.Type) (number, boolean bool) {
	basic, ok := of.(*types.Basic) // a time.Duration has its unit
	return ok && basic.Info()&types.IsNumeric != 0, ok && basic.Info()&types.IsBoolean != 0
}

// The check must find what is missing.
func TestIncompleteCommentsAreFound(t *testing.T) {
	all := gatewayComment{zero: true, unit: true, errors: true, concurrently: true}
	if faults := all.faults(); len(faults) != 5 {
		t.Errorf("an empty comment has the faults %q", faults)
	}
	all.text = "Limit bounds the requests (G7). 0: none. The error joins all faults. It is safe for concurrent use."
	if faults := all.faults(); len(faults) != 0 {
		t.Errorf("a complete comment has the faults %q", faults)
	}
}
