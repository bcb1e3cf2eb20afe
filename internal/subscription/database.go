package subscription

import "github.com/redis/go-redis/v9"

// Database returns the database in a client's options. All databases of a Redis share its
// channels, so a channel's name must contain the database. A cluster has only database 0. If the
// client selects a database by other means, for instance in OnConnect, Database does not know it.
func Database(client redis.UniversalClient) int {
	if single, ok := client.(*redis.Client); ok && single != nil {
		return max(0, single.Options().DB)
	}
	return 0
}
