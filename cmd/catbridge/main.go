// Command catbridge runs the parts of the bridge: leaders, a follower that prints what
// it sees, and a demo of the whole with nothing else installed. See catbridge --help.
package main

import (
	"os"

	"github.com/redis/go-redis/v9"
)

func main() {
	redis.SetLogger(&redisLog)
	os.Exit(run(endBySignal(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
