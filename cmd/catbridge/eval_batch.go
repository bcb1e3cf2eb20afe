package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/terminal"
	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/internal/evalcase"
	"github.com/catbridge/catbridge/internal/regularfile"
)

var errInterrupted = errors.New("interrupted")

// maxBatchLine is the maximum length of a line, in bytes: enough for the largest config and
// its cases.
const maxBatchLine = 64 << 20

func evalBatch(ctx context.Context, stdin io.Reader, stdout, stderr *terminal.Output, withLog bool) error {
	out := bufio.NewWriterSize(stdout, 1<<16)
	b := batch{out: terminal.NewJSON(out), stderr: stderr, withLog: withLog}
	err := b.answerAll(ctx, readLines(ctx, stdin), out.Flush)
	if flushed := out.Flush(); err == nil {
		err = flushed
	}
	if err == nil && b.refused > 0 {
		err = usagef("invalid configs: %d", b.refused)
	}
	return err
}

type batch struct {
	out     *json.Encoder
	stderr  *terminal.Output
	withLog bool
	refused int

	text   []byte // the config of the line before
	config *evaluate.Config
	err    error // why text is invalid
}

func (b *batch) answerAll(ctx context.Context, lines <-chan batchLine, flush func() error) error {
	for number := 1; ; number++ {
		var line batchLine
		select {
		case <-ctx.Done():
			return errInterrupted
		case line = <-lines:
		}
		if number == 1 {
			line.text = regularfile.TrimBOM(line.text)
		}
		switch {
		case errors.Is(line.err, io.EOF):
			return nil
		case line.err != nil:
			return usagef("line %d: %v", number, line.err)
		}
		if err := b.answer(ctx, number, line.text); err != nil {
			return err
		}
		if line.last { // the writer of the input may wait for the answer
			if err := flush(); err != nil {
				return err
			}
		}
	}
}

func (b *batch) answer(ctx context.Context, number int, text []byte) error {
	if text = bytes.TrimSpace(text); len(text) == 0 {
		return nil
	}
	line, err := evalcase.ParseLine(text)
	if err != nil {
		return usagef("line %d: %v", number, err)
	}
	b.compile(line.Config)
	if b.err != nil {
		b.refused++
		_ = b.stderr.Linef("catbridge eval: line %d: %v", number, b.err)
	}
	for i := range line.Cases {
		if ctx.Err() != nil {
			return errInterrupted
		}
		o := evalcase.Answer(b.config, &line.Cases[i], b.withLog)
		if err := b.out.Encode(&o); err != nil {
			return err
		}
	}
	return nil
}

// compile compiles the config, unless it is the same as on the previous line.
func (b *batch) compile(text []byte) {
	if b.text != nil && bytes.Equal(text, b.text) {
		return
	}
	b.text, b.config, b.err = text, nil, nil
	if string(text) != "null" {
		b.config, b.err = evaluate.Parse(text)
	}
}

type batchLine struct {
	text []byte
	last bool // no part of the next line has arrived
	err  error
}

// readLines reads lines in a goroutine, so that an interrupted batch need not wait for input. The
// goroutine ends after the last line or an error, or after the current read once ctx has ended.
func readLines(ctx context.Context, stdin io.Reader) <-chan batchLine {
	lines := make(chan batchLine)
	go func() {
		in := bufio.NewReaderSize(stdin, 1<<20)
		for {
			text, err := readLine(in)
			if len(text) > 0 && errors.Is(err, io.EOF) {
				err = nil // the next read returns io.EOF again
			}
			select {
			case lines <- batchLine{text: text, last: in.Buffered() == 0, err: err}:
			case <-ctx.Done():
				return
			}
			if err != nil {
				return
			}
		}
	}()
	return lines
}

func readLine(in *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := in.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case len(line) > maxBatchLine:
			return nil, fmt.Errorf("longer than %d MiB", maxBatchLine>>20)
		case !errors.Is(err, bufio.ErrBufferFull):
			return line, err
		}
	}
}
