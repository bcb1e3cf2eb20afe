package follower

import (
	"testing"

	"github.com/redis/go-redis/v9/logging"
	"go.uber.org/goleak"

	_ "github.com/catbridge/catbridge/test/bubble"
)

func TestMain(m *testing.M) {
	logging.Disable() // go-redis would print each connection that a fault ends
	goleak.VerifyTestMain(m)
}
