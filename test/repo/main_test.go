package repo

import (
	"os"
	"testing"

	"github.com/catbridge/catbridge/internal/testenv/program"
)

func TestMain(m *testing.M) {
	code := m.Run()
	program.Remove()
	os.Exit(code)
}
