package wire_test

import (
	"bytes"
	"maps"
	"strings"
	"testing"

	"github.com/catbridge/catbridge/internal/wire"
)

func historyFields() map[string]string {
	return map[string]string{
		"rev": "1767225600000", "time": "1767225600001", "hash": hash, "etag": `W/"x"`, "cause": "poll", "leader": "host/ID", "size": "2",
		"from": hash, "fromsize": "3", "back": "patch\n1 1 raw\n",
	}
}

func TestAHistoryEntryIsRead(t *testing.T) {
	fields := historyFields()
	fields["reason"] = "of a later version"
	e, err := wire.ParseHistoryEntry("1-0", fields)
	want := wire.HistoryEntry{
		ID: "1-0", Rev: rev, Time: rev + 1, Hash: hash, ETag: `W/"x"`, Cause: wire.CausePoll, Leader: "host/ID", Size: 2,
		From: hash, FromSize: 3, Back: e.Back,
	}
	if err != nil || e.ID != want.ID || e.Rev != want.Rev || e.Time != want.Time || e.Hash != want.Hash || e.ETag != want.ETag || e.Cause != want.Cause ||
		e.Leader != want.Leader || e.Size != want.Size || e.From != want.From || e.FromSize != want.FromSize {
		t.Errorf("got %+v, %v", e, err)
	}
	if e.Back.Codec != wire.Patch || string(e.Back.Payload) != "1 1 raw\n" {
		t.Errorf("back %+v", e.Back)
	}
	for _, name := range wire.HistoryFields() {
		if fields[name] == "" {
			t.Errorf("no field %s", name)
		}
	}
}

func TestMalformedHistoryEntriesAreRefused(t *testing.T) {
	for name, values := range map[string][]string{
		"rev": {"", "1", "x"}, "time": {"", "1"}, "hash": {"", "zz", hash[1:]}, "etag": {"", "a\nb", strings.Repeat("e", 257)},
		"cause": {"", "A", strings.Repeat("a", 17)}, "leader": {strings.Repeat("l", 100)}, "size": {"", "0", "x", "99999999"},
		"from": {"zz"}, "fromsize": {"0", "x"}, "back": {"patch", "PATCH\n"},
	} {
		for _, value := range values {
			fields := historyFields()
			fields[name] = value
			_, err := wire.ParseHistoryEntry("1-0", fields)
			requireParseError(t, err, "history entry")
		}
	}
}

func TestBackHasOneForm(t *testing.T) {
	for text, want := range map[string]wire.Back{
		"": {}, "too large": {TooLarge: true}, "raw\n{}": {Codec: wire.Raw, Payload: []byte("{}")}, "later\nx": {Codec: "later", Payload: []byte("x")},
	} {
		b, err := wire.ParseBack([]byte(text))
		if err != nil || b.Codec != want.Codec || !bytes.Equal(b.Payload, want.Payload) || b.TooLarge != want.TooLarge || string(b.Append(nil)) != text {
			t.Errorf("%q: %+v, %v", text, b, err)
		}
	}
	json := configOf(600)
	codec, payload := wire.Encode(json)
	back := wire.Back{Codec: codec, Payload: payload}
	if whole, err := back.Whole(wire.ContentHash(json)); err != nil || !bytes.Equal(whole, json) {
		t.Errorf("%d bytes, %v", len(whole), err)
	}
	_, err := back.Whole(hash)
	requireParseError(t, err, "content")
	_, err = wire.Back{Codec: "later"}.Whole(hash)
	requireParseError(t, err, "content")
}

func FuzzParseHistoryEntry(f *testing.F) {
	f.Add("rev", "1767225600000")
	f.Add("back", "zstd\n")
	f.Add("cause", "")
	f.Fuzz(func(t *testing.T, name, value string) {
		fields := maps.Clone(historyFields())
		fields[name] = value
		e, err := wire.ParseHistoryEntry("1-0", fields)
		if err != nil {
			requireParseError(t, err, "history entry")
			return
		}
		if name == "back" && string(e.Back.Append(nil)) != value {
			t.Errorf("%q written as %q", value, e.Back.Append(nil))
		}
		if !wire.ValidRev(e.Rev) || !wire.ValidRev(e.Time) || e.Size < 1 || e.Size > wire.MaxConfigBytes {
			t.Errorf("%q %q read as %+v", name, value, e)
		}
	})
}
