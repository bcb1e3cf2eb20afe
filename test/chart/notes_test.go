package chart

import (
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/internal/testenv/program"
)

var notedCommand = regexp.MustCompile(`(?m) -- /catbridge (.*)$`)

// The notes of every case are complete, name all Secrets, and show commands that exist.
func TestNotesSayWhatToDoNext(t *testing.T) {
	catbridge := program.Path(t)
	forEachCase(t, func(t *testing.T, name string, o objects) {
		for _, bad := range []string{"<no value>", "%!", "<nil>", "\n\n\n"} {
			if strings.Contains(o.notes, bad) {
				t.Errorf("the notes contain %q:\n%s", bad, o.notes)
			}
		}
		for _, w := range workloads(o) {
			if want := "rollout status " + strings.ToLower(w.kind) + "/" + w.GetName() + "\n"; !strings.Contains(o.notes, want) {
				t.Errorf("the notes lack %q:\n%s", want, o.notes)
			}
			for _, source := range sources(w.pod.Spec) {
				want := "     " + source.Name
				if len(source.Items) > 0 {
					want += ", with the key " + source.Items[0].Key
				}
				if !strings.Contains(o.notes, want+"\n") {
					t.Errorf("the notes lack %q:\n%s", want, o.notes)
				}
			}
		}
		for _, m := range notedCommand.FindAllStringSubmatch(o.notes, -1) {
			if out, err := exec.CommandContext(t.Context(), catbridge, append(strings.Fields(m[1]), "--help")...).CombinedOutput(); err != nil {
				t.Errorf("catbridge %s: %v\n%s", m[1], err, out)
			}
		}
	})
}

func TestNotesSayWhatDiffers(t *testing.T) {
	for name, wants := range map[string][]string{
		"default":                      {"after 55s at most", "status --config"},
		"settings":                     {"after 5s at most"},
		"least":                        {"set leader.replicas to 2"},
		"serve as a DaemonSet":         {"\n     http://flags-catbridge-serve.prod:8093\n"},
		"serve on a port of the nodes": {"port 8093 of the node's address"},
		"monitoring":                   {"\n     https://flags-catbridge-serve.prod:8093\n"},
		"Ingress":                      {"\n     https://hooks.example.com/hook/NAME\n", "are not encrypted"},
		"HTTPRoute":                    {"\n     https://hooks.example.com/hook/NAME\n"},
	} {
		notes := render(t, required, topologies["single"], cases[name].values).notes + "\n"
		for _, want := range wants {
			if !strings.Contains(notes, want) {
				t.Errorf("%s: the notes lack %q:\n%s", name, want, notes)
			}
		}
	}
}
