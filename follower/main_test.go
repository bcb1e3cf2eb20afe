package follower

import (
	"log/slog"
	"testing"

	"github.com/redis/go-redis/v9/logging"
	"go.uber.org/goleak"

	_ "github.com/catbridge/catbridge/internal/testenv/bubble"
)

func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler)) // clients without a logger write to it
	logging.Disable()                              // go-redis prints each connection that a fault closes
	goleak.VerifyTestMain(m)
}
