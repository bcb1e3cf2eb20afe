package fakecdn

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
)

const (
	// VersionFlag is a whole-number flag: the version of the config.
	VersionFlag = "version"
	// VersionStringFlag is a string flag with the same value. A reader that sees two
	// different versions has mixed two contents.
	VersionStringFlag = "versionString"
	// DependentFlag is a boolean flag with a prerequisite: it is on for all users if the
	// version is odd.
	DependentFlag = "dependent"
	// RolloutFlag is a string flag with percentage options, whose targeting rules use the
	// user's country and segments.
	RolloutFlag = "rollout"
)

const salt = "dGhlIHNhbHQgb2YgdGhlIGNvbmZpZw=="

// Config is one version of a config JSON v6. The same values give the same bytes.
type Config struct {
	Version int64
	// MinBytes is the minimum size of the JSON; random strings, which hardly compress, fill
	// it up. 0: the natural size, about 3 KB.
	MinBytes int
	// Varying makes these strings different in each version, so that a patch is as large as the config.
	Varying bool
}

// ETag returns the ETag of the config, which depends on its version and size.
func (c Config) ETag() string { return fmt.Sprintf(`W/"v%d-%d"`, c.Version, c.MinBytes) }

type object = map[string]any

// JSON returns the config JSON.
func (c Config) JSON() []byte {
	version := strconv.FormatInt(c.Version, 10)
	flags := object{
		VersionFlag:       setting(2, object{"i": c.Version}, nil, nil),
		VersionStringFlag: setting(1, text(version), nil, nil),
		"odd":             setting(0, truth(c.Version%2 == 1), nil, nil),
		DependentFlag: setting(0, truth(false), []any{
			rule(truth(true), object{"p": object{"f": "odd", "c": 0, "v": truth(true)}}),
		}, nil),
		RolloutFlag: setting(1, text("off"), []any{
			rule(text("beta"), object{"s": object{"s": 0, "c": 0}}),
			rule(text("staff"), object{"u": object{"a": "Email", "c": 16, "l": []any{hashed("boss@example.com", RolloutFlag)}}}),
			object{
				"c": []any{object{"u": object{"a": "Country", "c": 28, "s": "Hungary"}}},
				"p": []any{option(30, text("red")), option(70, text("blue"))},
			},
		}, []any{option(50, text("a")), option(50, text("b"))}),
		"limit": setting(3, object{"d": 0.25 * float64(c.Version)}, []any{
			rule(object{"d": 10.5}, object{"u": object{"a": "seats", "c": 14, "d": 10}}),
			rule(object{"d": 1e3}, object{"u": object{"a": "app", "c": 9, "s": "2.0.0"}}),
		}, nil),
	}
	config := object{
		"p": object{"u": "https://cdn-global.configcat.com", "r": 0, "s": salt},
		"s": []any{
			object{"n": "Beta users", "r": []any{
				object{"a": "Email", "c": 2, "l": []any{"@beta.example.com", "@example.org"}},
			}},
			object{"n": "Not in Europe", "r": []any{object{"a": "continent", "c": 1, "l": []any{"Europe"}}}},
		},
		"f": flags,
	}
	data, first := encode(config), 0
	if c.Varying {
		first = int(c.Version) << 20
	}
	for i := 0; len(data) < c.MinBytes; i++ {
		// Each pass adds about the missing bytes, so few are needed.
		for range 1 + (c.MinBytes-len(data))/100 {
			flags[fmt.Sprintf("filler%06d", len(flags))] = setting(1, text(noise(first+len(flags))), nil, nil)
		}
		data = encode(config)
	}
	return data
}

func setting(kind int, value object, rules, options []any) object {
	s := object{"t": kind, "v": value, "i": variation(value)}
	if rules != nil {
		s["r"] = rules
	}
	if options != nil {
		s["p"] = options
		s["a"] = "Identifier"
	}
	return s
}

func rule(value object, conditions ...any) object {
	return object{"c": conditions, "s": object{"v": value, "i": variation(value)}}
}

func option(share int, value object) object {
	return object{"p": share, "v": value, "i": variation(value)}
}

func text(s string) object { return object{"s": s} }

func truth(b bool) object { return object{"b": b} }

// hashed returns a comparison value as the CDN stores it for confidential comparators.
func hashed(value, contextSalt string) string {
	sum := sha256.Sum256([]byte(value + salt + contextSalt))
	return hex.EncodeToString(sum[:])
}

// variation derives an ID of 8 hexadecimal digits from a value.
func variation(value object) string {
	sum := sha256.Sum256(encode(value))
	return hex.EncodeToString(sum[:4])
}

func noise(n int) string {
	sum := sha256.Sum256([]byte(strconv.Itoa(n)))
	return hex.EncodeToString(sum[:])
}

// encode writes JSON with the members of objects in order, so that the bytes are always the
// same.
func encode(value any) []byte {
	data, err := json.Marshal(value)
	if err != nil {
		panic(err) // all values are from this package
	}
	return data
}
