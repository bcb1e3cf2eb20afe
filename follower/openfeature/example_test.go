package openfeature_test

import (
	"context"
	"fmt"
	"os"

	of "github.com/open-feature/go-sdk/openfeature"
	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/follower"
	"github.com/catbridge/catbridge/follower/openfeature"
)

func Example() {
	rdb := redis.NewClient(&redis.Options{Addr: "localhost:6379", ContextTimeoutEnabled: true})
	defer rdb.Close()
	client, err := follower.NewClient(os.Getenv("CONFIGCAT_SDK_KEY"), rdb)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()

	if err := of.SetProviderAndWait(openfeature.NewProvider(client)); err != nil {
		fmt.Println("using defaults:", err) // until there is a config
	}
	defer of.Shutdown()

	flags := of.NewDefaultClient()
	user := of.NewEvaluationContext("42", map[string]any{"Email": "jane@example.com"})
	fmt.Println(flags.Boolean(context.Background(), "newCheckout", false, user))
}
