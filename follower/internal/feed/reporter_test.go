package feed

import (
	"strings"
	"testing"

	"github.com/catbridge/catbridge/cachekeys"
)

func TestReportIDsAreValid(t *testing.T) {
	longest := strings.Repeat("x", MaxReportName)
	if id := newReportID(longest); !cachekeys.ValidFleetName(id) {
		t.Errorf("%q", id)
	}
	if v := libraryVersion(); !cachekeys.ValidFleetName(v) {
		t.Errorf("%q", v)
	}
}
