package follower

import (
	"log/slog"
	"testing"

	"github.com/redis/go-redis/v9/logging"
	"go.uber.org/goleak"

	_ "github.com/catbridge/catbridge/test/bubble"
)

func TestMain(m *testing.M) {
	slog.SetDefault(slog.New(slog.DiscardHandler)) // which clients without a logger write to
	logging.Disable()                              // go-redis would print each connection that a fault ends
	goleak.VerifyTestMain(m)
}
