package main

import (
	"encoding/json"
	"errors"
	"fmt"
)

// parseUser parses the attributes of a user. An empty string means no user.
func parseUser(text string) (any, error) {
	if text == "" {
		return nil, nil
	}
	var attributes map[string]any
	if err := json.Unmarshal([]byte(text), &attributes); err != nil || attributes == nil {
		return nil, errors.New(`it is not a JSON object: write '{"Identifier": "42", "Email": "ann@example.com"}'`)
	}
	for name, value := range attributes {
		if _, nested := value.(map[string]any); nested {
			return nil, fmt.Errorf("the attribute %q is an object: write custom attributes next to the others", name)
		}
	}
	return attributes, nil
}
