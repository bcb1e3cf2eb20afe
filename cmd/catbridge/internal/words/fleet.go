package words

import (
	"fmt"
	"strings"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/inspect"
)

// Others counts the followers that do not have the current config. It returns an empty string if
// there are none.
func Others(f *inspect.Fleet) string {
	var others []string
	for _, other := range []struct {
		n    int
		what string
	}{{f.Behind, "behind"}, {f.Pending, "pending"}, {f.Silent, "silent"}} {
		if other.n > 0 {
			others = append(others, fmt.Sprintf("%d %s", other.n, other.what))
		}
	}
	return strings.Join(others, ", ")
}
