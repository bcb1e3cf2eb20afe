package wire

import "time"

// messageField is one field of a message's head. Append omits a value that is zero or empty, and
// set rejects it: each message has exactly one form.
type messageField struct {
	name   string
	number func(*Message) *int64
	millis func(*Message) *time.Duration
	text   func(*Message) *string
	valid  func(string) bool // for text
	low    int64             // for number, millis and len
	high   int64
}

const (
	// MaxPoll is the longest poll interval that a message can state.
	MaxPoll = 24 * time.Hour
	// MaxSpread is the longest spread window that a message can state.
	MaxSpread = time.Minute
	// MaxRenew is the longest interval of heartbeats that a message can state.
	MaxRenew = time.Hour
)

// The leader's scripts write the first revFields fields and the last one themselves.
const (
	revFields = 2
	nowField  = len(messageFields) - 1
)

var messageFields = [...]messageField{
	{name: "rev", number: func(m *Message) *int64 { return &m.Rev }, low: MinRev, high: MaxRev},
	{name: "cdn", number: func(m *Message) *int64 { return &m.CDN }, low: MinRev, high: MaxRev},
	{name: "hash", text: func(m *Message) *string { return &m.Hash }, valid: validHash[string]},
	{name: "len", low: 1, high: MaxConfigBytes},
	{name: "poll", millis: func(m *Message) *time.Duration { return &m.Poll }, low: 1, high: MaxPoll.Milliseconds()},
	{name: "epoch", number: func(m *Message) *int64 { return &m.Epoch }, low: 1, high: MaxRev},
	{name: "spread", millis: func(m *Message) *time.Duration { return &m.Spread }, low: 1, high: MaxSpread.Milliseconds()},
	{name: "seq", number: func(m *Message) *int64 { return &m.Seq }, low: 1, high: MaxRev},
	{name: "etag", text: func(m *Message) *string { return &m.ETag }, valid: plainETag},
	{name: "renew", millis: func(m *Message) *time.Duration { return &m.Renew }, low: 1, high: MaxRenew.Milliseconds()},
	{name: "base", text: func(m *Message) *string { return &m.Base }, valid: validShortHash[string]},
	{name: "patches", millis: func(m *Message) *time.Duration { return &m.Patches }, low: 1, high: MaxSpread.Milliseconds()},
	{name: "cause", text: func(m *Message) *string { return (*string)(&m.Cause) }, valid: func(s string) bool { return Cause(s).valid() }},
	{name: "control", number: func(m *Message) *int64 { return &m.Control }, low: MinRev, high: MaxRev},
	{name: "now", number: func(m *Message) *int64 { return &m.Now }, low: MinRev, high: MaxRev},
}

func indexField(name string) int {
	for i := range messageFields {
		if messageFields[i].name == name {
			return i
		}
	}
	return -1
}

func (f *messageField) set(m *Message, value string) bool {
	if f.text != nil {
		*f.text(m) = value
		return f.valid(value)
	}
	n, ok := ParseNumber(value)
	if !ok || n < f.low || n > f.high {
		return false
	}
	switch {
	case f.number != nil:
		*f.number(m) = n
	case f.millis != nil:
		*f.millis(m) = time.Duration(n) * time.Millisecond
	default:
		m.Len = int(n)
	}
	return true
}

func (f *messageField) append(dst []byte, m *Message) []byte {
	var n int64
	switch {
	case f.text != nil:
		if text := *f.text(m); text != "" {
			dst = append(dst, ' ')
			dst = append(dst, f.name...)
			dst = append(dst, '=')
			dst = append(dst, text...)
		}
		return dst
	case f.number != nil:
		n = *f.number(m)
	case f.millis != nil:
		n = f.millis(m).Milliseconds()
	default:
		n = int64(m.Len)
	}
	if n == 0 {
		return dst
	}
	dst = append(dst, ' ')
	dst = append(dst, f.name...)
	dst = append(dst, '=')
	return AppendNumber(dst, n)
}
