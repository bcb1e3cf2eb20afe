package chart

import (
	"regexp"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/internal/testenv/root"
)

var yamlBlock = regexp.MustCompile("(?s)\n( *)```yaml\n(.*?)\n *```")

// Every example of values in README.md works, together with the first one, which is complete.
func TestTheExamplesOfThePageWork(t *testing.T) {
	var examples []string
	for _, m := range yamlBlock.FindAllStringSubmatch(root.Read(t, chartFolder, "README.md"), -1) {
		examples = append(examples, strings.ReplaceAll("\n"+m[2], "\n"+m[1], "\n"))
	}
	if len(examples) < 6 {
		t.Fatalf("%d examples", len(examples))
	}
	for _, example := range examples {
		values := []string{examples[0], example}
		if strings.Contains(example, "leader:\n  httpRoute") {
			values = append(values, "{secrets: {webhookKeys: {existingSecret: catbridge}}}") // as in the example before it
		}
		if o := render(t, values...); len(workloads(o)) == 0 {
			t.Errorf("nothing runs with\n%s", example)
		}
	}
}
