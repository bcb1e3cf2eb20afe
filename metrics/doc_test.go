package metrics

import (
	"flag"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the table of metrics into doc.go")

const tableBegins, tableEnds = "// # Metrics\n", "package metrics\n"

// table is the part of the package documentation that lists all metrics.
func table() string {
	var b strings.Builder
	b.WriteString(tableBegins)
	describe(&b, processFamily)
	describe(&b, leaderFamily)
	describe(&b, followerFamily)
	return b.String()
}

func describe[S any](b *strings.Builder, f family[S]) {
	for _, m := range f.metrics {
		b.WriteString("//\n//\t" + m.name + " (" + string(m.kind))
		labels := f.labels
		if m.label != "" {
			labels = append(labels[:len(labels):len(labels)], m.label)
		}
		if len(labels) > 0 {
			b.WriteString("; " + strings.Join(labels, ", "))
		}
		b.WriteString(")\n")
		for _, line := range wrap(m.help, 84) {
			b.WriteString("//\t\t" + line + "\n")
		}
	}
}

func wrap(text string, width int) (lines []string) {
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && len([]rune(line))+1+len([]rune(word)) > width {
			lines = append(lines, line)
			line = ""
		}
		line = strings.TrimPrefix(line+" "+word, " ")
	}
	return append(lines, line)
}

func TestDocumentationListsEveryMetric(t *testing.T) {
	source, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(source), tableBegins)
	_, _, ended := strings.Cut(rest, tableEnds)
	if !found || !ended {
		t.Fatal("doc.go has no table")
	}
	want := before + table() + tableEnds
	if string(source) == want {
		return
	}
	if *update {
		if err := os.WriteFile("doc.go", []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Error("the table in doc.go is not that of the code: go test ./metrics -run Documentation -update")
}
