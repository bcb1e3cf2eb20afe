package demo

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/catbridge/catbridge/evaluate"
)

// changed returns a copy of a config in which one flag has another value for all users. It
// prefers a boolean flag without rules.
func changed(config []byte) ([]byte, error) {
	parts, flags, err := takeApart(config)
	if err != nil {
		return nil, err
	}
	key, value, err := choose(config, flags)
	if err != nil {
		return nil, err
	}
	kind, encoded := encode(value)
	if flags[key], err = marshal(map[string]any{"t": kind, "v": encoded, "i": "00000000"}); err != nil {
		return nil, err
	}
	if parts["f"], err = marshal(flags); err != nil {
		return nil, err
	}
	return marshal(parts)
}

// marshal encodes JSON without changing the raw messages in it, except for white space.
func marshal(value any) ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	err := encoder.Encode(value)
	return out.Bytes(), err
}

func takeApart(config []byte) (parts, flags map[string]json.RawMessage, err error) {
	if err := json.Unmarshal(config, &parts); err != nil {
		return nil, nil, fmt.Errorf("change the config: %w", err)
	}
	if err := json.Unmarshal(parts["f"], &flags); err != nil {
		return nil, nil, fmt.Errorf("change the config: its flags: %w", err)
	}
	return parts, flags, nil
}

// choose returns the flag to change, and its new value. If no flag of the config can be evaluated, it
// returns a new flag.
func choose(config []byte, flags map[string]json.RawMessage) (key string, value evaluate.Value, err error) {
	compiled, err := evaluate.Parse(config)
	if err != nil {
		return "", evaluate.Value{}, err
	}
	best := -1
	for _, k := range compiled.Keys() {
		result := compiled.Evaluate(k, nil, evaluate.Value{}, nil)
		if result.Err != nil {
			continue
		}
		score := 0
		if isPlain(flags[k]) {
			score += 2
		}
		if result.Value.Kind() == evaluate.KindBool {
			score++
		}
		if score > best {
			best, key, value = score, k, opposite(result.Value)
		}
	}
	if best < 0 {
		key, value = "demoFlag", evaluate.BoolValue(true)
		if slices.Contains(compiled.Keys(), key) {
			return "", evaluate.Value{}, errors.New("no flag of the config can be evaluated and changed; use another config")
		}
	}
	return key, value, nil
}

func isPlain(flag json.RawMessage) bool {
	var parts struct{ R, P []json.RawMessage }
	return json.Unmarshal(flag, &parts) == nil && len(parts.R) == 0 && len(parts.P) == 0
}

// opposite returns another value of the same type.
func opposite(v evaluate.Value) evaluate.Value {
	switch v.Kind() {
	case evaluate.KindString:
		return evaluate.StringValue(v.String() + " (changed)")
	case evaluate.KindInt:
		return evaluate.IntValue(v.Int() + 1)
	case evaluate.KindFloat:
		return evaluate.FloatValue(v.Float()/2 + 1)
	}
	return evaluate.BoolValue(!v.Bool())
}

// encode returns a value and its type in the form of the config.
func encode(v evaluate.Value) (kind int, encoded map[string]any) {
	switch v.Kind() {
	case evaluate.KindString:
		return 1, map[string]any{"s": v.String()}
	case evaluate.KindInt:
		return 2, map[string]any{"i": v.Int()}
	case evaluate.KindFloat:
		return 3, map[string]any{"d": v.Float()}
	}
	return 0, map[string]any{"b": v.Bool()}
}
