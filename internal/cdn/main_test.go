package cdn

import (
	"testing"

	"go.uber.org/goleak"

	_ "github.com/catbridge/catbridge/internal/testenv/bubble"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
