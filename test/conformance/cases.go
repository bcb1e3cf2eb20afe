package conformance

import "testing"

// Annotations are the members of a case that say that it is not required.
type Annotations struct {
	ID            int    `json:"id"`
	Note          string `json:"note"`
	JSSpecific    any    `json:"jsSpecific"`
	SDKDifference any    `json:"sdkDifference"`
}

// Required tells whether the case must hold for its table to pass.
func (a Annotations) Required() bool { return a.JSSpecific == nil && a.SDKDifference == nil }

// Table reads the case table cases/{name}.json into a struct of the caller's that
// has the members it looks at.
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
