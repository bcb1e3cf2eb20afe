package evalcase

import (
	"errors"
	"fmt"
)

// User returns the user for decoded JSON: nil for no user, or a map of attributes, which
// distinguishes an empty Email from a missing one. Custom attributes may also be on the same
// level as the predefined ones. The Identifier is always set, even if it is empty. Custom
// attributes with the names of predefined ones are ignored (S25).
func User(decoded any) (any, error) {
	switch v := decoded.(type) {
	case nil:
		return nil, nil
	case map[string]any:
		return userOf(v)
	default:
		return nil, errors.New(`: an object is expected, such as {"Identifier": "42", "Custom": {"Plan": "pro"}}`)
	}
}

func userOf(members map[string]any) (any, error) {
	attributes := make(map[string]any, len(members)+4)
	custom, isObject := members["Custom"].(map[string]any)
	for name, member := range custom {
		if predefined(name) {
			continue
		}
		value, err := Attribute(member)
		if err != nil {
			return nil, fmt.Errorf(".Custom.%s%w", name, err)
		}
		attributes[name] = value
	}
	for name, member := range members {
		if name == "Custom" && isObject {
			continue
		}
		value, err := Attribute(member)
		if err != nil {
			return nil, fmt.Errorf(".%s%w", name, err)
		}
		attributes[name] = value
	}
	if attributes["Identifier"] == nil {
		attributes["Identifier"] = ""
	}
	return attributes, nil
}

func predefined(name string) bool {
	return name == "Identifier" || name == "Email" || name == "Country"
}
