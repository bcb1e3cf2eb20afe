package feed

import (
	"fmt"
	"testing"
	"time"

	"github.com/redis/go-redis/v9/logging"
	"go.uber.org/goleak"

	"github.com/catbridge/catbridge/cachekeys"

	_ "github.com/catbridge/catbridge/internal/testenv/bubble"
)

func TestMain(m *testing.M) {
	logging.Disable() // go-redis prints each connection that a fault closes
	goleak.VerifyTestMain(m)
}

var (
	testKeys    = cachekeys.For("configcat-sdk-1/aaaaaaaaaaaaaaaaaaaaaa/bbbbbbbbbbbbbbbbbbbbbb", "", 0)
	testTimings = Timings{
		Idle: 5 * time.Second, Dead: 10 * time.Second, Ack: 2 * time.Second, MetaReread: time.Minute, Poll: 5 * time.Second,
		Resubscribe: 30 * time.Second, BackoffMin: 200 * time.Millisecond, BackoffMax: 5 * time.Second,
	}
)

// configJSON returns a config whose flag "version" has the given value.
func configJSON(version int) []byte {
	return fmt.Appendf(nil, `{"f":{"version":{"t":2,"v":{"i":%d}}}}`, version)
}
