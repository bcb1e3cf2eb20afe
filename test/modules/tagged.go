package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// tagged returns an error unless the last commit is a release of all modules: they require each other at the
// version, and the commit has a tag of it for each module.
func tagged(ctx context.Context, root, version string) error {
	w, err := load(root)
	if err != nil {
		return err
	}
	if w.version != version {
		return fmt.Errorf("the modules require each other at %s: run make release RELEASE=%s, and commit that", w.version, version)
	}
	output, err := gitCommand(ctx, root, "tag", "--points-at", "HEAD")
	if err != nil {
		return err
	}
	tags := strings.Fields(output)
	var missing []string
	for _, m := range w.modules {
		if tag := m.tag(version); !slices.Contains(tags, tag) {
			missing = append(missing, tag)
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("the last commit lacks the tags %s: push all tags at once, as CONTRIBUTING.md says", strings.Join(missing, ", "))
	}
	fmt.Printf("==> the last commit has the tags of %s for all %d modules\n", version, len(w.modules))
	return nil
}
