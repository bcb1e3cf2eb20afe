package cases

import (
	"errors"
	"fmt"
)

// User makes the user that decoded JSON stands for: nil, which is none, or a map of
// attributes, so that an Email that is set but empty can be told from none. Attributes
// may also stand beside the predefined ones. The Identifier is always set, be it empty;
// custom attributes with the names of predefined ones do not count (S25).
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
