package feed

import (
	"strings"
	"testing"

	"github.com/catbridge/catbridge/internal/wire"
)

func TestReportIDsAreValid(t *testing.T) {
	longest := strings.Repeat("x", MaxReportName)
	if id := newReportID(longest); !wire.ValidFleetName(id) {
		t.Errorf("%q", id)
	}
	if v := reportedVersion(); !wire.ValidFleetName(v) {
		t.Errorf("%q", v)
	}
}
