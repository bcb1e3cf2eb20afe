package interop

import (
	"bufio"
	"encoding/json"
	"io"
	"os/exec"
	"strings"
	"testing"
)

// oracle is a process that evaluates with the official SDK, see evaluate.mjs.
type oracle struct {
	in     io.WriteCloser
	lines  *bufio.Scanner
	stderr *strings.Builder
}

// question is a config with cases for it.
type question struct {
	Config string       `json:"config"`
	Cases  []evaluation `json:"cases"`
	Quiet  bool         `json:"quiet,omitzero"` // log errors only
}

type answer struct {
	Refused *string  `json:"refused"` // why the config was refused
	Results []result `json:"results"`
}

// result is the outcome of a case, by the official SDK or by this project.
type result struct {
	Value         any      `json:"value"`
	VariationID   *string  `json:"variationId"`
	IsDefault     bool     `json:"isDefaultValue"`
	ErrorCode     int      `json:"errorCode"`
	MatchedRule   *int     `json:"matchedRule"`
	MatchedOption *int     `json:"matchedOption"`
	Error         *string  `json:"error"`
	Log           []string `json:"log"`
}

func startOracle(t *testing.T) *oracle {
	t.Helper()
	o := &oracle{stderr: new(strings.Builder)}
	cmd := exec.CommandContext(t.Context(), node(t), "evaluate.mjs")
	cmd.Stderr = o.stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if o.in, err = cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = o.in.Close()
		_ = cmd.Wait() // ended by its standard input, or by the test's context before
	})
	o.lines = bufio.NewScanner(out)
	o.lines.Buffer(nil, 64<<20)
	return o
}

// ask returns the answers to some questions.
func (o *oracle) ask(t *testing.T, questions ...question) []answer {
	t.Helper()
	written := make(chan error, 1)
	go func() {
		var err error
		for i := range questions {
			if err == nil {
				_, err = io.WriteString(o.in, jsonText(questions[i])+"\n")
			}
		}
		written <- err
	}()
	answers := make([]answer, len(questions))
	for i := range answers {
		if !o.lines.Scan() {
			t.Fatalf("the official SDK gave no answer: %v\n%s", o.lines.Err(), o.stderr)
		}
		if err := json.Unmarshal(o.lines.Bytes(), &answers[i]); err != nil {
			t.Fatalf("the official SDK answered %.200q: %v", o.lines.Text(), err)
		}
		if len(answers[i].Results) != len(questions[i].Cases) {
			t.Fatalf("%d results for %d cases\n%s", len(answers[i].Results), len(questions[i].Cases), o.stderr)
		}
	}
	if err := <-written; err != nil {
		t.Fatalf("the official SDK ended: %v\n%s", err, o.stderr)
	}
	return answers
}
