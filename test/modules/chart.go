package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// chartFile has the version of the Helm chart, and that of the image that it runs.
const chartFile = "deploy/helm/catbridge/Chart.yaml"

var chartVersion = regexp.MustCompile(`(?m)^(version|appVersion): .*$`)

// setChart sets both to the version of a release, which they name without its v.
func setChart(root, version string) error {
	name := filepath.Join(root, filepath.FromSlash(chartFile))
	data, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	if found := len(chartVersion.FindAll(data, -1)); found != 2 {
		return fmt.Errorf("%s: %d lines have a version, want version and appVersion", chartFile, found)
	}
	data = chartVersion.ReplaceAll(data, []byte(`$1: "`+strings.TrimPrefix(version, "v")+`"`))
	return os.WriteFile(name, data, 0o644) // #nosec G306 -- a source file
}
