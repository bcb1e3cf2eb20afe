package evalcase

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Line is a config JSON with cases for it.
type Line struct {
	Config json.RawMessage // null: no config is available
	Cases  []Case
}

// ParseLine reads {"config": …, "cases": [{"key": …, "default": …, "user": …}, …]}. It checks
// only that the config is valid JSON. It ignores other members.
func ParseLine(data []byte) (Line, error) {
	var raw struct {
		Config json.RawMessage `json:"config"`
		Cases  any             `json:"cases"`
	}
	if err := unmarshal(data, &raw); err != nil {
		return Line{}, err
	}
	if raw.Config == nil {
		return Line{}, errors.New("config: missing")
	}
	list, ok := raw.Cases.([]any)
	if !ok {
		return Line{}, errors.New("cases: an array is expected")
	}
	line := Line{Config: raw.Config, Cases: make([]Case, len(list))}
	for i, decoded := range list {
		if err := line.Cases[i].read(decoded); err != nil {
			return Line{}, fmt.Errorf("cases[%d]%w", i, err)
		}
	}
	return line, nil
}

func (c *Case) read(decoded any) (err error) {
	members, ok := decoded.(map[string]any)
	if !ok {
		return errors.New(": an object is expected")
	}
	if c.Key, ok = members["key"].(string); !ok {
		return errors.New(".key: a string is expected")
	}
	if c.Default, err = ParseDefault(members["default"]); err != nil {
		return fmt.Errorf(".default%w", err)
	}
	if c.User, err = User(members["user"]); err != nil {
		return fmt.Errorf(".user%w", err)
	}
	return nil
}

// decode reads one JSON value and keeps the source form of numbers.
func decode(data []byte) (any, error) {
	var v any
	err := unmarshal(data, &v)
	return v, err
}

func unmarshal(data []byte, v any) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	err := decoder.Decode(v)
	if err == nil {
		if _, err = decoder.Token(); errors.Is(err, io.EOF) {
			return nil
		}
		return fmt.Errorf("invalid JSON at byte %d: more than one value", decoder.InputOffset())
	}
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Errorf("invalid JSON at byte %d: %w", syntax.Offset, syntax)
	}
	if _, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return errors.New("an object is expected")
	}
	return errors.New("invalid JSON: unexpected end")
}

// ParseUser reads a user from JSON, see [User].
func ParseUser(data []byte) (any, error) {
	decoded, err := decode(data)
	if err != nil {
		return nil, err
	}
	user, err := User(decoded)
	if err != nil {
		return nil, fmt.Errorf("user%w", err)
	}
	return user, nil
}
