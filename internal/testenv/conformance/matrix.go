package conformance

import (
	"strings"
	"testing"
)

// NullCell in a matrix is a missing user or attribute.
const NullCell = "##null##"

// Matrix is a roll-out matrix with one row per user and one column per flag.
type Matrix struct {
	Name          string `json:"name"`
	CSV           string `json:"csv"`
	Config        string `json:"config"`
	Kind          string `json:"kind"` // "value" or "variation"
	Expectations  int    `json:"expectations"`
	UserAttribute string `json:"userAttribute"` // the custom attribute in the 4th column

	ConfigJSON []byte      `json:"-"`
	Flags      []string    `json:"-"`
	Rows       []MatrixRow `json:"-"`
}

// MatrixRow is one user of a matrix, and the expected value of each flag.
type MatrixRow struct {
	NoUser     bool
	Identifier string
	Email      *string // nil: not set
	Country    *string
	Custom     *string  // the matrix's UserAttribute
	Expected   []string // in the order of the matrix's Flags
}

// Matrices reads all matrices. A matrix whose number of cells differs from the index fails
// the test.
func Matrices(t testing.TB) []Matrix {
	t.Helper()
	var index struct{ Matrices []Matrix }
	readJSON(t, &index, "matrix", "index.json")
	if len(index.Matrices) == 0 {
		t.Fatal("conformance: no matrices")
	}
	for i := range index.Matrices {
		m := &index.Matrices[i]
		m.ConfigJSON = File(t, "matrix", m.Config)
		m.parse(t, string(File(t, "matrix", m.CSV)))
		if have := len(m.Rows) * len(m.Flags); have != m.Expectations {
			t.Fatalf("conformance: matrix %s: %d cells, the index says %d", m.Name, have, m.Expectations)
		}
	}
	return index.Matrices
}

const userColumns = 4

// parse reads the CSV, which has no quoting.
func (m *Matrix) parse(t testing.TB, csv string) {
	t.Helper()
	header, body, _ := strings.Cut(csv, "\n")
	for _, flag := range strings.Split(header, ";")[userColumns:] {
		if flag != "" {
			m.Flags = append(m.Flags, flag)
		}
	}
	for line := range strings.SplitSeq(body, "\n") {
		if line == "" {
			continue
		}
		cells := strings.Split(line, ";")
		if len(cells) < userColumns+len(m.Flags) {
			t.Fatalf("conformance: matrix %s: short row %q", m.Name, line)
		}
		m.Rows = append(m.Rows, MatrixRow{
			NoUser:     cells[0] == NullCell,
			Identifier: cells[0],
			Email:      cell(cells[1]),
			Country:    cell(cells[2]),
			Custom:     cell(cells[3]),
			Expected:   cells[userColumns : userColumns+len(m.Flags)],
		})
	}
}

func cell(text string) *string {
	if text == "" || text == NullCell {
		return nil
	}
	return &text
}
