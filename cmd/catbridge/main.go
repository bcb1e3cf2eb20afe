// Command catbridge runs the bridge: leaders, a follower that prints flags and their changes,
// a demo of the whole bridge, and tools to inspect it. See catbridge --help.
package main

import (
	"os"

	"github.com/redis/go-redis/v9"
)

func main() {
	redis.SetLogger(&redisLog)
	os.Exit(run(endBySignal(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
