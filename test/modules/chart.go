package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// chart describes the Helm chart. It has the version of the modules, and so has the image that it runs.
const chart = "deploy/helm/catbridge/Chart.yaml"

// requireChart sets the chart's versions, if there is a chart.
func requireChart(root, version string) error {
	name := filepath.Join(root, filepath.FromSlash(chart))
	data, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, key := range []string{"version", "appVersion"} {
		line := regexp.MustCompile(`(?m)^` + key + `: .*$`)
		if found := line.FindAll(data, -1); len(found) != 1 {
			return fmt.Errorf("%s: %d lines with %s", chart, len(found), key)
		}
		data = line.ReplaceAll(data, []byte(key+`: "`+strings.TrimPrefix(version, "v")+`"`))
	}
	return write(name, data)
}
