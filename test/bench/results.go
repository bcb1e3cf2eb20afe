package bench

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
)

// Labels identify a case of a suite, such as followers=100.
type Labels map[string]string

// With returns the labels and one more.
func (l Labels) With(name, value string) Labels {
	l = maps.Clone(l)
	if l == nil {
		l = Labels{}
	}
	l[name] = value
	return l
}

// Series is one figure of one case, with a value for each run.
type Series struct {
	Suite  string    `json:"suite"`
	Labels Labels    `json:"labels,omitempty"`
	Metric string    `json:"metric"`
	Unit   string    `json:"unit"`
	Values []float64 `json:"values"`
}

// Results are the figures of all runs. All methods are safe for concurrent use.
type Results struct {
	Machine Machine `json:"machine"`
	// Plan is full, quick or, with runs of both, mixed.
	Plan   string   `json:"plan"`
	Series []Series `json:"series"`

	mu sync.Mutex
}

// Load reads results from a file. If the file does not exist, the results are empty.
func Load(path string) (*Results, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return &Results{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("bench: read results: %w", err)
	}
	r := new(Results)
	if err := json.Unmarshal(data, r); err != nil {
		return nil, fmt.Errorf("bench: read results: %s: %w; delete it and measure again", path, err)
	}
	return r, nil
}

// Save writes the results and replaces the file.
func (r *Results) Save(path string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	data, err := json.MarshalIndent(r, "", "\t")
	if err == nil {
		err = os.MkdirAll(filepath.Dir(path), 0o755)
	}
	if err == nil {
		err = os.WriteFile(path, append(data, '\n'), 0o644)
	}
	if err != nil {
		return fmt.Errorf("bench: write results: %w", err)
	}
	return nil
}

// Add adds a value to a series.
func (r *Results) Add(suite string, labels Labels, metric, unit string, value float64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if s := r.find(suite, labels, metric); s != nil {
		s.Values = append(s.Values, value)
		return
	}
	r.Series = append(r.Series, Series{suite, maps.Clone(labels), metric, unit, []float64{value}})
}

// Get returns a series; ok is false if it was not measured.
func (r *Results) Get(suite string, labels Labels, metric string) (s Series, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if found := r.find(suite, labels, metric); found != nil {
		return *found, true
	}
	return Series{}, false
}

// Cases returns the labels of a suite's cases, each once, in the order of their first
// measurement.
func (r *Results) Cases(suite string) []Labels {
	r.mu.Lock()
	defer r.mu.Unlock()
	var cases []Labels
	for _, s := range r.Series {
		if s.Suite == suite && !slices.ContainsFunc(cases, func(l Labels) bool { return maps.Equal(l, s.Labels) }) {
			cases = append(cases, s.Labels)
		}
	}
	return cases
}

func (r *Results) find(suite string, labels Labels, metric string) *Series {
	for i := range r.Series {
		if s := &r.Series[i]; s.Suite == suite && s.Metric == metric && maps.Equal(s.Labels, labels) {
			return s
		}
	}
	return nil
}
