package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
)

const onConfig = `{"f":{"on":{"t":0,"v":{"b":true}}}}`

func TestEvalBatchAnswersBeforeTheNextLineIsWritten(t *testing.T) {
	input, lines := io.Pipe()
	results, output := io.Pipe()
	code := make(chan int)
	go func() {
		code <- run(t.Context(), []string{"eval", "--batch"}, input, output, io.Discard)
		output.Close()
	}()
	scanner := bufio.NewScanner(results)
	for range 3 {
		fmt.Fprintf(lines, `{"config":%s,"cases":[{"key":"on"}]}`+"\n", onConfig)
		if !scanner.Scan() || !strings.HasPrefix(scanner.Text(), `{"value":true,`) {
			t.Fatalf("answered %q, %v", scanner.Text(), scanner.Err())
		}
	}
	lines.Close()
	if c := <-code; c != exitOK {
		t.Errorf("exit code %d", c)
	}
}

func TestEvalBatchEndsWhenItIsInterrupted(t *testing.T) {
	input, lines := io.Pipe()
	defer lines.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var stderr bytes.Buffer
	if code := run(ctx, []string{"eval", "--batch"}, input, io.Discard, &stderr); code != exitFailure {
		t.Errorf("exit code %d: %s", code, &stderr)
	}
}

func TestEvalOfAllFlagsEndsWhenItIsInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var stdout, stderr bytes.Buffer
	code := run(ctx, []string{"eval", "--config", "-", "--all"}, strings.NewReader(onConfig), &stdout, &stderr)
	if code != exitFailure || stdout.Len() > 0 || !strings.Contains(stderr.String(), "interrupted") {
		t.Errorf("exit code %d: %s%s", code, &stdout, &stderr)
	}
}

func TestEvalBatchAcceptsTheLargestConfigButNoLongerLine(t *testing.T) {
	large := `{"f":{"on":{"t":0,"v":{"b":true}}},"x":"` + strings.Repeat("x", 8<<20-42) + `"}`
	line := `{"config":` + large + `,"cases":[{"key":"on"}]}`
	var stdout, stderr bytes.Buffer
	if code := run(t.Context(), []string{"eval", "--batch"}, strings.NewReader(line+"\n"+line), &stdout, &stderr); code != exitOK {
		t.Fatalf("exit code %d: %s", code, &stderr)
	}
	if n := strings.Count(stdout.String(), `{"value":true,`); n != 2 {
		t.Errorf("%d results, want 2:\n%s", n, &stdout)
	}

	endless := io.MultiReader(strings.NewReader("\n"), strings.NewReader(strings.Repeat("[", maxBatchLine+1)))
	stderr.Reset()
	if code := run(t.Context(), []string{"eval", "--batch"}, endless, io.Discard, &stderr); code != exitUsage ||
		!strings.Contains(stderr.String(), "line 2: longer than 64 MiB") {
		t.Errorf("exit code %d: %s", code, &stderr)
	}
}

func TestEvalBatchReportsWriteErrors(t *testing.T) {
	lines := strings.Repeat(`{"config":`+onConfig+`,"cases":[{"key":"on"}]}`+"\n", 1000)
	var stderr bytes.Buffer
	code := run(t.Context(), []string{"eval", "--batch"}, strings.NewReader(lines), closedPipe{}, &stderr)
	if code != exitFailure || !strings.Contains(stderr.String(), io.ErrClosedPipe.Error()) {
		t.Errorf("exit code %d: %s", code, &stderr)
	}
}

type closedPipe struct{}

func (closedPipe) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func BenchmarkEvalBatch(b *testing.B) {
	one := `{"key":"on","default":false,"user":{"Identifier":"id-42","Email":"ann@example.com","Country":"UK",` +
		`"Custom":{"Plan":"pro","Age":42,"Since":{"$date":"2024-01-01T00:00:00.000Z"}}}}`
	line := `{"config":` + onConfig + `,"cases":[` + strings.Repeat(one+",", 99) + one + "]}\n"
	input := strings.Repeat(line, 10)
	for b.Loop() {
		if code := run(b.Context(), []string{"eval", "--batch"}, strings.NewReader(input), io.Discard, io.Discard); code != exitOK {
			b.Fatalf("exit code %d", code)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "ns/case")
}
