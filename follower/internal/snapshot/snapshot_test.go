package snapshot

import (
	"reflect"
	"testing"

	"github.com/catbridge/catbridge/evaluate"
)

func TestSupersedes(t *testing.T) {
	held := &Snapshot{Rev: 5, Hash: "a", Source: SourceBlob}
	file := &Snapshot{Rev: 5, Hash: "a", Source: SourceFile}
	for name, test := range map[string]struct {
		next, held *Snapshot
		want       bool
	}{
		"nothing is held":             {&Snapshot{}, nil, true},
		"a higher rev":                {&Snapshot{Rev: 6, Hash: "b"}, held, true},
		"a higher rev, the same":      {&Snapshot{Rev: 6, Hash: "a"}, held, true},
		"a lower rev":                 {&Snapshot{Rev: 4, Hash: "b"}, held, false},
		"the same":                    {&Snapshot{Rev: 5, Hash: "a"}, held, false},
		"other content at the rev":    {&Snapshot{Rev: 5, Hash: "b"}, held, false},
		"the same as in the file":     {&Snapshot{Rev: 5, Hash: "a"}, file, true},
		"other content than the file": {&Snapshot{Rev: 5, Hash: "b"}, file, false},
	} {
		if have := test.next.Supersedes(test.held); have != test.want {
			t.Errorf("%s: %v, want %v", name, have, test.want)
		}
	}
}

// A clone copies every field. The test fails for a new field until it covers that, too.
func TestACloneHasEveryField(t *testing.T) {
	s := &Snapshot{
		Config: new(evaluate.Config), Rev: 1, Hash: "2", ETag: "3", Source: SourceBlob, JSON: []byte("4"), FetchTime: 5, shared: new(compiled),
	}
	for field, value := range reflect.ValueOf(s).Elem().Fields() {
		if field.Name != "_" && value.IsZero() {
			t.Errorf("the test leaves %s out", field.Name)
		}
	}
	for field, value := range reflect.ValueOf(s.Clone()).Elem().Fields() {
		if field.Name != "_" && value.IsZero() {
			t.Errorf("%s is missing", field.Name)
		}
	}
}
