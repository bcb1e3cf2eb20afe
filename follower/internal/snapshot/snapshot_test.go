package snapshot

import (
	"reflect"
	"testing"

	"github.com/catbridge/catbridge/evaluate"
)

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
