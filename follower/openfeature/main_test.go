package openfeature_test

import (
	"log/slog"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler)) // which clients without a logger write to
	goleak.VerifyTestMain(m)
}
