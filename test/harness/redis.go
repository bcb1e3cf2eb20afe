package harness

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/redis/go-redis/v9"
)

// AwaitWritable waits until followers have the version that Redis refused before.
func (env *Environment) AwaitWritable(version int64) {
	env.Helper()
	writable, bound := time.Now(), env.Leader.RetryPeriod*6/5+env.PollBound()
	env.AwaitVersion(version, bound)
	env.Recovered(writable, bound)
	env.Settle()
}

// Backup is the content of Redis at one moment.
type Backup struct {
	entry, blob string
	meta        map[string]string
}

// Backup returns the content of Redis, without the lock.
func (env *Environment) Backup() (b Backup) {
	env.Helper()
	var entry, blob *redis.StringCmd
	var meta *redis.MapStringStringCmd
	_, err := env.Admin.TxPipelined(env.Context(), func(p redis.Pipeliner) error {
		entry, blob = p.Get(env.Context(), env.Keys.Entry), p.Get(env.Context(), env.Keys.Blob)
		meta = p.HGetAll(env.Context(), env.Keys.Meta)
		return nil
	})
	if err != nil && !errors.Is(err, redis.Nil) { // a key is missing
		env.Fatal(err)
	}
	return Backup{entry.Val(), blob.Val(), meta.Val()}
}

// Restore replaces the content of Redis by the backup, without the given keys, as when
// Redis restarts from an old copy.
func (env *Environment) Restore(b Backup, lost ...string) {
	env.Helper()
	_, err := env.Admin.TxPipelined(env.Context(), func(p redis.Pipeliner) error {
		ctx := env.Context()
		p.FlushAll(ctx)
		for key, value := range map[string]string{env.Keys.Entry: b.entry, env.Keys.Blob: b.blob} {
			if value != "" {
				p.Set(ctx, key, value, 0)
			}
		}
		if len(b.meta) > 0 {
			p.HSet(ctx, env.Keys.Meta, b.meta)
		}
		for _, key := range lost {
			p.Del(ctx, key)
		}
		return nil
	})
	if err != nil {
		env.Fatal(err)
	}
}

// WriteEntry writes the official entry as an SDK with its own clock does, and returns its fetch
// time.
func (env *Environment) WriteEntry(fetched time.Time) int64 {
	env.Helper()
	config := env.CDN.Config()
	entry := cachekeys.Entry{FetchTime: fetched.UnixMilli(), ETag: config.ETag(), JSON: config.JSON()}
	if err := env.Admin.Set(env.Context(), env.Keys.Entry, entry.Append(nil), 0).Err(); err != nil {
		env.Fatal(err)
	}
	return entry.FetchTime
}

// Do sends a command to one node.
func (env *Environment) Do(node *redistest.Process, args ...any) any {
	env.Helper()
	reply, err := node.Do(env.T, args...)
	if err != nil {
		env.Fatal(err)
	}
	return reply
}

// Info returns a number that INFO of one node reports in a section.
func (env *Environment) Info(node *redistest.Process, section, field string) int64 {
	env.Helper()
	for line := range strings.Lines(env.Do(node, "INFO", section).(string)) {
		if number, ok := strings.CutPrefix(strings.TrimSpace(line), field+":"); ok {
			n, err := strconv.ParseInt(number, 10, 64)
			if err != nil {
				env.Fatal(err)
			}
			return n
		}
	}
	env.Fatalf("INFO %s has no %s", section, field)
	return 0
}

// SetConfig sets a parameter of the server.
func (env *Environment) SetConfig(name, value string) {
	env.Helper()
	if err := env.Admin.(*redis.Client).ConfigSet(env.Context(), name, value).Err(); err != nil {
		env.Fatal(err)
	}
}

// Delete deletes keys, as somebody else might.
func (env *Environment) Delete(keys ...string) {
	env.Helper()
	if err := env.Admin.Del(env.Context(), keys...).Err(); err != nil {
		env.Fatal(err)
	}
}

// FlushAll deletes all keys.
func (env *Environment) FlushAll() {
	env.Helper()
	if err := env.Admin.FlushAll(env.Context()).Err(); err != nil {
		env.Fatal(err)
	}
}

// AwaitKeys waits until all keys of the bridge exist, with a rev in meta.
func (env *Environment) AwaitKeys(bound time.Duration) {
	env.Helper()
	env.Eventually(bound, "all keys are there", func() bool {
		n, err := env.Admin.Exists(env.Context(), env.Keys.Entry, env.Keys.Lock, env.Keys.Meta, env.Keys.Blob).Result()
		return err == nil && n == 4 && env.Admin.HExists(env.Context(), env.Keys.Meta, "rev").Val()
	})
}
