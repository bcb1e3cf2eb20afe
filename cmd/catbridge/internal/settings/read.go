package settings

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/catbridge/catbridge/internal/regularfile"
)

func (l *loader) read() {
	flags, environment := fromFlags(l.Flags, l.table), fromEnvironment(l.Environ, l.Variables, l.table)
	if path := l.configPath(); path != "" {
		l.s.File = path
		l.s.origin[configFlag] = "$" + configVariable
		if l.Flags != nil && l.Flags.Changed(configFlag) {
			l.s.origin[configFlag] = "--" + configFlag
		}
		if data, ok := l.readFile(nil, configFlag, path); ok {
			l.document = parse(path, []byte(data))
			l.sources = append(l.sources, fromFile(l.document, l.table))
		}
	}
	l.sources = append(l.sources, environment, flags)
}

func (l *loader) configPath() string {
	if !l.File {
		return ""
	}
	if l.Flags != nil && l.Flags.Changed(configFlag) {
		return l.Flags.Lookup(configFlag).Value.String()
	}
	return l.variable(configVariable)
}

func (l *loader) variable(name string) string {
	for _, entry := range slices.Backward(l.Environ) {
		if value, ok := strings.CutPrefix(entry, name+"="); ok {
			return trimNewlines(value)
		}
	}
	return ""
}

// trimNewlines removes the newlines that tools leave at the end of variables filled from files.
func trimNewlines(value string) string { return strings.TrimRight(value, "\r\n") }

const (
	// maxFile is the maximum size of a file, in bytes.
	maxFile     = 1 << 20
	pipeTimeout = 5 * time.Second
)

var errPipe = fmt.Errorf("is a pipe that its writer did not close within %v", pipeTimeout)

// readFile reads a text file, and adds it to the files to watch. Faults do not show its
// content.
func (l *loader) readFile(k *SDKKey, path, file string) (string, bool) {
	if !slices.Contains(l.s.Files, file) {
		l.s.Files = append(l.s.Files, file)
	}
	if regularfile.IsPipe(file) {
		l.s.Pipes = append(l.s.Pipes, file)
	}
	text, err := readText(file)
	fmt.Fprintf(l.seen, "%q %q %v\n", file, text, err)
	if err != nil {
		l.say(k, path, "%v", err)
	}
	return text, err == nil
}

func readText(path string) (string, error) {
	ctx, cancel := context.WithTimeoutCause(context.Background(), pipeTimeout, errPipe)
	defer cancel()
	data, err := regularfile.ReadStream(ctx, path, maxFile)
	switch {
	case err != nil:
		return "", err
	case slices.Contains(data, 0):
		return "", fmt.Errorf("%s is not a text file", path)
	}
	return string(data), nil
}
