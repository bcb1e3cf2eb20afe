package evaluate

import (
	"encoding/json"
	"errors"
	"fmt"
)

// Parse reads and compiles a config JSON v6. It does not retain data.
//
// It returns a [*ParseError] if the document is too large, is not a JSON object, nests deeper than
// 10,000 levels, lacks "f", or has an "f", "p" or "s" of the wrong kind. Any other error fails
// only the flags that reach it (S77): see [Config.BrokenFlags].
func Parse(data []byte) (*Config, error) { return Reparse(nil, data) }

// Reparse is like [Parse], but shares with an earlier config what did not change, so that a small
// change takes a small part of the time. It compiles only settings with other JSON than before and
// those that depend on a changed salt or segment. The result does not depend on earlier, which may
// be nil and may be in use; it is earlier itself if the document is the same. It keeps neither
// data nor earlier in memory, only the settings that it shares.
func Reparse(earlier *Config, data []byte) (*Config, error) {
	if err := tooLarge(data); err != nil {
		return nil, err
	}
	d := earlier.splitAgain(data)
	if d == nil {
		var err error
		if d, err = split(earlier, data); err != nil {
			return nil, err
		}
	}
	if d.isOf(earlier) {
		return earlier, nil
	}
	return compile(earlier, d), nil
}

func tooLarge(data []byte) error {
	if len(data) > MaxConfigBytes {
		return refuse("$", fmt.Sprintf("%d bytes, the limit is %d", len(data), MaxConfigBytes))
	}
	return nil
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
