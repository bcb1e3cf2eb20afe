package main

import (
	"fmt"
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

// What a flag uses is part of its history: segments, and prerequisites of any depth.
func TestHistoryOfAFlagShowsWhatAffectedIt(t *testing.T) {
	server := redistest.Start(t)
	client := server.Client(t, nil)
	keys := cachekeys.For(testKey, "", 0)
	config := func(domain, other string, base bool) []byte {
		return fmt.Appendf(nil, `{"p":{"s":"salt"},"s":[{"n":"Beta","r":[{"a":"Email","c":2,"l":[%q]}]},{"n":"Other","r":[{"a":"Email","c":2,"l":[%q]}]}],"f":{
			"base":{"t":0,"v":{"b":%v}},
			"asks":{"t":0,"r":[{"c":[{"p":{"f":"base","c":0,"v":{"b":true}}}],"s":{"v":{"b":true}}}],"v":{"b":false}},
			"top":{"t":0,"r":[{"c":[{"p":{"f":"asks","c":0,"v":{"b":true}}},{"s":{"s":0,"c":0}}],"s":{"v":{"b":true}}}],"v":{"b":false}},
			"else":{"t":0,"r":[{"c":[{"s":{"s":1,"c":0}}],"s":{"v":{"b":true}}}],"v":{"b":false}}}}`, domain, other, base)
	}
	before, after := config("@a.com", "@o.com", true), config("@b.com", "@p.com", false)
	for i, json := range [][]byte{before, after} {
		rev, back := wire.MinRev+int64(i), ""
		blob := wire.Blob{Rev: rev, Hash: wire.ContentHash(json), Codec: wire.Raw, Payload: json}
		client.Set(t.Context(), keys.Blob, blob.Append(nil), 0)
		client.HSet(t.Context(), keys.Meta, "rev", rev, "hash", blob.Hash, "len", len(json), "etag", "e")
		from := ""
		if i > 0 {
			from, back = wire.ContentHash(before), string(wire.Back{Codec: wire.Raw, Payload: before}.Append(nil))
		}
		client.Do(t.Context(), "XADD", keys.History, "*", "rev", rev, "time", rev, "hash", blob.Hash, "etag", "e", "cause", "poll",
			"leader", "ONE", "size", len(json), "from", from, "fromsize", "", "back", back)
	}
	var out, errs strings.Builder
	code := run(t.Context(), []string{"history", "--flag", "top", "--sdk-key", "main=" + testKey, "--redis", server.URL()}, strings.NewReader(""), &out, &errs)
	if code != exitOK {
		t.Fatal(code, errs.String())
	}
	for _, want := range []string{
		`segment "Beta": `, "asks: affected: prerequisite base changed", "base: default value changed", `top: affected: segment "Beta" changed`, "top: affected: prerequisite asks",
	} {
		if strings.Count(out.String(), want) != 1 {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	if strings.Contains(out.String(), "Other") || strings.Contains(out.String(), "else") {
		t.Errorf("it has other flags:\n%s", out.String())
	}
	out.Reset()
	code = run(t.Context(), []string{"history", "--flag", "missing", "--sdk-key", "main=" + testKey, "--redis", server.URL()}, strings.NewReader(""), &out, &errs)
	if code != exitOK || out.Len() > 0 || !strings.Contains(errs.String(), "no change of that flag") {
		t.Errorf("a flag that is missing: exit %d, %s%s", code, out.String(), errs.String())
	}
}
