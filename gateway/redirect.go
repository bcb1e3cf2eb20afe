package gateway

import (
	"bytes"
	"encoding/json"
	"strings"
)

// withoutRedirect returns the config JSON with 0 as the redirect p.r of its preferences. Official
// SDKs that see 2 leave their base URL for good, and with 1 and another URL some have no config
// (S86). All other bytes stay. SDKs that ignore the case of names see p.r as P.R, too.
func withoutRedirect(config []byte) []byte {
	var out []byte
	done := 0
	for _, span := range redirects(config) {
		out = append(append(out, config[done:span.start]...), '0')
		done = span.end
	}
	if done == 0 {
		return config
	}
	return append(out, config[done:]...)
}

type span struct{ start, end int }

// redirects returns where the values of p.r are, except those that are 0 already. JSON may repeat
// a name, and SDKs differ in which one they take.
func redirects(config []byte) []span {
	var spans []span
	dec := json.NewDecoder(bytes.NewReader(config))
	_ = members(dec, func(name string) error {
		if !strings.EqualFold(name, "p") {
			return skip(dec)
		}
		return members(dec, func(name string) error {
			var value json.RawMessage
			if err := dec.Decode(&value); err != nil {
				return err
			}
			if strings.EqualFold(name, "r") && string(value) != "0" {
				end := int(dec.InputOffset())
				spans = append(spans, span{end - len(value), end})
			}
			return nil
		})
	})
	return spans
}

// members calls f with the name of each member of the next value. f must read the member's value.
// A value that is not an object has no members.
func members(dec *json.Decoder, f func(name string) error) error {
	first, err := dec.Token()
	if err != nil {
		return err
	}
	switch first {
	case json.Delim('{'):
	case json.Delim('['):
		for dec.More() {
			if err := skip(dec); err != nil {
				return err
			}
		}
		_, err := dec.Token()
		return err
	default:
		return nil
	}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return err
		}
		if err := f(name.(string)); err != nil {
			return err
		}
	}
	_, err = dec.Token()
	return err
}

func skip(dec *json.Decoder) error {
	var value json.RawMessage
	return dec.Decode(&value)
}
