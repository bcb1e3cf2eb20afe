// Report generates docs/performance.md, docs/scale.md and their plots from the results of the
// benchmarks. The pages mark missing results.
//
//	go run ./test/bench/report -results docs/bench/results.json -out docs
package main

import (
	"bytes"
	"embed"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"text/template"

	"github.com/catbridge/catbridge/test/bench"
)

//go:embed *.tmpl
var templates embed.FS

func main() {
	path := flag.String("results", "docs/bench/results.json", "the file with the results")
	out := flag.String("out", "docs", "the folder for the pages; the plots go to its folder bench")
	flag.Parse()
	if err := run(*path, *out); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(path, out string) error {
	r, err := bench.Load(path)
	if err != nil {
		return err
	}
	if len(r.Series) == 0 {
		return fmt.Errorf("report: %s contains no results: run make bench or make bench-full first", path)
	}
	pages, err := pages(r)
	if err != nil {
		return err
	}
	for name, text := range pages {
		name = filepath.Join(out, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return fmt.Errorf("report: %w", err)
		}
		if err := os.WriteFile(name, text, 0o644); err != nil {
			return fmt.Errorf("report: %w", err)
		}
		fmt.Println("wrote", name)
	}
	return nil
}

// pages returns the pages and plots by path.
func pages(r *bench.Results) (map[string][]byte, error) {
	set, err := template.New("").Funcs(template.FuncMap{
		"short": short, "goals": goals, "propagation": propagation, "table": table, "scale": scale, "node": node, "perNode": perNode, "quick": quick, "measuredUpTo": measuredUpTo,
		"evaluation": evaluation, "ready": ready, "simulation": simulation, "machine": machine, "runs": runs, "fleet": fleet, "edits": edits,
	}).ParseFS(templates, "*.tmpl")
	if err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	files := plots(r)
	for _, page := range []string{"performance.md", "scale.md"} {
		var text bytes.Buffer
		if err := set.ExecuteTemplate(&text, page+".tmpl", r); err != nil {
			return nil, fmt.Errorf("report: %w", err)
		}
		files[page] = text.Bytes()
	}
	return files, nil
}
