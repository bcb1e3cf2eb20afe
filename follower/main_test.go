package follower

import (
	"testing"

	"github.com/redis/go-redis/v9/logging"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	logging.Disable() // go-redis would print each connection that a fault ends
	goleak.VerifyTestMain(m)
}
