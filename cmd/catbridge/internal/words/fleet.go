package words

import (
	"fmt"
	"strings"

	"github.com/catbridge/catbridge/cmd/catbridge/internal/inspect"
)

// Behind counts the followers whose last report names another config, silent or not. It returns an
// empty string if there are none.
func Behind(f *inspect.Fleet) string {
	switch all := f.Behind + f.SilentBehind; {
	case all == 0:
		return ""
	case f.SilentBehind == 0:
		return fmt.Sprintf("%d behind", all)
	case f.Behind == 0:
		return fmt.Sprintf("%d behind (silent)", all)
	default:
		return fmt.Sprintf("%d behind (%d of them silent)", all, f.SilentBehind)
	}
}

// Others counts the followers that do not have the current config, or are silent. It returns an empty
// string if there are none.
func Others(f *inspect.Fleet) string {
	var others []string
	if behind := Behind(f); behind != "" {
		others = append(others, behind)
	}
	for _, other := range []struct {
		n    int
		what string
	}{{f.Pending, "pending"}, {f.Silent, "silent"}} {
		if other.n > 0 {
			others = append(others, fmt.Sprintf("%d %s", other.n, other.what))
		}
	}
	return strings.Join(others, ", ")
}
