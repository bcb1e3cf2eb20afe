package e2e

import (
	"testing"

	"github.com/catbridge/catbridge/test/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }
