package evaluate

import (
	"encoding/json"

	"github.com/catbridge/catbridge/evaluate/internal/jsontext"
)

// ParseOverrides reads a file of flag overrides: a full config JSON (S64), or the simple form
// {"flags": {key: value}} with plain values (S63). Numbers in the simple form match defaults as
// in [FromValues].
func ParseOverrides(data []byte) (*Config, error) {
	if len(data) > MaxConfigBytes {
		return Parse(data)
	}
	if !json.Valid(data) {
		return Parse(data)
	}
	r := newReader(jsontext.FromUTF8(data))
	if r.Kind() != '{' {
		return nil, refuse("$", "an object is expected")
	}
	for more := r.Open(); more; more = r.Next() {
		if r.Name() != "flags" {
			r.Skip()
			continue
		}
		if r.Kind() != '{' {
			return nil, refuse("$.flags", "an object is expected")
		}
		return r.readFlags(), nil
	}
	return Parse(data)
}

func (r *reader) readFlags() *Config {
	var settings []*setting
	for more := r.Open(); more; more = r.Next() {
		key := r.Name()
		settings = append(settings, plainSetting(key, r.readPlain()))
	}
	config := newConfig(len(settings))
	for _, s := range settings {
		config.put(s)
	}
	config.source.keys = config.keys
	config.resolve()
	return config
}

// readPlain reads a plain value. A number without a fraction is a whole number.
func (r *reader) readPlain() any {
	switch r.Kind() {
	case '"':
		return r.Text()
	case 't', 'f':
		return r.Bool()
	case '0':
		start := r.Cursor
		if whole := r.readInteger(); whole.state == present {
			return whole.value
		}
		r.Cursor = start
		return r.Number()
	case 'n':
		r.Skip()
		return nil
	case '[':
		return unsupported{text: r.Raw(), kind: "array"}
	default:
		return unsupported{text: r.Raw(), kind: "object"}
	}
}
