package settings

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"
)

// read reads all sources.
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
	l.lookAlikes()
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
			return value
		}
	}
	return ""
}

const (
	// maxFile bounds what is read of a file.
	maxFile = 1 << 20
	// pipeTimeout bounds the wait for one that is a pipe.
	pipeTimeout = 5 * time.Second
)

// readFile reads a text file, and remembers it as one to watch. Faults show none of it.
func (l *loader) readFile(k *SDKKey, path, file string) (string, bool) {
	if !slices.Contains(l.s.Files, file) {
		l.s.Files = append(l.s.Files, file)
	}
	if info, err := os.Stat(file); err == nil && info.Mode()&os.ModeNamedPipe != 0 {
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
	// Opening a pipe that nobody writes to must not wait, nor must the process's end for it.
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return "", err
	}
	defer file.Close()
	_ = file.SetReadDeadline(time.Now().Add(pipeTimeout)) // where it can wait: a pipe
	data, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	switch {
	case err != nil:
		return "", err
	case len(data) > maxFile:
		return "", fmt.Errorf("%s is larger than %d KiB", path, maxFile>>10)
	case slices.Contains(data, 0):
		return "", fmt.Errorf("%s is no text", path)
	}
	return strings.TrimPrefix(string(data), "\ufeff"), nil
}
