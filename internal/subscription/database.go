package subscription

import "github.com/redis/go-redis/v9"

// Database returns the database that a client selects by its options. Since channels
// belong to all databases of a Redis, the name of one must say which database is meant. A
// cluster has the database 0 only. A client that selects a database by other means, in
// OnConnect for instance, is taken to use the one of its options.
func Database(client redis.UniversalClient) int {
	if single, ok := client.(*redis.Client); ok && single != nil {
		return max(0, single.Options().DB)
	}
	return 0
}
