package conformance_test

import (
	"encoding/json"
	"testing"

	"github.com/catbridge/catbridge/internal/testenv/conformance"
)

func TestEveryListedTableIsReadCompletely(t *testing.T) {
	index := struct {
		Files []struct {
			File  string
			Cases int
		}
	}{}
	if err := json.Unmarshal(conformance.File(t, "cases", "index.json"), &index); err != nil {
		t.Fatal(err)
	}
	for _, file := range index.Files {
		name := file.File[:len(file.File)-len(".json")]
		if have := len(conformance.Cases[json.RawMessage](t, name)); have != file.Cases {
			t.Errorf("%s: %d cases, the index says %d", name, have, file.Cases)
		}
	}
}

func TestMatricesAreReadCompletely(t *testing.T) {
	cells := 0
	for _, matrix := range conformance.Matrices(t) {
		cells += len(matrix.Rows) * len(matrix.Flags)
		if !json.Valid(matrix.ConfigJSON) {
			t.Errorf("%s: its config is not valid JSON", matrix.Name)
		}
	}
	t.Logf("%d cells", cells)
}

func TestEvaluationLogsAreReadCompletely(t *testing.T) {
	for _, suite := range conformance.LogSuites(t) {
		for _, test := range suite.Tests {
			if test.Expected == "" || test.Key == "" || len(test.Return) == 0 {
				t.Errorf("%s/%s: incomplete", suite.Name, test.Name)
			}
		}
	}
}
