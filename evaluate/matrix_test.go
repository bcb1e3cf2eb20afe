package evaluate_test

import (
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/internal/testenv/conformance"
)

type matrix struct {
	Name, CSV, Config, Kind, UserAttribute string
	Expectations                           int
}

const (
	wantMatrices = 10
	wantCells    = 31_040
)

// The official SDKs' matrices: all comparators (S35), including hashed ones (S36), the order of
// rules, options and values (S70), percentages (S72), segments (S73), prerequisites (S74).
func TestMatrices(t *testing.T) {
	dir := conformance.Dir(t)
	index := readJSON[struct{ Matrices []matrix }](t, dir, "matrix", "index.json")
	total := 0
	for _, m := range index.Matrices {
		t.Run(m.Name, func(t *testing.T) {
			cells := runMatrix(t, filepath.Join(dir, "matrix"), m)
			t.Logf("%d cells", cells)
			if cells != m.Expectations || cells == 0 {
				t.Errorf("%d cells, want %d", cells, m.Expectations)
			}
			total += cells
		})
	}
	t.Logf("%d matrices, %d cells", len(index.Matrices), total)
	if !t.Failed() && (len(index.Matrices) < wantMatrices || total < wantCells) {
		t.Errorf("%d matrices with %d cells, want %d with %d", len(index.Matrices), total, wantMatrices, wantCells)
	}
}

func runMatrix(t *testing.T, dir string, m matrix) (cells int) {
	config := parseFile(t, dir, m.Config)
	if broken := config.BrokenFlags(); len(broken) > 0 {
		t.Errorf("broken flags: %v", broken)
	}
	lines := strings.Split(string(readFile(t, dir, m.CSV)), "\n")
	header := strings.Split(lines[0], ";")
	for number, line := range lines[1:] {
		if line == "" {
			continue
		}
		row := strings.Split(line, ";")
		for column := 4; column < len(header); column++ {
			cells++
			result := config.Evaluate(header[column], matrixUser(row, header[3]), evaluate.Value{}, nil)
			got := result.Value.String()
			if m.Kind == "variation" {
				got = result.VariationID
			}
			if result.Err != nil || !sameCell(result.Value.Kind(), got, row[column]) {
				t.Errorf("line %d, %s: got %s (%v), want %s", number+2, header[column], got, result.Err, row[column])
			}
		}
	}
	return cells
}

func matrixUser(row []string, custom string) any {
	if row[0] == "##null##" {
		return nil
	}
	user := &evaluate.UserData{Identifier: row[0], Custom: map[string]any{}}
	set := func(cell string) bool { return cell != "" && cell != "##null##" }
	if set(row[1]) {
		user.Email = row[1]
	}
	if set(row[2]) {
		user.Country = row[2]
	}
	if set(row[3]) {
		user.Custom[custom] = row[3]
	}
	return user
}

func sameCell(kind evaluate.Kind, got, want string) bool {
	switch kind {
	case evaluate.KindBool:
		return strings.EqualFold(got, want)
	case evaluate.KindInt, evaluate.KindFloat:
		a, errA := strconv.ParseFloat(got, 64)
		b, errB := strconv.ParseFloat(want, 64)
		return errA == nil && errB == nil && a == b
	default:
		return got == want
	}
}
