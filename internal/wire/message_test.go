package wire_test

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/catbridge/catbridge/internal/testenv/memory"
	"github.com/catbridge/catbridge/internal/wire"
)

var hash = wire.ContentHash([]byte("{}"))

// longest returns a message in which every field has its greatest length.
func longest(kind wire.MessageType) wire.Message {
	if kind == wire.Refresh || kind == wire.Control {
		return wire.Message{Type: kind, Seq: wire.MaxRev}
	}
	return wire.Message{
		Type: kind, Rev: wire.MaxRev, CDN: wire.MaxRev, Hash: hash, Len: wire.MaxConfigBytes,
		Poll: wire.MaxPoll, Epoch: wire.MaxRev, Spread: wire.MaxSpread,
		ETag: strings.Repeat("e", wire.MaxMessageETagBytes), Renew: wire.MaxRenew, Base: wire.ShortHash(hash), Patches: wire.MaxSpread, Control: wire.MaxRev, Now: wire.MaxRev,
	}
}

// maxWrittenHeadBytes is the greatest size of a head that this version writes. The rest of
// MaxHeadBytes is for the fields of later versions.
const maxWrittenHeadBytes = 512

func TestLongestHeadsFit(t *testing.T) {
	for _, kind := range []wire.MessageType{wire.Change, wire.Heartbeat, wire.Resign, wire.Refresh, wire.Control} {
		message := longest(kind)
		data := message.Append(nil)
		if len(data) > maxWrittenHeadBytes {
			t.Errorf("%s: head of %d bytes", kind, len(data))
		}
		message.Codec, message.Content = wire.Zstd, make([]byte, wire.MaxInlineBytes)
		data = message.Append(nil)
		if len(data) > wire.MaxMessageBytes {
			t.Errorf("%s: message of %d bytes", kind, len(data))
		}
		back, err := wire.ParseMessage(data)
		if err != nil {
			t.Errorf("%s: %v", kind, err)
		} else if !reflect.DeepEqual(back, message) {
			t.Errorf("%s: came back as %+v", kind, back)
		}
	}
}

func TestMessageFormat(t *testing.T) {
	for _, test := range []struct {
		message wire.Message
		text    string
	}{
		{wire.Message{Type: wire.Resign}, "cb1 resign"},
		{wire.Message{Type: wire.Refresh, Seq: 7}, "cb1 refresh seq=7"},
		{
			wire.Message{
				Type: wire.Heartbeat, Rev: rev, CDN: rev - 1, Hash: hash, Len: 2, Poll: 55 * time.Second,
				Epoch: 3, Spread: 80 * time.Millisecond, ETag: `W/"x"`, Renew: 3 * time.Second, Now: rev + 7,
			},
			"cb1 heartbeat rev=1767225600000 cdn=1767225599999 hash=" + hash + ` len=2 poll=55000 epoch=3 spread=80 etag=W/"x" renew=3000 now=1767225600007`,
		},
		{
			wire.Message{
				Type: wire.Change, Rev: rev, Hash: hash, Len: 2, Base: "0123456789abcdef", Patches: 3 * time.Millisecond, Now: rev,
				Codec: wire.Patch, Content: []byte("1 1 raw\n"),
			},
			"cb1 change rev=1767225600000 hash=" + hash + " len=2 base=0123456789abcdef patches=3 now=1767225600000\npatch\n1 1 raw\n",
		},
		{wire.Message{Type: wire.Control, Seq: rev + 2}, "cb1 control seq=1767225600002"},
		{
			wire.Message{Type: wire.Heartbeat, Rev: rev, Hash: hash, Epoch: 3, Patches: 3 * time.Millisecond, Control: rev + 2, Now: rev},
			"cb1 heartbeat rev=1767225600000 hash=" + hash + " epoch=3 patches=3 control=1767225600002 now=1767225600000",
		},
		{wire.Message{Type: wire.Refresh, Seq: 7, Cause: wire.CauseWebhook}, "cb1 refresh seq=7 cause=webhook"},
		{
			wire.Message{Type: wire.Change, Rev: rev, Hash: hash, Codec: wire.Raw, Content: []byte("{}\n")},
			"cb1 change rev=1767225600000 hash=" + hash + "\nraw\n{}\n",
		},
	} {
		if text := string(test.message.Append(nil)); text != test.text {
			t.Errorf("written as %q\nwant %q", text, test.text)
		}
		back, err := wire.ParseMessage([]byte(test.text))
		if err != nil || !reflect.DeepEqual(back, test.message) {
			t.Errorf("%q read as %+v, %v", test.text, back, err)
		}
	}
}

// The scripts write rev and cdn between Head and Tail, and now after Tail.
func TestScriptsWriteBetweenHeadAndTail(t *testing.T) {
	message := longest(wire.Change)
	message.Extra = "new=1"
	if have, want := message.Head()+" rev=9999999999999 cdn=9999999999999"+message.Tail()+" now=9999999999999", string(message.Append(nil)); have != want {
		t.Errorf("joined %q\nwant %q", have, want)
	}
}

// Later versions may add types and fields. This version skips them and keeps them unchanged.
func TestUnknownTypesAndFieldsAreKept(t *testing.T) {
	for _, text := range []string{
		"cb1 rename",
		"cb1 rename rev=1767225600000 epoch=3",
		"cb1 heartbeat rev=1767225600000 epoch=3 quorum=2/3 region=eu=1",
		"cb1 change quorum=2\nraw\n{}",
		"cb1 heartbeat epoch=3 quorum=2 now=1767225600000",
	} {
		message, err := wire.ParseMessage([]byte(text))
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if back := string(message.Append(nil)); back != text {
			t.Errorf("%q written as %q", text, back)
		}
		if known := !strings.HasPrefix(text, "cb1 rename"); message.Known() != known {
			t.Errorf("%q: known is %v", text, message.Known())
		}
	}
}

// A message of a hypothetical later version is accepted: unknown fields are skipped wherever they
// appear, and content in an unknown codec is treated as absent.
func TestMessageOfALaterVersionIsAccepted(t *testing.T) {
	long := strings.Repeat("x", wire.MaxHeadBytes-200)
	text := "cb1 change before=1 rev=1767225600000 hash=" + hash + " between=" + long + " epoch=3 basis=0123456789abcdef now=1767225600007" +
		"\npatch-of_v2.1\n\x00\xff\nanything"
	message, err := wire.ParseMessage([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	want := wire.Message{
		Type: wire.Change, Rev: rev, Hash: hash, Epoch: 3, Now: rev + 7, Extra: "before=1 between=" + long + " basis=0123456789abcdef",
		Codec: "patch-of_v2.1", Content: []byte("\x00\xff\nanything"),
	}
	if !reflect.DeepEqual(message, want) {
		t.Errorf("read as %+v\nwant %+v", message, want)
	}
	if blob, ok := message.Blob(); ok {
		t.Errorf("content of an unknown codec gives blob %+v", blob)
	}
}

func TestCodecOfALaterVersionIsAcceptedUpToItsLimit(t *testing.T) {
	for name, ok := range map[string]bool{
		"patch": true, "zstd-dict.2_x": true, strings.Repeat("c", wire.MaxCodecBytes): true,
		strings.Repeat("c", wire.MaxCodecBytes+1): false, "": false, "Raw": false, "raw ": false, "a\r": false, "a\x1b": false, "é": false,
	} {
		_, err := wire.ParseMessage([]byte("cb1 change\n" + name + "\n{}"))
		if (err == nil) != ok {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestInvalidMessagesAreRejected(t *testing.T) {
	over := map[string]string{
		"rev": "10000000000000", "cdn": "10000000000000", "hash": hash + "0", "len": "8388609", "poll": "86400001",
		"epoch": "10000000000000", "spread": "60001", "seq": "10000000000000", "etag": strings.Repeat("e", 65), "renew": "3600001", "base": wire.ShortHash(hash) + "0", "patches": "60001", "control": "10000000000000", "now": "10000000000000",
	}
	under := map[string]string{
		"rev": "999999999999", "cdn": "999999999999", "hash": hash[1:], "len": "0", "poll": "0",
		"epoch": "0", "spread": "0", "seq": "0", "etag": "", "renew": "0", "control": "0", "now": "999999999999",
	}
	bad := map[string]string{
		"rev": "176722560000x", "cdn": "-767225600000", "hash": strings.ToUpper(hash), "len": "+1", "poll": "1e3",
		"epoch": "03", "spread": "1.5", "seq": "１", "etag": "a\u00a0b", "renew": "3s", "control": "x", "now": "-767225600000",
	}
	tests := map[string]string{
		"empty":                  "",
		"other version":          "cb2 change",
		"no version":             "change rev=1767225600000",
		"version alone":          "cb1",
		"no type":                "cb1 ",
		"type in capitals":       "cb1 Change",
		"type with a digit":      "cb1 change2",
		"trailing space":         "cb1 change ",
		"two spaces":             "cb1 change  seq=1",
		"tab":                    "cb1 change\tseq=1",
		"carriage return":        "cb1 change\r\nraw\n{}",
		"no field":               "cb1 change seq",
		"field without name":     "cb1 change =1",
		"field in capitals":      "cb1 change Seq=1",
		"field twice":            "cb1 change seq=1 seq=1",
		"out of order":           "cb1 change epoch=1 rev=1767225600000",
		"field behind now":       "cb1 change now=1767225600000 seq=1",
		"extra without value":    "cb1 change new=",
		"extra with two spaces":  "cb1 change new=1  newer=1",
		"extra with trailing":    "cb1 change new=1 ",
		"head over the limit":    "cb1 change new=" + strings.Repeat("x", wire.MaxHeadBytes-14),
		"content without codec":  "cb1 change\n{}",
		"empty content line":     "cb1 change\n",
		"no name of a codec":     "cb1 change\n{}\n{}",
		"content over the limit": "cb1 change\nraw\n" + strings.Repeat("x", wire.MaxInlineBytes+1),
		"a megabyte":             strings.Repeat("x", 1<<20),
	}
	for name := range over {
		tests[name+" over its limit"] = "cb1 change " + name + "=" + over[name]
		tests[name+" under its limit"] = "cb1 change " + name + "=" + under[name]
		tests[name+" malformed"] = "cb1 change " + name + "=" + bad[name]
	}
	for name, text := range tests {
		t.Run(name, func(t *testing.T) {
			var err error
			if took := memory.Allocated(func() { _, err = wire.ParseMessage([]byte(text)) }); took > 2<<20 {
				t.Errorf("took %d bytes of memory", took)
			}
			requireParseError(t, err, "message")
		})
	}
}

func TestHeadJustAtTheLimitIsAccepted(t *testing.T) {
	text := "cb1 change new=" + strings.Repeat("x", wire.MaxHeadBytes-15)
	if len(text) != wire.MaxHeadBytes {
		t.Fatal(len(text))
	}
	if _, err := wire.ParseMessage([]byte(text)); err != nil {
		t.Error(err)
	}
}

func TestMessageCarriesContentOnlyWithItsRevAndHash(t *testing.T) {
	content := []byte("{}")
	whole := wire.Message{Type: wire.Change, Rev: rev, Hash: hash, Codec: wire.Raw, Content: content}
	blob, ok := whole.Blob()
	if json, err := blob.JSON(); !ok || err != nil || string(json) != "{}" || blob.Rev != rev {
		t.Errorf("blob %+v, %v, %v", blob, ok, err)
	}
	for name, message := range map[string]wire.Message{
		"no content": {Type: wire.Change, Rev: rev, Hash: hash},
		"no rev":     {Type: wire.Change, Hash: hash, Codec: wire.Raw, Content: content},
		"no hash":    {Type: wire.Change, Rev: rev, Codec: wire.Raw, Content: content},
	} {
		if blob, ok := message.Blob(); ok {
			t.Errorf("%s: gives blob %+v", name, blob)
		}
	}
}

func TestMessageETagIsShortAndPlain(t *testing.T) {
	for etag, same := range map[string]bool{
		"":                       true,
		`W/"8c2f-é"`:             true,
		strings.Repeat("e", 64):  true,
		strings.Repeat("e", 65):  false,
		"a b":                    false,
		"a\tb":                   false,
		"a\u2003b":               false,
		"a\x00b":                 false,
		"a\xffb":                 false,
		strings.Repeat("é", 33):  false,
		strings.Repeat(" ", 300): false,
	} {
		have := wire.MessageETag(etag)
		if want := wire.ContentHash([]byte(etag)); (have == etag) != same || !same && have != want {
			t.Errorf("%q carried as %q", etag, have)
		}
		message := wire.Message{Type: wire.Change, ETag: have}
		if back, err := wire.ParseMessage(message.Append(nil)); err != nil || back.ETag != have {
			t.Errorf("%q: came back as %q, %v", etag, back.ETag, err)
		}
	}
}

// A patch needs its base, its length and the hash of what it makes; it is not content by itself.
func TestOnlyACompletePatchIsOne(t *testing.T) {
	whole := wire.Message{Type: wire.Change, Rev: rev, Hash: hash, Len: 2, Base: wire.ShortHash(hash), Codec: wire.Patch, Content: []byte("1 1 raw\n")}
	if patch, ok := whole.Patch(); !ok || string(patch) != "1 1 raw\n" {
		t.Errorf("%q, %v", patch, ok)
	}
	if blob, ok := whole.Blob(); ok {
		t.Errorf("it is the blob %+v", blob)
	}
	for name, change := range map[string]func(*wire.Message){
		"rev": func(m *wire.Message) { m.Rev = 0 }, "hash": func(m *wire.Message) { m.Hash = "" }, "len": func(m *wire.Message) { m.Len = 0 },
		"base": func(m *wire.Message) { m.Base = "" }, "codec": func(m *wire.Message) { m.Codec = wire.Raw },
	} {
		m := whole
		change(&m)
		if _, ok := m.Patch(); ok {
			t.Errorf("a patch without %s", name)
		}
	}
}
