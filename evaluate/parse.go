package evaluate

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/catbridge/catbridge/evaluate/internal/jsontext"
)

// Parse reads and compiles a config JSON v6. It does not retain data.
//
// It returns a [*ParseError] if the document is too large, is not a JSON object, nests deeper than
// 10,000 levels, lacks "f", or has an "f", "p" or "s" of the wrong kind. Any other error fails
// only the flags that reach it (S77): see [Config.BrokenFlags].
func Parse(data []byte) (*Config, error) {
	if len(data) > MaxConfigBytes {
		return nil, refuse("$", fmt.Sprintf("%d bytes, the limit is %d", len(data), MaxConfigBytes))
	}
	text := jsontext.FromUTF8(data)
	if !jsontext.Valid(text) {
		return nil, syntaxError(data)
	}
	r := newReader(text)
	if r.Kind() != '{' {
		return nil, refuse("$", "an object is expected")
	}
	raw := r.readConfig()
	switch {
	case raw.preferences.state == wrong:
		return nil, refuse("$.p", "an object is expected")
	case raw.segments.state == wrong:
		return nil, refuse("$.s", "an array is expected")
	case raw.settings.state == wrong:
		return nil, refuse("$.f", "an object is expected")
	case raw.settings.state == absent:
		return nil, refuse("$.f", "missing")
	}
	config := compile(&raw)
	config.source = source{text: text}
	return config, nil
}

func refuse(path, reason string) *ParseError {
	return &ParseError{Path: path, Offset: -1, Reason: reason}
}

func syntaxError(data []byte) *ParseError {
	var none struct{}
	err := json.Unmarshal(data, &none)
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return &ParseError{Path: "$", Offset: syntax.Offset, Reason: syntax.Error()}
	}
	return refuse("$", "invalid JSON")
}
