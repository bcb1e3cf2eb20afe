package followertest

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
)

// The numbers of setting types in a config JSON.
const (
	typeBool = iota
	typeText
	typeWhole
	typeDecimal
)

type configDocument struct {
	Preferences struct {
		Salt string `json:"s"`
	} `json:"p"`
	Settings map[string]setting `json:"f"`
}

type setting struct {
	Type        int            `json:"t"`
	Value       map[string]any `json:"v"`
	VariationID string         `json:"i"`
}

// ConfigJSON returns a config JSON v6 with one setting for each value. The setting returns the
// value for every user. The value's Go type determines the setting's type: a bool, a string, any
// integer, a float32 or float64, or a type defined with one of these. Any other value is an
// error. The variation ID is the key, a colon and the value, for example "newCheckout:true".
func ConfigJSON(values map[string]any) ([]byte, error) {
	document := configDocument{Settings: make(map[string]setting, len(values))}
	document.Preferences.Salt = "followertest"
	for _, key := range slices.Sorted(maps.Keys(values)) {
		s, err := settingOf(values[key])
		if err != nil {
			return nil, fmt.Errorf("followertest: flag %q: %w", key, err)
		}
		s.VariationID = fmt.Sprintf("%s:%v", key, values[key])
		document.Settings[key] = s
	}
	content, err := json.Marshal(document)
	if err != nil {
		return nil, fmt.Errorf("followertest: %w", err) // a number that JSON does not support, such as NaN
	}
	return content, nil
}

func settingOf(value any) (setting, error) {
	of := func(kind int, member string, v any) (setting, error) {
		return setting{Type: kind, Value: map[string]any{member: v}}, nil
	}
	switch v := reflect.ValueOf(value); v.Kind() {
	case reflect.Bool:
		return of(typeBool, "b", v.Bool())
	case reflect.String:
		return of(typeText, "s", v.String())
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return of(typeWhole, "i", v.Int())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return of(typeWhole, "i", v.Uint())
	case reflect.Float32, reflect.Float64:
		return of(typeDecimal, "d", v.Float())
	default:
		return setting{}, fmt.Errorf("%v is a %T, want a bool, string or number", value, value)
	}
}
