package repo

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/internal/testenv/root"
	"go.yaml.in/yaml/v3"
)

// workflow is a file in .github/workflows.
type workflow struct {
	On          yaml.Node
	Permissions map[string]string
	Jobs        map[string]struct {
		Uses    string
		Timeout int `yaml:"timeout-minutes"`
		Steps   []struct{ Uses, Run string }
	}
}

func workflows(t *testing.T) map[string]workflow {
	t.Helper()
	all := map[string]workflow{}
	files, err := filepath.Glob(root.Path(t, ".github/workflows/*"))
	if err != nil || len(files) < 2 {
		t.Fatalf("%q, %v", files, err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var w workflow
		if err := yaml.Unmarshal(text, &w); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		all[filepath.Base(file)] = w
	}
	return all
}

var pinnedAction = regexp.MustCompile(`uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$`)

// A tag of an action can be moved to other code; a commit cannot.
func TestWorkflowsPinActionsAndLimitRights(t *testing.T) {
	for name, w := range workflows(t) {
		if len(w.Permissions) != 1 || w.Permissions["contents"] != "read" {
			t.Errorf("%s: jobs have the permissions %v unless they ask for others", name, w.Permissions)
		}
		for id, job := range w.Jobs {
			if job.Uses == "" && job.Timeout == 0 {
				t.Errorf("%s: %s may run for hours", name, id)
			}
		}
		for line := range strings.Lines(root.Read(t, ".github/workflows/"+name)) {
			line = strings.TrimRight(line, "\n")
			if strings.Contains(line, "uses: ") && !strings.Contains(line, "uses: ./") && !pinnedAction.MatchString(line) {
				t.Errorf("%s: pin the commit of the action, with its version: %s", name, line)
			}
		}
	}
}

var madeTarget = regexp.MustCompile(`make (?:--no-print-directory )?([a-z-]+(?: [a-z-]+)*)`)

// targetsOf returns the targets that a text makes.
func targetsOf(text string) []string {
	var all []string
	for _, m := range madeTarget.FindAllStringSubmatch(text, -1) {
		all = append(all, strings.Fields(m[1])...)
	}
	return all
}

// make release-check tries on one machine what the jobs of the workflow do.
func TestContinuousIntegrationRunsTheStepsOfAReleaseCheck(t *testing.T) {
	var made []string
	for _, job := range workflows(t)["ci.yml"].Jobs {
		for _, step := range job.Steps {
			made = append(made, targetsOf(step.Run)...)
		}
	}
	var steps []string
	for line := range strings.Lines(root.Read(t, ".ci/release-check")) {
		if _, command, found := strings.Cut(line, `" make `); found {
			steps = append(steps, targetsOf("make "+command)...)
		}
	}
	if len(steps) < 7 {
		t.Errorf("steps %q", steps)
	}
	for _, step := range append(steps, "test", "fuzz", "fleets", "vuln") {
		if !slices.Contains(made, step) {
			t.Errorf("ci.yml does not make %s", step)
		}
	}
	if jobs := workflows(t)["release.yml"].Jobs; jobs["checks"].Uses != "./.github/workflows/ci.yml" {
		t.Error("a release is published without the checks")
	}
}

func TestTargetsOfWorkflowsExist(t *testing.T) {
	makefile := root.Read(t, "Makefile")
	for name, w := range workflows(t) {
		for _, job := range w.Jobs {
			for _, step := range job.Steps {
				for _, target := range targetsOf(step.Run) {
					if !regexp.MustCompile(`(?m)^[a-z -]*\b` + target + `\b[a-z -]*:`).MatchString(makefile) {
						t.Errorf("%s: make has no target %s", name, target)
					}
				}
			}
		}
	}
}

// TestDependabotKnowsEveryFolder compares its settings with the files that pin dependencies.
func TestDependabotKnowsEveryFolder(t *testing.T) {
	var config struct {
		Updates []struct {
			Ecosystem   string `yaml:"package-ecosystem"`
			Directory   string
			Directories []string
		}
	}
	if err := yaml.Unmarshal([]byte(root.Read(t, ".github/dependabot.yml")), &config); err != nil {
		t.Fatal(err)
	}
	updated := map[string][]string{}
	for _, u := range config.Updates {
		updated[u.Ecosystem] = append(updated[u.Ecosystem], u.Directories...)
		if u.Directory != "" {
			updated[u.Ecosystem] = append(updated[u.Ecosystem], u.Directory)
		}
	}
	want := map[string][]string{}
	err := filepath.WalkDir(root.Path(t), func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root.Path(t), path)
		if err != nil {
			return err
		}
		switch entry.Name() {
		case ".git", "node_modules", "bin", "dist", "testdata":
			if entry.IsDir() {
				return fs.SkipDir
			}
		}
		dir := "/" + strings.TrimPrefix(filepath.ToSlash(filepath.Dir(name)), ".")
		if ecosystem := map[string]string{
			"go.mod": "gomod", "package.json": "npm", "Dockerfile": "docker", "docker-compose.yml": "docker-compose", "dependabot.yml": "github-actions",
		}[entry.Name()]; ecosystem == "github-actions" {
			want[ecosystem] = append(want[ecosystem], "/")
		} else if ecosystem != "" {
			want[ecosystem] = append(want[ecosystem], dir)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, ecosystem := range []string{"gomod", "npm", "docker", "docker-compose", "github-actions"} {
		slices.Sort(want[ecosystem])
		slices.Sort(updated[ecosystem])
		if !slices.Equal(want[ecosystem], updated[ecosystem]) || len(want[ecosystem]) == 0 {
			t.Errorf("%s: dependabot.yml has %q, want %q", ecosystem, updated[ecosystem], want[ecosystem])
		}
	}
}

func TestFormsOfIssuesAreValid(t *testing.T) {
	files, err := filepath.Glob(root.Path(t, ".github/ISSUE_TEMPLATE/*.yml"))
	if err != nil {
		t.Fatal(err)
	}
	forms := 0
	for _, file := range files {
		name := filepath.Base(file)
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var form struct {
			Name, Description string
			Body              []struct {
				Type, ID   string
				Attributes struct {
					Label, Value string
					Options      []string
				}
			}
		}
		if err := yaml.Unmarshal(text, &form); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if name == "config.yml" {
			continue
		}
		forms++
		if form.Name == "" || form.Description == "" || len(form.Body) == 0 {
			t.Errorf("%s lacks a name, a description or a body", name)
		}
		seen := map[string]bool{}
		for _, part := range form.Body {
			switch part.Type {
			case "markdown":
				if part.Attributes.Value == "" {
					t.Errorf("%s: empty text", name)
				}
				continue
			case "dropdown":
				if len(part.Attributes.Options) < 2 {
					t.Errorf("%s: %s has no options", name, part.ID)
				}
			case "textarea", "input":
			default:
				t.Errorf("%s: unknown type %q", name, part.Type)
			}
			if part.ID == "" || seen[part.ID] || part.Attributes.Label == "" {
				t.Errorf("%s: the part %q has no label or no ID of its own", name, part.ID)
			}
			seen[part.ID] = true
		}
	}
	if forms < 2 {
		t.Errorf("%d forms", forms)
	}
}

// Until the maintainers fill it in, the address is a placeholder that says so.
func TestPagesNameOneAddress(t *testing.T) {
	page := root.Read(t, "SECURITY.md")
	address := regexp.MustCompile(`\*\*(\S+@\S+)\*\*`).FindStringSubmatch(page)
	if address == nil {
		t.Fatal("SECURITY.md names no address")
	}
	for _, file := range []string{"CODE_OF_CONDUCT.md", ".goreleaser.yaml"} {
		if !strings.Contains(root.Read(t, file), address[1]) {
			t.Errorf("%s does not name %s", file, address[1])
		}
	}
	if placeholder := strings.HasSuffix(address[1], ".example"); placeholder != strings.Contains(page, "placeholder") {
		t.Errorf("is %s a placeholder? the page says the opposite", address[1])
	}
}
