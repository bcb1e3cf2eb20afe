package redistest

import (
	"testing"

	"github.com/redis/go-redis/v9"
)

// SetWrongType replaces a key's value by a list.
func SetWrongType(t testing.TB, client *redis.Client, key string) {
	t.Helper()
	client.Del(t.Context(), key)
	if err := client.RPush(t.Context(), key, "of another type").Err(); err != nil {
		t.Fatal(err)
	}
}
