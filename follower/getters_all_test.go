package follower

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/follower/internal/snapshot"
)

// countingUser counts how often evaluations ask for an attribute.
type countingUser struct{ reads int }

func (u *countingUser) GetAttribute(string) any {
	u.reads++
	return "yes"
}

// The time for flags that each depend on the next one grows in proportion to their number (S18).
func TestAllDetailsEvaluateEveryPrerequisiteOnce(t *testing.T) {
	const length = 1000
	var b strings.Builder
	b.WriteString(`{"f":{`)
	for i := range length {
		fmt.Fprintf(&b, `"f%d":{"t":0,"r":[{"c":[{"u":{"a":"A","c":28,"s":"yes"}},{"p":{"f":"f%d","c":0,"v":{"b":true}}}],"s":{"v":{"b":true}}}],"v":{"b":false}},`, i, i+1)
	}
	fmt.Fprintf(&b, `"f%d":{"t":0,"v":{"b":true}}}}`, length)
	config, err := evaluate.Parse([]byte(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	held := &snapshot.Snapshot{Config: config}
	log, _ := recorded(slog.LevelWarn)
	c := local(t, slog.New(log), FlagOverrides{Values: map[string]any{}})
	for name, evaluateAll := range map[string]func(User) int{
		"details": func(user User) int { return len(c.listDetails(held, "GetAllValueDetails", user)) },
		"values":  func(user User) int { return len(c.listValues(held, "GetAllValues", user)) },
		"IDs":     func(user User) int { c.listVariationIDs(held, "GetAllVariationIDs", user); return length + 1 },
	} {
		user := new(countingUser)
		if n := evaluateAll(user); n != length+1 || user.reads > 2*length || user.reads < length {
			t.Errorf("%s: %d flags, %d attributes read", name, n, user.reads)
		}
	}
}
