package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"strings"
	"text/tabwriter"
	"time"
)

// patience bounds one run of a test, including its build.
const patience = 3 * time.Minute

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("mutants", flag.ContinueOnError)
	pattern := flags.String("run", "", "only mutants whose name or rule matches this regular expression")
	list := flags.Bool("list", false, "print their names and the tests that must fail")
	if err := flags.Parse(args); err != nil {
		return err
	}
	matches, err := regexp.Compile(*pattern)
	if err != nil {
		return err
	}
	var chosen []mutant
	for _, m := range all() {
		if matches.MatchString(m.name) || matches.MatchString(m.rule) {
			chosen = append(chosen, m)
		}
	}
	if *list {
		for _, m := range chosen {
			fmt.Printf("%-4s %s: %s %s\n", m.rule, m.name, m.test.pkg, m.test.run)
		}
		return nil
	}
	return gate(ctx, chosen)
}

// verdict is the outcome of a mutant.
type verdict struct {
	mutant
	outcome string
	took    time.Duration
	bad     bool
}

// gate runs the mutants and prints their outcomes. It fails if a mutant was not caught.
func gate(ctx context.Context, chosen []mutant) error {
	root, err := repository(ctx)
	if err != nil {
		return err
	}
	passes := map[test]error{}
	var verdicts []verdict
	bad := 0
	for i, m := range chosen {
		if _, known := passes[m.test]; !known {
			passes[m.test] = m.test.passes(ctx, root)
		}
		v := verdict{mutant: m}
		if err := passes[m.test]; err != nil {
			v.outcome, v.bad = "its test fails without the mutant: "+err.Error(), true
		} else {
			began := time.Now()
			v.outcome, v.bad = m.judge(ctx, root)
			v.took = time.Since(began)
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if v.bad {
			bad++
		}
		verdicts = append(verdicts, v)
		fmt.Printf("%d/%d %s: %s\n", i+1, len(chosen), m.name, v.outcome)
	}
	report(verdicts)
	if bad > 0 {
		return fmt.Errorf("%d of %d mutants were not caught, or could not run", bad, len(chosen))
	}
	return nil
}

func report(verdicts []verdict) {
	fmt.Println()
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "rule\tmutant\ttest\toutcome\ttime")
	for _, v := range verdicts {
		fmt.Fprintf(table, "%s\t%s\t%s %s\t%s\t%.1f s\n", v.rule, v.name, v.test.pkg, v.test.run, v.outcome, v.took.Seconds())
	}
	_ = table.Flush()
}

var errNoTest = errors.New("no such test")

// passes returns an error unless the test passes without the mutant.
func (t test) passes(ctx context.Context, root string) error {
	output, err := t.goTest(ctx, root)
	switch {
	case err != nil:
		return fmt.Errorf("%w\n%s", err, output)
	case !strings.Contains(output, "--- PASS"):
		return errNoTest
	}
	return nil
}

// judge runs the mutant's test.
func (m mutant) judge(ctx context.Context, root string) (outcome string, bad bool) {
	dir, err := os.MkdirTemp("", "mutant")
	if err != nil {
		return err.Error(), true
	}
	defer func() { _ = os.RemoveAll(dir) }()
	overlay, err := m.overlay(root, dir)
	if err != nil {
		return err.Error(), true
	}
	output, err := m.test.goTest(ctx, root, "-overlay", overlay)
	switch {
	case err == nil:
		return "SURVIVED", true
	case strings.Contains(output, "[build failed]") || strings.Contains(output, "[setup failed]"):
		return "does not build:\n" + output, true
	case strings.Contains(output, "--- FAIL"):
		return "caught", false
	case strings.Contains(output, "panic: test timed out") || errors.Is(err, context.DeadlineExceeded):
		return "caught: it hung", false
	case strings.Contains(output, "panic:") || strings.Contains(output, "fatal error:"):
		return "caught: it crashed", false
	}
	return "failed for another reason:\n" + output, true
}

// goTest runs the tests and returns their output.
func (t test) goTest(ctx context.Context, root string, more ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	args := append([]string{"test", "-v", "-vet=off", "-ldflags=-s -w", "-count=1", "-timeout", "90s", "-run", t.run}, more...)
	cmd := exec.CommandContext(ctx, "go", append(args, "./"+t.pkg)...)
	cmd.Dir = root
	cmd.WaitDelay = 5 * time.Second
	output, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	return string(output), err
}

// repository returns the folder of go.work: mutants are of several modules.
func repository(ctx context.Context) (string, error) {
	output, err := exec.CommandContext(ctx, "go", "env", "GOWORK").Output()
	if err != nil {
		return "", fmt.Errorf("go env GOWORK: %w", err)
	}
	return filepath.Dir(strings.TrimSpace(string(output))), nil
}
