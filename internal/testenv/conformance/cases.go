package conformance

import "testing"

// Annotations are the members of a case that make it optional.
type Annotations struct {
	ID            int    `json:"id"`
	Note          string `json:"note"`
	JSSpecific    any    `json:"jsSpecific"`
	SDKDifference any    `json:"sdkDifference"`
}

// Required reports whether the case must hold for its table to pass.
func (a Annotations) Required() bool { return a.JSSpecific == nil && a.SDKDifference == nil }

// Table reads the case table cases/{name}.json into a struct of the caller with the members
// that it needs.
func Table[T any](t testing.TB, name string) T {
	t.Helper()
	var table T
	readJSON(t, &table, "cases", name+".json")
	return table
}

// Cases reads the cases of the table cases/{name}.json. An empty table fails the test.
func Cases[T any](t testing.TB, name string) []T {
	t.Helper()
	table := Table[struct{ Cases []T }](t, name)
	if len(table.Cases) == 0 {
		t.Fatalf("conformance: no cases in %s", name)
	}
	return table.Cases
}
