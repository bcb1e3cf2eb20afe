package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"strconv"
	"strings"
)

// file is a file or folder of an archive or a package.
type file struct {
	mode    fs.FileMode // type and permissions
	content []byte
	sum     string // SHA-256 in hex, of files whose content is not read
	config  bool   // an upgrade keeps what the administrator changed
}

// readTar returns the files by their names, without a leading ./ or /.
func readTar(from io.Reader) (map[string]file, error) {
	files := map[string]file{}
	for r := tar.NewReader(from); ; {
		header, err := r.Next()
		if errors.Is(err, io.EOF) {
			return files, nil
		}
		if err != nil {
			return nil, err
		}
		content, err := io.ReadAll(r)
		if err != nil {
			return nil, err
		}
		info := header.FileInfo()
		files[clean(header.Name)] = file{mode: info.Mode().Type() | info.Mode().Perm(), content: content}
	}
}

func clean(name string) string { return strings.TrimPrefix(path.Clean("/"+name), "/") }

// readArchive reads a .tar.gz or a .zip.
func readArchive(name string) (map[string]file, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	if strings.HasSuffix(name, ".zip") {
		return readZip(data)
	}
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	return readTar(r)
}

func readZip(data []byte) (map[string]file, error) {
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, err
	}
	files := map[string]file{}
	for _, f := range r.File {
		open, err := f.Open()
		if err != nil {
			return nil, err
		}
		content, err := io.ReadAll(open)
		if err != nil {
			return nil, err
		}
		files[clean(f.Name)] = file{mode: f.Mode().Type() | f.Mode().Perm(), content: content}
	}
	return files, nil
}

// readDeb reads a package with dpkg-deb: its files, and the scripts and lists for dpkg.
func readDeb(name string) (files, control map[string]file, err error) {
	for option, to := range map[string]*map[string]file{"--fsys-tarfile": &files, "--ctrl-tarfile": &control} {
		out, err := output("dpkg-deb", option, name)
		if err != nil {
			return nil, nil, err
		}
		if *to, err = readTar(bytes.NewReader(out)); err != nil {
			return nil, nil, err
		}
	}
	for line := range strings.Lines(string(control["conffiles"].content)) {
		if f, ok := files[clean(strings.TrimSpace(line))]; ok {
			f.config = true
			files[clean(strings.TrimSpace(line))] = f
		}
	}
	return files, control, nil
}

// readRPM reads the list of files with rpm, and the names of the scripts.
func readRPM(name string) (files map[string]file, scripts string, err error) {
	out, err := output("rpm", "--nosignature", "-qp", "--queryformat", `[%{FILEMODES:octal} %{FILEFLAGS:fflags}. %{FILEDIGESTS}. %{FILENAMES}\n]`, name)
	if err != nil {
		return nil, "", err
	}
	files = map[string]file{}
	for line := range strings.Lines(string(out)) {
		fields := strings.SplitN(strings.TrimSpace(line), " ", 4)
		if len(fields) != 4 {
			return nil, "", fmt.Errorf("rpm printed %q", line)
		}
		bits, err := strconv.ParseUint(fields[0], 8, 32)
		if err != nil {
			return nil, "", err
		}
		mode := fs.FileMode(bits) & fs.ModePerm
		if bits&0o170000 == 0o040000 {
			mode |= fs.ModeDir
		}
		files[clean(fields[3])] = file{mode: mode, sum: strings.TrimSuffix(fields[2], "."), config: strings.Contains(fields[1], "c")}
	}
	out, err = output("rpm", "--nosignature", "-qp", "--scripts", name)
	return files, string(out), err
}

// output runs a program and returns what it prints.
func output(name string, args ...string) ([]byte, error) {
	var stderr bytes.Buffer
	cmd := exec.Command(name, args...) // #nosec G204 -- programs of this package
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w\n%s", name, args[0], err, &stderr)
	}
	return out, nil
}
