package wire_test

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/catbridge/catbridge/internal/wire"
)

// reply returns the reply to HMGET for the fields, nil for missing ones.
func reply(fields map[string]string) []any {
	var values []any
	for _, name := range wire.MetaFields() {
		if text, ok := fields[name]; ok {
			values = append(values, text)
		} else {
			values = append(values, nil)
		}
	}
	return values
}

func TestAllMetaFieldsAreRead(t *testing.T) {
	have, err := wire.ParseMeta(reply(map[string]string{
		"epoch": "3", "rev": "1767225600000", "hash": hash, "len": "2", "etag": `W/"a b"`, "cdn": "1767225600001",
		"poll": "55000", "refresh": "4", "etags": "1767225600000 old one\n1767225500000 W/\"older\"",
		"waits": "1767225600009", "control": "1767225600002", "proto": "1 3",
	}))
	want := wire.Meta{
		Epoch: 3, Rev: rev, Hash: hash, Len: 2, ETag: `W/"a b"`, CDN: rev + 1, Poll: 55 * time.Second, Refresh: 4,
		Recent: []wire.RecentETag{{rev, "old one"}, {rev - 100_000, `W/"older"`}},
		Waits:  rev + 9, Control: rev + 2, Proto: wire.Proto{Version: 1, Epoch: 3},
	}
	if err != nil || !reflect.DeepEqual(have, want) {
		t.Errorf("read %+v, %v\nwant %+v", have, err, want)
	}
}

func TestMissingMetaIsZero(t *testing.T) {
	have, err := wire.ParseMeta(make([]any, len(wire.MetaFields())))
	if err != nil || !reflect.DeepEqual(have, wire.Meta{}) {
		t.Errorf("read %+v, %v", have, err)
	}
}

func TestMetaAtItsLimits(t *testing.T) {
	line := "9999999999999 " + strings.Repeat("e", wire.MaxETagBytes)
	meta, err := wire.ParseMeta(reply(map[string]string{
		"epoch": "9999999999999", "rev": "9999999999999", "hash": hash, "len": "8388608",
		"etag": strings.Repeat("e", wire.MaxETagBytes), "cdn": "9999999999999", "poll": "86400000", "refresh": "9999999999999",
		"etags": strings.Join(slices.Repeat([]string{line}, wire.MaxRecentETags), "\n"),
		"waits": "9999999999999", "control": "9999999999999", "proto": "9999999999999 9999999999999",
	}))
	if err != nil || len(meta.Recent) != wire.MaxRecentETags || meta.Control != wire.MaxRev {
		t.Errorf("%d recent ETags, control %d, %v", len(meta.Recent), meta.Control, err)
	}
}

func TestInvalidMetaIsRejected(t *testing.T) {
	bad := map[string][]string{
		"epoch":   {"-1", "x", "10000000000000", "01"},
		"rev":     {"1", "999999999999", "10000000000000", "1767225600000 "},
		"hash":    {"x", hash[1:], strings.ToUpper(hash), hash + "\n"},
		"len":     {"0", "8388609", "2.0"},
		"etag":    {strings.Repeat("e", wire.MaxETagBytes+1)},
		"cdn":     {"0", "10000000000000"},
		"poll":    {"0", "86400001", "1s"},
		"refresh": {"-1", "10000000000000"},
		"waits":   {"0", "10000000000000"},
		"control": {"0", "7", "999999999999", "10000000000000", "01767225600000", "-1", "x"},
		"etags": {
			"x", "\n", "1767225600000", "1767225600000 ", "e 1767225600000", "1767225600000 e\n",
			"1767225600000 " + strings.Repeat("e", wire.MaxETagBytes+1),
			strings.Repeat("1767225600000 e\n", wire.MaxRecentETags) + "1767225600000 e",
			strings.Repeat("1", 1<<20),
		},
	}
	for field, values := range bad {
		for i, value := range values {
			t.Run(field+" "+strconv.Itoa(i), func(t *testing.T) {
				fields := map[string]string{"epoch": "3", "rev": "1767225600000", "hash": hash, "proto": "1 3"}
				fields[field] = value
				_, err := wire.ParseMeta(reply(fields))
				requireParseError(t, err, "meta")
			})
		}
	}
	whole := reply(map[string]string{"epoch": "1"})
	number := slices.Clone(whole)
	number[0] = int64(1)
	for name, values := range map[string][]any{
		"rev without hash": reply(map[string]string{"rev": "1767225600000"}),
		"no fields":        nil,
		"too few fields":   whole[1:],
		"too many fields":  append(slices.Clone(whole), nil),
		"a number":         number,
	} {
		t.Run(name, func(t *testing.T) {
			_, err := wire.ParseMeta(values)
			requireParseError(t, err, "meta")
		})
	}
}

func TestTheProtocolOfTheLatestLeaderIsRead(t *testing.T) {
	for text, want := range map[string]wire.Proto{
		"1 1767225600000": {Version: 1, Epoch: rev}, "12 3": {Version: 12, Epoch: 3},
		"": {}, "1": {}, "1 ": {}, " 3": {}, "x 3": {}, "1 x": {}, "1 3 5": {}, "-1 3": {},
	} {
		meta, err := wire.ParseMeta(reply(map[string]string{"epoch": "3", "proto": text}))
		if err != nil || meta.Proto != want || meta.HasProto() != (want.Epoch == 3) {
			t.Errorf("%q: %+v, %v", text, meta, err)
		}
	}
	if (wire.Meta{}).HasProto() {
		t.Error("an empty meta has a protocol")
	}
}

// A leader that does not know of controls leaves the field as it was, and makes the CDN's content current.
func TestAControlIsBelievedOnlyFromALeaderThatKnowsOfIt(t *testing.T) {
	for name, test := range map[string]struct {
		epoch, proto, control string
		want                  int64
	}{
		"by the latest leader":       {"3", "1 3", "1767225600002", rev + 2},
		"none":                       {"3", "1 3", "", 0},
		"by a former leader":         {"4", "1 3", "1767225600002", 0},
		"malformed, by a former one": {"4", "1 3", "x", 0},
		"without a protocol":         {"3", "", "1767225600002", 0},
		"with a malformed protocol":  {"3", "3", "1767225600002", 0},
		"without an epoch":           {"", "1 3", "1767225600002", 0},
		"without either":             {"", "", "1767225600002", 0},
		"with zeros":                 {"0", "1 0", "1767225600002", 0},
	} {
		meta, err := wire.ParseMeta(reply(map[string]string{"epoch": test.epoch, "proto": test.proto, "control": test.control}))
		if err != nil || meta.Control != test.want {
			t.Errorf("%s: %d, %v; want %d", name, meta.Control, err, test.want)
		}
	}
}
