package wire

import (
	"bytes"
	"strings"
	"time"
)

const (
	// MaxHeadBytes is the greatest size of a message's head that a reader accepts,
	// without its line break. It leaves room for the fields of later versions.
	MaxHeadBytes = 1024
	// MaxInlineBytes is the greatest size of the content in a message.
	MaxInlineBytes = 4 << 10
	// MaxMessageBytes is the greatest size of a message.
	MaxMessageBytes = MaxHeadBytes + MaxCodecBytes + 2 + MaxInlineBytes

	messageVersion = "cb1"
)

// MessageType is the kind of a message.
type MessageType string

const (
	Change    MessageType = "change"    // the content changed
	Heartbeat MessageType = "heartbeat" // the leader is alive; this content is current
	Resign    MessageType = "resign"    // the leader gave up its lock
	Refresh   MessageType = "refresh"   // a request to the leader to poll now
	Control   MessageType = "control"   // an operator changed what the leader must make current
)

// Message is a message on the events channel: a head line that says which content is current,
// optionally followed by that content.
//
//	cb1 {type} rev=… cdn=… hash=… len=… poll=… epoch=… spread=… seq=… etag=… renew=… base=… patches=… cause=… control=… now=…
//	{codec}
//	{content}
//
// Fields appear in this order; a field that is zero or empty is omitted. Numbers are decimal,
// times in milliseconds. Types and names of fields are words of lower-case letters.
//
// A reader accepts messages of later versions: it skips fields that it does not know, wherever
// they appear, and treats content in an unknown codec as absent. Later versions write their fields
// before the field now, which stays the last.
type Message struct {
	Type   MessageType
	Rev    int64         // of the current content; 0: no content
	CDN    int64         // when the CDN last answered, Unix ms by Redis's clock; 0: never
	Hash   string        // of the current content, see [ContentHash]
	Len    int           // size of the current config JSON in bytes
	Poll   time.Duration // the leader's poll interval, whole milliseconds
	Epoch  int64         // the leader's term
	Spread time.Duration // followers wait a random part of this before they read the content; whole milliseconds
	Seq    int64         // in a refresh request: how many there have been; in a Control message: of the control
	ETag   string        // see [MessageETag]
	Renew  time.Duration // the interval of the leader's heartbeats, whole milliseconds; 0: not stated
	// Base is the start of the hash of the content that this content replaced, see [ShortHash]:
	// who holds it can make this content of a patch. Empty: there is no patch.
	Base string
	// Patches is what followers that hold earlier content wait a random part of before they
	// read the patches, in whole milliseconds; 0: there are none to read.
	Patches time.Duration
	Cause   Cause // only in a refresh request: CauseWebhook if a webhook requested the poll
	// Control is the seq of the control that the current content was made with; 0: none is in
	// force, or the leader does not know of controls, and this is the CDN's content.
	Control int64
	Now     int64  // Redis's clock when the message was published, Unix ms; 0: not stated
	Extra   string // fields that this version does not know, separated by spaces

	Codec   Codec  // of Content, possibly unknown to this version; empty: no content
	Content []byte // the config JSON in Codec; shares memory with the parsed input
}

// Known reports whether this version knows the message's type. Readers ignore other types.
func (m Message) Known() bool {
	switch m.Type {
	case Change, Heartbeat, Resign, Refresh, Control:
		return true
	}
	return false
}

// Blob returns the content in the message as a blob with the message's rev and hash, and reports
// whether there is content. Content without a rev or a hash, or in a codec that this version does
// not know, is treated as absent.
func (m Message) Blob() (Blob, bool) {
	if !m.Codec.known() || m.Rev == 0 || m.Hash == "" {
		return Blob{}, false
	}
	return Blob{Rev: m.Rev, Hash: m.Hash, Codec: m.Codec, Payload: m.Content}, true
}

// Patch returns the patch in the message, and reports whether there is one. It makes content of
// m.Len bytes with the hash m.Hash of the content whose hash starts with m.Base.
func (m Message) Patch() ([]byte, bool) {
	ok := m.Codec == Patch && m.Base != "" && m.Rev != 0 && m.Hash != "" && m.Len != 0
	return m.Content, ok
}

// ParseMessage reads a message. It does not examine the content: see [Message.Blob]. All errors
// are [*ParseError].
func ParseMessage(data []byte) (Message, error) {
	if len(data) > MaxMessageBytes {
		return Message{}, malformed("message", "", "over the size limit")
	}
	head, rest, hasContent := bytes.Cut(data, []byte{'\n'})
	if len(head) > MaxHeadBytes {
		return Message{}, malformed("message", "head", "over the size limit")
	}
	m, err := parseHead(string(head))
	if err != nil {
		return Message{}, err
	}
	if hasContent {
		name, content, ok := bytes.Cut(rest, []byte{'\n'})
		if !ok {
			return Message{}, malformed("message", "content", "no codec line")
		}
		if m.Codec, ok = parseCodec(name); !ok {
			return Message{}, malformed("message", "codec", "invalid name "+Excerpt(name))
		}
		if len(content) > MaxInlineBytes {
			return Message{}, malformed("message", "content", "over the size limit")
		}
		m.Content = content
	}
	return m, nil
}

func parseHead(head string) (Message, error) {
	var m Message
	version, rest, _ := strings.Cut(head, " ")
	if version != messageVersion {
		return m, malformed("message", "version", "want "+messageVersion+", have "+Excerpt(version))
	}
	kind, fields, more := strings.Cut(rest, " ")
	if !isWord(kind) {
		return m, malformed("message", "type", "not a word: "+Excerpt(kind))
	}
	m.Type = MessageType(kind)
	next := 0
	for more {
		var field string
		field, fields, more = strings.Cut(fields, " ")
		name, value, ok := strings.Cut(field, "=")
		if !ok || !isWord(name) || value == "" {
			return m, malformed("message", "head", "not a field: "+Excerpt(field))
		}
		at := indexField(name)
		switch {
		case at < 0: // of a later version
			if m.Extra != "" {
				m.Extra += " "
			}
			m.Extra += field
		case at < next:
			return m, malformed("message", name, "repeated or out of order")
		case !messageFields[at].set(&m, value):
			return m, malformed("message", name, "bad value "+Excerpt(value))
		default:
			next = at + 1
		}
	}
	return m, nil
}

func isWord(s string) bool {
	if s == "" {
		return false
	}
	for i := range len(s) {
		if c := s[i]; c < 'a' || c > 'z' {
			return false
		}
	}
	return true
}

// Append appends the message in its published form.
func (m Message) Append(dst []byte) []byte {
	dst = append(dst, m.Head()...)
	for i := range revFields {
		dst = messageFields[i].append(dst, &m)
	}
	dst = append(dst, m.Tail()...)
	dst = messageFields[nowField].append(dst, &m)
	if m.Codec == "" {
		return dst
	}
	dst = append(dst, '\n')
	dst = append(dst, m.Codec...)
	dst = append(dst, '\n')
	return append(dst, m.Content...)
}

// Head returns the start of the message before the fields rev and cdn, which the leader's scripts
// write.
func (m Message) Head() string { return messageVersion + " " + string(m.Type) }

// Tail returns the fields after cdn except the last, now: the leader's scripts write it.
func (m Message) Tail() string {
	var dst []byte
	for i := revFields; i < nowField; i++ {
		dst = messageFields[i].append(dst, &m)
	}
	if m.Extra != "" {
		dst = append(dst, ' ')
		dst = append(dst, m.Extra...)
	}
	return string(dst)
}
