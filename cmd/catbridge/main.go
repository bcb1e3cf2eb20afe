// Command catbridge runs the parts of the bridge: leaders, a follower that prints what
// it sees, and a demo of the whole with nothing else installed. See catbridge --help.
package main

import (
	"context"
	"os"

	"github.com/redis/go-redis/v9"
)

func main() {
	// What the client library would print, the bridge's own events say with more context.
	redis.SetLogger(silence{})
	os.Exit(run(endBySignal(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

type silence struct{}

func (silence) Printf(context.Context, string, ...any) {}
