package follower_test

import (
	"fmt"
	"log/slog"
	"os"

	"github.com/rs/zerolog"

	"github.com/catbridge/catbridge/follower"
)

// A service that logs with zerolog gives the client its logger as a handler of log/slog.
func ExampleConfig_zerolog() {
	logger := zerolog.New(zerolog.ConsoleWriter{Out: os.Stdout, NoColor: true, PartsExclude: []string{"time"}})
	client, err := follower.New(follower.Config{
		Logger: slog.New(zerolog.NewSlogHandler(logger)),
		FlagOverrides: &follower.FlagOverrides{
			Behavior: follower.LocalOnly,
			Values:   map[string]any{"newCheckout": true},
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()
	client.GetBoolValue("checkout", false, nil)
	// Output: ERR [1001] Failed to evaluate setting 'checkout' (the key was not found in config JSON). Returning the `defaultValue` parameter that you specified in your application: 'false'. Available keys: ['newCheckout']. event_id=1001
}
