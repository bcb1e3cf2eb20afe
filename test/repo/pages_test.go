package repo

import (
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/internal/testenv/root"
)

// pages returns the pages for readers, by their path from the project's folder.
func pages(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, pattern := range []string{"*.md", "docs/*.md", "docs/*/*.md", "deploy/*/*.md", "deploy/*/*/*.md", "examples/*.md", "examples/*/*.md", "test/README.md", "test/*/README.md"} {
		files, err := filepath.Glob(root.Path(t, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			name, err := filepath.Rel(root.Path(t), file)
			if err != nil {
				t.Fatal(err)
			}
			all[filepath.ToSlash(name)] = root.Read(t, name)
		}
	}
	if len(all) < 6 {
		t.Fatalf("%d pages", len(all))
	}
	return all
}

var (
	link      = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	plainLink = regexp.MustCompile(`<(https?://[^>\s]+)>`)
	heading   = regexp.MustCompile(`(?m)^#+ (.*)$`)
	noSlug    = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// anchors returns the anchors of a page's headings.
func anchors(text string) map[string]bool {
	all := map[string]bool{}
	for _, m := range heading.FindAllStringSubmatch(withoutFences(text), -1) {
		all[strings.ReplaceAll(noSlug.ReplaceAllString(strings.ToLower(m[1]), ""), " ", "-")] = true
	}
	return all
}

// linkFault returns what is wrong with a link on a page, or "". Of other sites only the form of the URL is checked.
func linkFault(all map[string]string, root, page, target string) string {
	if strings.Contains(target, ":") {
		u, err := url.Parse(target)
		local := err == nil && (u.Hostname() == "localhost" || u.Hostname() == "127.0.0.1")
		if err != nil || u.Host == "" || u.Scheme != "https" && !(local && u.Scheme == "http") {
			return target + " is not the URL of a site with https"
		}
		return ""
	}
	target, anchor, hasAnchor := strings.Cut(target, "#")
	path := page
	if target != "" {
		path = filepath.Join(filepath.Dir(page), target)
	}
	if _, err := os.Stat(filepath.Join(root, path)); err != nil {
		return err.Error()
	}
	if hasAnchor && !anchors(all[path])[anchor] {
		return path + " has no heading for #" + anchor
	}
	return ""
}

func TestLinksInPagesResolve(t *testing.T) {
	all := pages(t)
	seen := 0
	for page, text := range all {
		text = withoutFences(text)
		for _, m := range slices.Concat(link.FindAllStringSubmatch(text, -1), plainLink.FindAllStringSubmatch(text, -1)) {
			seen++
			if fault := linkFault(all, root.Path(t), page, m[1]); fault != "" {
				t.Errorf("%s: %s", page, fault)
			}
		}
	}
	if seen < 200 {
		t.Errorf("%d links", seen)
	}
}

func TestWrongLinksAreFound(t *testing.T) {
	all := map[string]string{"README.md": "# A b\n\n```sh\n# c\n```\n"}
	for _, target := range []string{"nothing.md", "#a", "#c", "README.md#", "docs/../nothing", "http://example.com", "https:///x", "mailto:x", "ftp://example.com/"} {
		if linkFault(all, root.Path(t), "README.md", target) == "" {
			t.Errorf("%s: nothing is found", target)
		}
	}
	for _, target := range []string{"#a-b", "README.md#a-b", "docs", "https://example.com/x#y", "http://localhost:8085"} {
		if fault := linkFault(all, root.Path(t), "README.md", target); fault != "" {
			t.Error(fault)
		}
	}
}

// TestTheIndexListsEveryPage requires that docs/README.md leads to each page in docs.
func TestTheIndexListsEveryPage(t *testing.T) {
	all := pages(t)
	index := all["docs/README.md"]
	for page := range all {
		if name, ok := strings.CutPrefix(page, "docs/"); ok && name != "README.md" && !strings.Contains(index, "]("+name+")") {
			t.Errorf("docs/README.md has no link to %s", name)
		}
	}
}

// mention matches a page that code, a message or a file in deploy names.
var mention = regexp.MustCompile(`\bdocs/[a-z][\w/-]*\.md(?:#[\w-]+)?`)

// TestMentionsOfPagesResolve looks up the pages that are named outside pages, such as in comments, help and alerts.
func TestMentionsOfPagesResolve(t *testing.T) {
	all := pages(t)
	seen := 0
	err := fs.WalkDir(os.DirFS(root.Path(t)), ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == "node_modules" || name == ".git" || name == "bin" || name == "dist" || name == "docs"):
			return fs.SkipDir
		case !entry.Type().IsRegular() || strings.HasSuffix(name, "_test.go") || !slices.Contains([]string{"", ".go", ".lua", ".tmpl", ".yaml", ".yml", ".json", ".service", ".tpl", ".txt"}, filepath.Ext(name)):
			return nil
		}
		text, err := os.ReadFile(root.Path(t, name))
		if err != nil {
			return err
		}
		for _, page := range mention.FindAllString(string(text), -1) {
			seen++
			if fault := linkFault(all, root.Path(t), "README.md", page); fault != "" {
				t.Errorf("%s: %s", name, fault)
			}
		}
		return nil
	})
	if err != nil || seen < 20 {
		t.Errorf("%d mentions: %v", seen, err)
	}
}

var alertName = regexp.MustCompile(`(?m)alert: (\w+)$`)

// TestEveryAlertSaysWhatToDo compares the rules with the page.
func TestEveryAlertSaysWhatToDo(t *testing.T) {
	rules := root.Read(t, "deploy/prometheus/alerts.yml")
	page := pages(t)["docs/operations.md"]
	defined := map[string]bool{}
	for _, m := range alertName.FindAllStringSubmatch(rules, -1) {
		defined[m[1]] = true
		if !strings.Contains(page, "`"+m[1]+"`") {
			t.Errorf("docs/operations.md does not say what to do about %s", m[1])
		}
	}
	for _, m := range regexp.MustCompile("`(Catbridge\\w+)`").FindAllStringSubmatch(page, -1) {
		if !defined[m[1]] {
			t.Errorf("unknown alert %s", m[1])
		}
	}
}

// TestContributingNamesTheTargets compares the page with the Makefile.
func TestContributingNamesTheTargets(t *testing.T) {
	page := root.Read(t, "CONTRIBUTING.md")
	makefile := root.Read(t, "Makefile")
	for _, target := range regexp.MustCompile(`(?m)^([a-z-]+):.*## `).FindAllStringSubmatch(makefile, -1) {
		if name := target[1]; name != "help" && !strings.Contains(page, "`make "+name) {
			t.Errorf("make %s is not named", name)
		}
	}
}

// TestTheGlossaryDefinesATermOnce looks for terms that are defined twice.
func TestTheGlossaryDefinesATermOnce(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^\| \*\*([^*]+)\*\* \|`).FindAllStringSubmatch(root.Read(t, "docs/glossary.md"), -1) {
		if seen[m[1]] {
			t.Errorf("docs/glossary.md defines %s twice", m[1])
		}
		seen[m[1]] = true
	}
	if len(seen) < 30 {
		t.Errorf("%d terms", len(seen))
	}
}

var (
	guaranteeRow = regexp.MustCompile(`(?m)^\| I(\d+) \|`)
	guaranteeRef = regexp.MustCompile(`\bI(\d{1,2})\b`)
)

// TestGuaranteesThatAreCitedExist looks up the guarantees that pages and comments cite in docs/guarantees.md.
func TestGuaranteesThatAreCitedExist(t *testing.T) {
	rows := map[string]bool{}
	all := pages(t)
	for _, m := range guaranteeRow.FindAllStringSubmatch(all["docs/guarantees.md"], -1) {
		rows[m[1]] = true
	}
	if len(rows) < 14 {
		t.Fatalf("docs/guarantees.md has %d guarantees", len(rows))
	}
	cited := 0
	look := func(where, text string) {
		for _, m := range guaranteeRef.FindAllStringSubmatch(text, -1) {
			cited++
			if !rows[m[1]] {
				t.Errorf("%s cites I%s, which docs/guarantees.md does not have", where, m[1])
			}
		}
	}
	for page, text := range all {
		look(page, text)
	}
	for name, file := range productFiles(t) {
		for _, group := range file.Comments {
			look(name, group.Text())
		}
	}
	if cited < 100 {
		t.Errorf("%d citations", cited)
	}
}
