package main

import (
	"strings"
	"testing"

	"github.com/catbridge/catbridge/cachekeys"
	"github.com/catbridge/catbridge/internal/testenv/redistest"
	"github.com/catbridge/catbridge/internal/wire"
)

func TestHistorySaysWhichRightsAreMissing(t *testing.T) {
	server := redistest.Start(t)
	client := server.Client(t, nil)
	client.Do(t.Context(), "ACL", "SETUSER", "reader", "reset", "on", ">secret", "%R~*", "+get", "+hmget", "+ping")
	t.Setenv("CATBRIDGE_REDIS_URL", "redis://reader:secret@"+server.Addr())
	t.Setenv("CATBRIDGE_SDK_KEY", "main="+testKey)
	for _, command := range [][]string{{"history"}, {"show"}, {"diff", "-1"}} {
		var out, errs strings.Builder
		code := run(t.Context(), command, strings.NewReader(""), &out, &errs)
		if code != exitFailure || !strings.Contains(errs.String(), "grant +xrevrange, +hmget and +getrange") || out.Len() > 0 {
			t.Errorf("%s: exit %d, %s%s", command, code, errs.String(), out.String())
		}
	}
}

// Names, leaders and values in Redis cannot control the terminal.
func TestHistoryPrintsNoControlCharacters(t *testing.T) {
	server := redistest.Start(t)
	client := server.Client(t, nil)
	keys := cachekeys.For(testKey, "", 0)
	json := []byte("{\"f\":{\"a\u009b1m\":{\"t\":1,\"v\":{\"s\":\"\u202e\"}}}}")
	blob := wire.Blob{Rev: wire.MinRev, Hash: wire.ContentHash(json), Codec: wire.Raw, Payload: json}
	client.Set(t.Context(), keys.Blob, blob.Append(nil), 0)
	client.HSet(t.Context(), keys.Meta, "rev", blob.Rev, "hash", blob.Hash, "len", len(json), "etag", "e")
	client.Do(t.Context(), "XADD", keys.History, "*", "rev", blob.Rev, "time", blob.Rev, "hash", blob.Hash, "etag", "e", "cause", "poll",
		"leader", "\x1b]0;x\x07", "size", len(json), "from", "", "fromsize", "", "back", "")
	for _, command := range [][]string{{"history"}, {"history", "--json"}, {"diff", "current"}, {"diff", "current", "--json"}, {"show"}} {
		var out, errs strings.Builder
		code := run(t.Context(), append(command, "--sdk-key", "main="+testKey, "--redis", server.URL()), strings.NewReader(""), &out, &errs)
		if code != exitOK {
			t.Errorf("%s: exit %d, %s", command, code, errs.String())
		}
		if exact := command[0] == "show"; exact && out.String() != string(json) || !exact && strings.ContainsAny(out.String(), "\x1b\x07\u009b\u202e") {
			t.Errorf("%s: %q", command, out.String())
		}
	}
}
