package limited_test

import (
	"runtime"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/internal/limited"
	"github.com/catbridge/catbridge/test/redistest"
)

const limit = 8 << 20

// allocated tells how many bytes of memory f took, whether or not they were given back.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func read(t *testing.T, r *limited.Reader, client redis.Cmdable, key string) (data []byte, sent int) {
	t.Helper()
	var cmd *redis.StringCmd
	r.Do(t.Context(), func(get limited.Get) {
		sent++
		cmd = get(client, key, limit)
	})
	data, err := limited.Bytes(cmd)
	if err != nil {
		t.Fatal(err)
	}
	return data, sent
}

// A value of 64 MB takes no more memory than the limit and go-redis's own copies of it, and
// costs one round trip, as any other does.
func TestAValueOverTheLimitIsNotReadToItsEnd(t *testing.T) {
	server := redistest.Start(t)
	client := server.Client(t, nil)
	client.Set(t.Context(), "small", "x", 0)
	client.Set(t.Context(), "huge", strings.Repeat("x", 64<<20), 0)
	var r limited.Reader
	if data, sent := read(t, &r, client, "missing"); data != nil || sent != 1 {
		t.Errorf("missing: %d bytes, sent %d times", len(data), sent)
	}
	if data, sent := read(t, &r, client, "small"); string(data) != "x" || sent != 1 {
		t.Errorf("small: %q, sent %d times", data, sent)
	}
	var data []byte
	var sent int
	took := allocated(func() { data, sent = read(t, &r, client, "huge") })
	if len(data) != limit+1 || sent != 1 || took > 4*limit {
		t.Errorf("huge: %d bytes, sent %d times, %d allocated", len(data), sent, took)
	}
}

// A user of before has no right to GETRANGE: all is read as before, and said once.
func TestWithoutTheRightToGetRangeValuesAreReadWhole(t *testing.T) {
	server := redistest.Start(t)
	admin := server.Client(t, nil)
	admin.Set(t.Context(), "long", strings.Repeat("x", limit+100), 0)
	user := redistest.User{Name: "old", Password: "secret"}
	if err := admin.Do(t.Context(), "ACL", "SETUSER", user.Name, "on", ">"+user.Password, "~*", "+get", "+ping").Err(); err != nil {
		t.Fatal(err)
	}
	client := server.ClientAs(t, user, nil)
	var told []error
	r := limited.Reader{Warn: func(refusal error) { told = append(told, refusal) }}
	for i, want := range []int{2, 1, 1} {
		if data, sent := read(t, &r, client, "long"); len(data) != limit+100 || sent != want {
			t.Errorf("%d: %d bytes, sent %d times, want %d", i, len(data), sent, want)
		}
	}
	if len(told) != 1 || !strings.Contains(told[0].Error(), "getrange") {
		t.Errorf("told %q", told)
	}
}

// Where GET is refused as well nothing is learnt: once both are granted, reads are bounded.
func TestAUserWithoutAnyRightTeachesNothing(t *testing.T) {
	server := redistest.Start(t)
	admin := server.Client(t, nil)
	admin.Set(t.Context(), "long", strings.Repeat("x", limit+100), 0)
	user := redistest.User{Name: "new", Password: "secret"}
	grant := func(rules ...any) {
		t.Helper()
		if err := admin.Do(t.Context(), append([]any{"ACL", "SETUSER", user.Name, "on", ">" + user.Password, "~*", "+ping"}, rules...)...).Err(); err != nil {
			t.Fatal(err)
		}
	}
	grant()
	client := server.ClientAs(t, user, nil)
	r := limited.Reader{Warn: func(error) { t.Error("told") }}
	var cmd *redis.StringCmd
	r.Do(t.Context(), func(get limited.Get) { cmd = get(client, "long", limit) })
	if _, err := limited.Bytes(cmd); !redis.IsPermissionError(err) {
		t.Errorf("%v", err)
	}
	grant("+get", "+getrange")
	if data, _ := read(t, &r, client, "long"); len(data) != limit+1 {
		t.Errorf("%d bytes", len(data))
	}
}
