package main

import (
	"encoding/json"
	"errors"
	"fmt"
)

// parseUser reads the attributes of a user; an empty text is no user.
func parseUser(text string) (any, error) {
	if text == "" {
		return nil, nil
	}
	var attributes map[string]any
	if err := json.Unmarshal([]byte(text), &attributes); err != nil || attributes == nil {
		return nil, errors.New(`it is no JSON object: write '{"Identifier": "42", "Email": "ann@example.com"}'`)
	}
	for name, value := range attributes {
		if _, nested := value.(map[string]any); nested {
			return nil, fmt.Errorf("the attribute %q is an object: write custom attributes beside the others", name)
		}
	}
	return attributes, nil
}
