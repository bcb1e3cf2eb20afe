package limited_test

import (
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/catbridge/catbridge/internal/limited"
	"github.com/catbridge/catbridge/internal/testenv/memory"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
)

const limit = 8 << 20

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

// A value of 64 MB uses no more memory than the limit and go-redis's copies of it, and costs one
// round trip, like any other value.
func TestValueOverTheLimitIsReadOnlyInPart(t *testing.T) {
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
	took := memory.Allocated(func() { data, sent = read(t, &r, client, "huge") })
	if len(data) != limit+1 || sent != 1 || took > 4*limit {
		t.Errorf("huge: %d bytes, sent %d times, %d allocated", len(data), sent, took)
	}
}

// A user of an earlier version has no permission for GETRANGE: values are read whole, with one
// warning.
func TestWithoutGetRangeValuesAreReadWhole(t *testing.T) {
	server := redistest.Start(t)
	admin := server.Client(t, nil)
	admin.Set(t.Context(), "long", strings.Repeat("x", limit+100), 0)
	user := redistest.User{Name: "old", Password: "secret"}
	if err := admin.Do(t.Context(), "ACL", "SETUSER", user.Name, "on", ">"+user.Password, "~*", "+get", "+ping").Err(); err != nil {
		t.Fatal(err)
	}
	client := server.ClientAs(t, user, nil)
	var warnings []error
	r := limited.Reader{Warn: func(refusal error) { warnings = append(warnings, refusal) }}
	for i, want := range []int{2, 1, 1} {
		if data, sent := read(t, &r, client, "long"); len(data) != limit+100 || sent != want {
			t.Errorf("%d: %d bytes, sent %d times, want %d", i, len(data), sent, want)
		}
	}
	if len(warnings) != 1 || !strings.Contains(warnings[0].Error(), "getrange") {
		t.Errorf("warnings %q", warnings)
	}
}

// If GET is refused as well, the Reader draws no conclusion: once both are permitted, reads are
// bounded.
func TestWithoutAnyPermissionNothingIsConcluded(t *testing.T) {
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
	r := limited.Reader{Warn: func(error) { t.Error("warnings") }}
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
