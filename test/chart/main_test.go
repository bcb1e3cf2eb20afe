package chart

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/catbridge/catbridge/internal/testenv/missing"
	"github.com/catbridge/catbridge/internal/testenv/program"
	"github.com/catbridge/catbridge/internal/testenv/root"
)

const (
	chartFolder = "deploy/helm/catbridge"
	release     = "flags"
	namespace   = "prod"
	kubernetes  = "1.27.0" // the lowest version in Chart.yaml
)

func TestMain(m *testing.M) {
	code := m.Run()
	program.Remove()
	if folder != "" {
		_ = os.RemoveAll(folder)
	}
	os.Exit(code)
}

// helm runs the pinned Helm without the settings of the user, and returns its output.
func helm(t testing.TB, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	if testing.Short() {
		t.Skip("runs Helm: not with -short")
	}
	path, err := exec.LookPath(root.Path(t, "bin/helm"))
	if err != nil {
		missing.Skip(t, "bin/helm is missing: run make bin/helm (%v)", err)
	}
	cmd := exec.CommandContext(t.Context(), path, args...)
	home := t.TempDir()
	cmd.Env = []string{"HOME=" + home, "HELM_CACHE_HOME=" + home, "HELM_CONFIG_HOME=" + home, "HELM_DATA_HOME=" + home}
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run()
	return out.String(), errs.String(), err
}

// folder has a copy of the chart; empty: it is not made yet.
var folder string

// notesName is the name of a ConfigMap in the copy of the chart.
const notesName = "notes"

// helm template does not print NOTES.txt. In the copy they are an object.
const notesTemplate = `apiVersion: v1
kind: ConfigMap
metadata:
  name: ` + notesName + `
  namespace: {{ .Release.Namespace }}
data:
  text: {{ include (print $.Template.BasePath "/NOTES.txt") . | quote }}
`

var copyChart = sync.OnceValues(func() (string, error) {
	var err error
	if folder, err = os.MkdirTemp("", "chart"); err != nil {
		return "", err
	}
	to := filepath.Join(folder, "catbridge")
	if err := os.CopyFS(to, os.DirFS(filepath.Join("../..", filepath.FromSlash(chartFolder)))); err != nil {
		return "", err
	}
	return to, os.WriteFile(filepath.Join(to, "templates", "notes.yaml"), []byte(notesTemplate), 0o600)
})

// releaseMark starts the first of the values if it is the name of another release.
const releaseMark = "release: "

// rendered has the results of template, by the values.
var rendered sync.Map

// template renders the chart with values, of which later ones win. The text of a failure is its message.
func template(t testing.TB, values ...string) (text string, err error) {
	t.Helper()
	once, _ := rendered.LoadOrStore(strings.Join(values, "\x00"), sync.OnceValues(func() (string, error) { return runTemplate(t, values) }))
	return once.(func() (string, error))()
}

func runTemplate(t testing.TB, values []string) (text string, err error) {
	t.Helper()
	chart, err := copyChart()
	if err != nil {
		t.Fatal(err)
	}
	name := release
	if rest, other := strings.CutPrefix(values[0], releaseMark); other {
		name, values = rest, values[1:]
	}
	args := []string{"template", name, chart, "--namespace", namespace, "--kube-version", kubernetes}
	dir := t.TempDir()
	for i, v := range values {
		file := filepath.Join(dir, strconv.Itoa(i)+".yaml")
		if err := os.WriteFile(file, []byte(v), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, "--values", file)
	}
	stdout, stderr, err := helm(t, args...)
	switch {
	case err != nil:
		return strings.TrimSpace(stderr), err
	case stderr != "":
		return stderr, errors.New("helm template warns")
	}
	return stdout, nil
}

// render returns the objects of the chart with values that it accepts.
func render(t testing.TB, values ...string) objects {
	t.Helper()
	text, err := template(t, values...)
	if err != nil {
		t.Fatalf("helm template: %v\n%s", err, text)
	}
	return decode(t, text)
}
