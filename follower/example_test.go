package follower_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/evaluate"
	"github.com/catbridge/catbridge/follower"
)

func Example() {
	rdb := redis.NewClient(&redis.Options{Addr: "localhost:6379", ContextTimeoutEnabled: true})
	defer rdb.Close()
	client, err := follower.New(follower.Config{
		SDKKey: os.Getenv("CONFIGCAT_SDK_KEY"),
		Redis:  rdb,
		Logger: slog.New(slog.NewTextHandler(os.Stderr, nil)),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if state, err := client.WaitForReady(ctx); err != nil || state == follower.NoFlagData {
		fmt.Println("going on with defaults:", state, err)
	}

	user := &follower.UserData{Identifier: "42", Email: "jane@example.com", Country: "Hungary"}
	fmt.Println(client.GetBoolValue("newCheckout", false, user))
}

func ExampleClient_OnConfigChanged() {
	client, err := follower.NewClient(os.Getenv("CONFIGCAT_SDK_KEY"), redis.NewClient(&redis.Options{}))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()
	remove := client.OnConfigChanged(func(config *evaluate.Config) {
		fmt.Println("flags now:", config.Keys())
	})
	defer remove()
}

func ExampleClient_Snapshot() {
	client, err := follower.New(follower.Config{FlagOverrides: &follower.FlagOverrides{
		Behavior: follower.LocalOnly,
		Values:   map[string]any{"newCheckout": true, "maxItems": 20},
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()

	newCheckout, maxItems := follower.Bool("newCheckout", false), follower.Int("maxItems", 10)
	flags := client.Snapshot(&follower.UserData{Identifier: "42"}) // for one request
	fmt.Println(newCheckout.Get(flags), maxItems.Get(flags))
	// Output: true 20
}

func ExampleNewSnapshot() {
	flags, err := follower.NewSnapshot(nil, map[string]any{"newCheckout": true})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(flags.GetValue("newCheckout"))
	// Output: true
}

func ExampleClient_OnFlagEvaluated() {
	client, err := follower.New(follower.Config{FlagOverrides: &follower.FlagOverrides{
		Behavior: follower.LocalOnly,
		Values:   map[string]any{"newCheckout": true},
	}})
	if err != nil {
		fmt.Println(err)
		return
	}
	client.OnFlagEvaluated(func(details *follower.EvaluationDetails) {
		fmt.Println("evaluated", details.Data.Key, details.Value)
	})
	client.GetBoolValue("newCheckout", false, nil)
	client.Close() // the hook has been called when it returns
	client.GetBoolValue("newCheckout", false, nil)
	// Output: evaluated newCheckout true
}
